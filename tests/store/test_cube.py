"""Coverage: what was heard adds up by bucket, zero and not listening differ, and as_of does not peek."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from aggregator import frames
from aggregator.model import FeedRun, Filter
from aggregator.store import Store, cube, reports, runs
from tests.making import at, report


def shares(store: Store, as_of: float | None = None) -> dict[tuple[str, float], float]:
    """Return (source, minutes after Saturday 09:40) -> share."""
    with store.read() as connection:
        known = None if as_of is None else at(as_of)
        found = cube.listening(connection, at(-60), at(600), known)
    assert dict(found.dtypes.astype(str)) == dict(frames.LISTENING)
    rows: list[Any] = found.to_dict("records")
    minute = timedelta(minutes=1)
    return {(row["source"], (row["bucket"] - at(0)) / minute): round(row["share"], 6) for row in rows}


def run(start: float, end: float, *, finished: float | None = None, outcome: str = "ok") -> FeedRun:
    known = at(end if finished is None else finished)
    heard = (at(start), at(end)) if outcome == "ok" else (None, None)
    return FeedRun("feed", known, known, outcome, listened_from=heard[0], listened_until=heard[1])  # type: ignore[arg-type]


def keep(store: Store, *given_runs: FeedRun) -> None:
    with store.write() as connection:
        for one in given_runs:
            runs.add(connection, one)


def test_a_run_counts_for_the_part_of_each_bucket_that_it_heard(store: Store) -> None:
    keep(store, run(2, 11))
    assert shares(store) == {("feed", 0): 0.6, ("feed", 5): 1.0, ("feed", 10): 0.2}


def test_runs_add_up_to_one_at_most(store: Store) -> None:
    keep(store, run(0, 3), run(3, 5), run(5, 9), run(6, 10))
    assert shares(store) == {("feed", 0): 1.0, ("feed", 5): 1.0}


def test_a_dead_feed_is_not_heard(store: Store) -> None:
    keep(store, run(0, 10, outcome="unreachable"))
    assert shares(store) == {}


def test_an_empty_or_inverted_interval_notes_nothing(store: Store) -> None:
    keep(store, run(5, 5), run(7, 3))
    assert shares(store) == {}


def test_as_of_takes_only_the_runs_known_by_then(store: Store) -> None:
    keep(store, run(0, 5, finished=6), run(5, 10, finished=200))
    assert shares(store, as_of=5) == {}
    assert shares(store, as_of=6) == {("feed", 0): 1.0}
    assert shares(store, as_of=200) == shares(store) == {("feed", 0): 1.0, ("feed", 5): 1.0}


def test_our_own_doors_are_known_as_it_happens(store: Store) -> None:
    with store.write() as connection:
        cube.listen(connection, "form", at(0), at(20))
    assert shares(store, as_of=12.5) == {("form", 0): 1.0, ("form", 5): 1.0, ("form", 10): 0.5}


@given(st.integers(-10_000, 10_000), st.integers(1, 100_000))
def test_the_shares_of_an_interval_sum_to_its_length(start: int, length: int) -> None:
    begin, end = at(0) + timedelta(seconds=start), at(0) + timedelta(seconds=start + length)
    found = list(cube.shares(begin, end))
    assert abs(sum(share for _, share in found) - length / 300) < 1e-6
    assert all(0 < share <= 1 and bucket.minute % 5 == 0 and bucket.second == 0 for bucket, share in found)


def test_the_cube_as_of_keeps_whole_buckets_within_since_and_until(store: Store) -> None:
    with store.write() as connection:
        reports.add(connection, [report(f"r{n}", n) for n in range(15)])
    with store.read() as connection:
        for since, until in ((0, 15), (2, 12), (5, 10), (1, 4)):
            f = Filter(since=at(since), until=at(until))
            again = Filter(since=at(since), until=at(until), as_of=at(100))
            assert cube.frame(connection, f).equals(cube.frame(connection, again)), (since, until)
        assert cube.frame(connection, Filter(as_of=at(-1))).dtypes.astype(str).to_dict() == dict(frames.CUBE)


def test_totals_say_where_the_reports_of_a_provider_come_from(store: Store) -> None:
    with store.write() as connection:
        reports.add(connection, [report("a"), report("b", 9), report("c", source="form")])
        assert cube.span(connection) == (at(0), at(5))
    with store.read() as connection:
        for f in (Filter(), Filter(as_of=at(99))):
            assert cube.totals(connection, f).to_numpy().tolist() == [["o2", "feed", 2], ["o2", "form", 1]]


def test_an_empty_store_knows_of_no_time(store: Store) -> None:
    with store.read() as connection:
        assert cube.span(connection) is None
        assert cube.totals(connection, Filter()).empty
