"""The quick way of the reports' CSV writes what the plain way writes, byte for byte."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.catalogue import Catalogue, load_catalogue
from aggregator.downloads import download, rows
from aggregator.export import TABLES, write_csv
from aggregator.export.reportcsv import Written
from aggregator.feedmodel import Source
from aggregator.model import Filter, Report
from aggregator.record import End
from aggregator.store import ends, outgoing, reports, sources
from tests.making import SATURDAY, at, instance, report

TEXT = st.text(st.sampled_from("=-@;'\",\r\n aäZ"), max_size=6)
TIMES = st.integers(-90_000_000_000, 90_000_000_000).map(lambda n: SATURDAY + timedelta(microseconds=n))


@st.composite
def some_reports(draw: st.DrawFn) -> list[Report]:
    number = draw(st.integers(0, 9))
    return [
        report(
            f"r{n}" if draw(st.booleans()) else f"-{n}",
            source=draw(st.sampled_from(["feed", "form", "secret"])),
            provider=draw(st.sampled_from(["o2", "telekom"])),
            symptom=draw(TEXT),
            region=draw(st.sampled_from(["02000", "09162", ""])),
            observed_at=draw(TIMES),
            received_at=draw(TIMES),
            began_at=draw(st.none() | TIMES | st.just(datetime(1969, 12, 31, 23, 59, tzinfo=UTC))),
            ended_at=draw(st.none() | TIMES),
            counted=draw(st.booleans()),
        )
        for n in range(number)
    ]


@cache
def catalogue() -> Catalogue:
    """Not a fixture: hypothesis prints the arguments of a test, and this one is long."""
    return load_catalogue()


FILTERS = st.builds(
    Filter,
    provider=st.sampled_from(["", "o2"]),
    region=st.sampled_from(["", "02", "09162"]),
    since=st.none() | TIMES,
    as_of=st.none() | TIMES,
)


@settings(max_examples=25)
@given(given_=some_reports(), f=FILTERS, page=st.integers(1, 4), few=st.sampled_from([0, 1, 100]))
def test_both_ways_write_the_same_file(given_: list[Report], f: Filter, page: int, few: int) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(outgoing, "PAGE", page)
        patch.setattr(outgoing, "FEW", few)
        made = instance(Path(folder), catalogue())
        with made.store.write() as connection:
            sources.keep(connection, [Source("feed", republish="rows"), Source("secret", republish="counts")])
            reports.add(connection, given_)
        plain = b"".join(write_csv(rows(made, "reports", f), TABLES["reports"]))
        assert b"".join(download(made, "reports", "csv", f)) == plain
        made.store.close()


def test_an_end_that_was_not_known_yet_is_not_told(tmp_path: Path) -> None:
    made = instance(tmp_path, catalogue())
    with made.store.write() as connection:
        reports.add(connection, [report("a", source="form")])
        ends.add(connection, [End("a", at(60), at(61))])
    before, after = (b"".join(download(made, "reports", "csv", Filter(as_of=at(n)))) for n in (60, 61))
    assert b"08:40:00Z" not in before
    assert b"08:40:00Z" in after
    made.store.close()


def test_what_is_remembered_of_cells_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aggregator.export.reportcsv.MOST", 3)
    text = Written(str)
    assert [text[n] for n in range(10)] == [str(n) for n in range(10)]
    assert len(text) <= 3
