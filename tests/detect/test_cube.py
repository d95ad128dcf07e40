"""Counting conserves: what goes in comes out, in any order, in every wider stream."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from aggregator.detect.cube import NOT_LOCATED, bucket_number, bucket_start, by_stream, count_cube, narrower
from aggregator.frames import REPORTS, conform, empty
from aggregator.model import ALL, Stream

START = datetime(2017, 5, 13, tzinfo=UTC)
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["o2", "telekom"]),
        st.sampled_from(["mobile", "tv"]),
        st.sampled_from(["02000", "09162", ""]),
        st.sampled_from(["form", "feed"]),
        st.integers(0, 7200),
        st.booleans(),
    ),
    max_size=40,
)


def frame(rows: list[tuple[str, str, str, str, int, bool]]) -> pd.DataFrame:
    names = ["provider", "service", "region", "source", "seconds", "counted"]
    table = pd.DataFrame(rows, columns=names)
    table["observed_at"] = pd.to_datetime(table["seconds"].astype(float) + START.timestamp(), unit="s", utc=True)
    table["began_at"] = table["received_at"] = table["observed_at"]
    table["lat"] = table["lon"] = None
    for name in REPORTS:
        if name not in table:
            table[name] = ""
    return conform(table, REPORTS)


@given(ROWS)
def test_the_cube_holds_exactly_the_counted_reports(rows: list[tuple[str, str, str, str, int, bool]]) -> None:
    cube = count_cube(frame(rows)) if rows else empty(REPORTS).pipe(count_cube)
    assert cube["count"].sum() == sum(row[-1] for row in rows)


@given(ROWS)
def test_the_order_of_reports_does_not_matter(rows: list[tuple[str, str, str, str, int, bool]]) -> None:
    if rows:
        pd.testing.assert_frame_equal(count_cube(frame(rows)), count_cube(frame(rows[::-1])))


@given(ROWS)
def test_each_wider_stream_holds_all_of_the_narrower(rows: list[tuple[str, str, str, str, int, bool]]) -> None:
    streams = by_stream(count_cube(frame(rows)), ["02000", "09162"]) if rows else {}
    total = sum(row[-1] for row in rows)
    assert sum(cells.count.sum() for s, cells in streams.items() if s.service != ALL) == total
    for wide in (s for s in streams if s.service == ALL):
        assert streams[wide].count.sum() == sum(streams[s].count.sum() for s in narrower(wide, streams))


def test_sources_are_added_up_within_a_cell_and_what_has_no_place_keeps_a_cell() -> None:
    rows = [("o2", "tv", "02000", source, 10, True) for source in ("form", "feed")] + [
        ("o2", "tv", "", "form", 10, True)
    ]
    cells = by_stream(count_cube(frame(rows)), ["02000"])[Stream("o2", "tv")]
    assert cells.region.tolist() == [NOT_LOCATED, 0]
    assert cells.count.tolist() == [1.0, 2.0]


def test_a_bucket_begins_at_full_five_minutes() -> None:
    assert bucket_start(bucket_number(START + timedelta(minutes=9, seconds=59))) == START + timedelta(minutes=5)
