"""Nothing that comes through any door breaks the house or leaves a row half written; many more: benchmarks/fuzz.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aggregator.errors import FeedChanged
from aggregator.store.schema import reports
from ingest.parsers import PARSERS
from tests.fuzzing import TARGETS, Here, check_whole, fuzz, opened


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Here]:
    with opened(tmp_path) as made:
        yield made


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_breaks_it(here: Here, name: str) -> None:
    assert fuzz(name, here, 25, 1) >= 25
    check_whole(here.instance)


def test_a_parser_that_breaks_is_found(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(payload: bytes, *_more: object) -> None:
        raise FeedChanged("A sentence.") if payload else IndexError(payload)

    monkeypatch.setitem(PARSERS, "rss", broken)
    with pytest.raises(IndexError):
        fuzz("parser rss", here, 400, 1)


def test_a_row_half_written_is_found(here: Here) -> None:
    fuzz("import csv", here, 60, 1)
    assert check_whole(here.instance) > 0
    with here.instance.store.write() as connection:
        connection.execute(reports.delete())
    with pytest.raises(AssertionError, match="in the cube"):
        check_whole(here.instance)
