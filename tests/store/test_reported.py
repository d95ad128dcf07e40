"""What a look reads once, a column as one text, is what the store says when it is asked row by row."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import select

from aggregator.model import ALL, Filter, Report, Stream
from aggregator.store import Store, cube, packed, reported, reports, versions
from aggregator.store.crowds import BLOCK, TEXT, Crowd
from aggregator.store.schema import EPOCH, MICROSECOND
from aggregator.store.schema import reports as table
from aggregator.store.versions import Ledger
from aggregator.witnesses import Usual, see
from tests.making import at, report

LONG = "Bitte alle hier melden, nichts geht"
SPAN = at(-60), at(60)
DAY = Filter(since=SPAN[0], until=SPAN[1])
TV, MOBILE = Stream("o2", "tv"), Stream("o2", "mobile")
STREAMS = [Stream(ALL, ALL), Stream("o2", ALL), MOBILE, TV, Stream("kabel-ö", ALL), Stream("x", "tv")]


def take(store: Store, *given: Report) -> None:
    with store.write() as connection:
        reports.add(connection, given)


def some() -> list[Report]:
    """Return reports in no order of time, of several streams, with and without a place, a block and a text."""
    return [
        report("a", 30, block="b1", comment=LONG),
        report("b", 3.000001, block="b1", comment="kurz"),
        report("c", -59.99, service="tv", block="b2", region="09162", place_source="ip"),
        report("d", 12, service="tv", block="b2", region="", comment=LONG),
        report("e", 5, service="tv", block="", comment=LONG, received_at=at(20)),
        report("f", 5, provider="kabel-ö", block="b1"),
        report("g", 60, block="b1"),
        report("h", 31, block="b1", reporter="p"),
        report("i", 32, block="b1", reporter="p"),  # not counted: the same person again
    ]


@pytest.mark.parametrize("regions", [None, ["02000"], ["09162", "02000"], ["01001"]])
@pytest.mark.parametrize("since", [-60, 4, 12])
@pytest.mark.parametrize("as_of", [None, at(15)])
def test_times_are_those_of_the_store(
    store: Store, regions: list[str] | None, since: float, as_of: datetime | None
) -> None:
    take(store, *some())
    with store.read() as connection:
        seen = reported.read(connection, BLOCK, replace(DAY, as_of=as_of))
        for stream in STREAMS:
            asked = stream, regions, at(since), at(31)
            assert seen.times(*asked).tolist() == reports.times(connection, *asked, as_of).tolist()


@pytest.mark.parametrize("regions", [None, ["02000"]])
def test_of_earlier_reports_than_it_has_read_a_look_asks_the_store(store: Store, regions: list[str] | None) -> None:
    take(store, *some())
    with store.read() as connection:
        seen = see(connection, at(5), at(60), None, Usual(at(0)))
        for since in (-60, 3, 5, 12):
            asked = Stream("o2", ALL), regions, at(since), at(60)
            assert seen.times(*asked).tolist() == reports.times(connection, *asked).tolist()


def test_crowds_share_a_block_or_a_long_text_within_a_stream(store: Store) -> None:
    take(store, *some())
    with store.read() as connection:
        blocks, texts = (reported.read(connection, kind, DAY) for kind in (BLOCK, TEXT))
    assert list(blocks.crowds(*SPAN, 2)) == [
        Crowd(MOBILE, BLOCK, "b1", 3),
        Crowd(TV, BLOCK, "b2", 2),
    ]
    assert list(texts.crowds(*SPAN, 2)) == [Crowd(TV, TEXT, LONG, 2)]
    assert list(blocks.crowds(at(0), at(31), 2)) == [Crowd(MOBILE, BLOCK, "b1", 2)]
    assert [blocks.most(stream, None, *SPAN) for stream in STREAMS] == [4, 3, 3, 2, 1, 0]
    assert [texts.most(stream, None, *SPAN) for stream in STREAMS] == [3, 3, 1, 2, 0, 0]
    assert blocks.most(TV, ["09162"], *SPAN) == 1
    assert [blocks.placed_by_address(TV, of, *SPAN) for of in (None, ["09162"], ["02000"])] == [1, 1, 0]


def test_what_has_no_block_is_no_crowd(store: Store) -> None:
    take(store, *(report(f"r{n}", n) for n in range(5)))
    with store.read() as connection:
        seen = reported.read(connection, BLOCK, DAY)
    assert list(seen.crowds(*SPAN, 1)) == []
    assert seen.most(Stream(ALL, ALL), None, *SPAN) == 0
    assert len(seen.times(Stream(ALL, ALL), None, *SPAN)) == 5


def test_without_leaves_reports_out(store: Store) -> None:
    take(store, *some())
    with store.read() as connection:
        seen = reported.read(connection, TEXT, DAY, without=["d", "a"])
    assert seen.times(Stream(ALL, ALL), None, *SPAN).tolist() == [at(5).timestamp()]


def test_what_its_source_took_back_is_not_there_but_as_of_before(store: Store) -> None:
    with store.write() as connection:
        given = versions.revise(connection, [report("a")], Ledger({"a": "print"}), at(0))
        reports.add(connection, given)
        versions.withdraw(connection, ["a"], at(10))
        now, before = (reported.read(connection, BLOCK, replace(DAY, as_of=as_of)) for as_of in (None, at(9)))
    assert [len(seen.times(Stream(ALL, ALL), None, *SPAN)) for seen in (now, before)] == [0, 1]


def test_of_an_empty_store_there_is_nothing(store: Store) -> None:
    with store.read() as connection:
        seen = reported.read(connection, TEXT, DAY)
        assert cube.cells(connection, DAY).empty
    assert seen.times(Stream(ALL, ALL), None, *SPAN).tolist() == []
    assert seen.most(Stream(ALL, ALL), None, *SPAN) == 0
    assert list(seen.crowds(*SPAN, 1)) == []


def test_packed_columns_hold_what_the_rows_do(store: Store) -> None:
    take(store, *some(), report("early", -(47 * 365.25 + 1) * 24 * 60, block='a "b", \\c\n'))
    c = table.c
    query = select(c.report_id, c.block, c.region, c.observed_at)
    with store.read() as connection:
        rows = {row.report_id: tuple(row) for row in connection.execute(query)}
        found = packed.frame(connection, query)
    moments = [EPOCH + n * MICROSECOND for n in found["observed_at"].tolist()]
    texts = (found[name].tolist() for name in ("report_id", "block", "region"))
    assert {row[0]: row for row in zip(*texts, moments, strict=True)} == rows


@pytest.mark.parametrize(
    "asked", [DAY, Filter(), Filter("o2", "tv"), replace(DAY, as_of=at(15)), Filter(region="09162")]
)
def test_the_cells_are_those_of_the_frame(store: Store, asked: Filter) -> None:
    take(store, *some(), report("far", 9000, region="99999", source="form"))
    with store.read() as connection:
        frame, cells = cube.frame(connection, asked), cube.cells(connection, asked)
    keys = ["bucket", "region", "provider", "service", "source"]
    found = cells.astype(dict(frame.dtypes)).sort_values(keys, ignore_index=True)
    assert found.equals(frame.sort_values(keys, ignore_index=True))
    assert len(frame)
