"""Zero and "was not listening" are different."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd
import pytest

from aggregator.detect.coverage import cover
from aggregator.detect.cube import bucket_number
from aggregator.frames import LISTENING, conform, empty
from tests.detect.world import DAY, listened

START, END = bucket_number(DAY), bucket_number(DAY) + 12
USUAL = pd.DataFrame({"provider": ["o2", "o2"], "source": ["feed", "form"], "count": [90, 10]})


def heard(*sources: str) -> pd.DataFrame:
    hour = listened(DAY, DAY + timedelta(hours=1))
    return pd.concat([hour.assign(source=source) for source in sources]).pipe(conform, LISTENING)


def test_the_share_is_what_the_listening_sources_usually_bring() -> None:
    coverage = cover(heard("form"), USUAL, START, END)
    assert coverage.of("o2") == pytest.approx([0.1] * 12)
    assert cover(heard("form", "feed"), USUAL, START, END).of("o2") == pytest.approx([1.0] * 12)


def test_below_half_a_bucket_is_blind() -> None:
    coverage = cover(heard("form"), USUAL, START, END)
    assert coverage.heard("o2", START, END).tolist() == [0.0] * 12


def test_outside_the_table_nothing_was_heard() -> None:
    coverage = cover(heard("feed"), USUAL, START, END)
    assert coverage.heard("o2", START - 2, START + 2) == pytest.approx([0, 0, 0.9, 0.9])


def test_a_provider_without_history_is_judged_like_all_together() -> None:
    coverage = cover(heard("feed"), USUAL, START, END)
    assert coverage.of("new") == pytest.approx(coverage.of("all"))


def test_with_no_history_one_listening_source_is_enough() -> None:
    nothing = USUAL[USUAL["count"] < 0]
    assert cover(heard("form"), nothing, START, END).of("o2") == pytest.approx([1.0] * 12)
    assert cover(empty(LISTENING), nothing, START, END).of("o2") == pytest.approx([0.0] * 12)


def test_the_silence_of_a_source_says_something_only_about_those_it_covers() -> None:
    both = pd.concat(
        [USUAL, pd.DataFrame({"provider": ["telekom", "sky"], "source": ["feed", "form"], "count": [5, 5]})]
    )
    coverage = cover(heard("feed"), both, START, END, covers={"feed": ("o2",)})
    assert coverage.of("o2") == pytest.approx([0.9] * 12)
    assert coverage.of("telekom") == pytest.approx([0.0] * 12)  # only a source that does not cover it tells of it
    assert coverage.of("sky") == pytest.approx([0.0] * 12)
    assert cover(heard("form"), both, START, END, covers={"feed": ("o2",)}).of("sky") == pytest.approx([1.0] * 12)


def test_a_feed_of_statements_that_is_heard_makes_no_report_a_zero() -> None:
    nothing = USUAL.iloc[:0]
    assert cover(heard("status"), nothing, START, END, covers={"status": ()}).of("o2") == pytest.approx([0.0] * 12)
