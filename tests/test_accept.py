"""The one door: nothing is lost, nothing is stored twice, and store, cube and coverage change together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.catalogue import Catalogue, load_catalogue
from aggregator.instance import Instance
from aggregator.model import FeedRun, Filter, RawReport, Rejected
from aggregator.pipeline import Outcome, accept
from aggregator.store import cube, reports, runs
from tests.making import at, instance, raw


@cache
def catalogue() -> Catalogue:
    return load_catalogue()


@contextmanager
def fresh() -> Iterator[Instance]:
    with TemporaryDirectory() as folder:
        made = instance(Path(folder), catalogue())
        yield made
        made.store.close()


@pytest.fixture
def netzlage() -> Iterator[Instance]:
    with fresh() as made:
        yield made


def stored(netzlage: Instance) -> int:
    with netzlage.store.read() as connection:
        return reports.count(connection, Filter())


def total(outcome: Outcome) -> int:
    return outcome.kept + outcome.duplicate + sum(outcome.rejected.values())


def test_kept_duplicate_and_rejected_are_told_with_reason_and_line(netzlage: Instance) -> None:
    cut_off = Rejected("bad_row", "Line 9 has 2 of 5 columns.", where="line 9")
    items: list[RawReport | Rejected] = [raw(key="1"), raw(key="1")]
    items += [raw(key="2", service="x", where="line 4"), cut_off, raw(key="3", plz="")]
    outcome = accept(netzlage, items)
    assert (outcome.kept, outcome.duplicate, outcome.rejected) == (2, 1, {"unknown_service": 1, "bad_row": 1})
    assert [item.where for item in outcome.rejects] == ["line 4", "line 9"]
    assert [report.region for report in outcome.new] == ["02000", ""]


def test_new_reports_come_along_only_when_they_are_few(netzlage: Instance) -> None:
    assert len(accept(netzlage, [raw(key=str(n)) for n in range(100)], batch=30).new) == 100
    assert accept(netzlage, [raw(key=f"b{n}") for n in range(101)], batch=30).new == ()


def test_equal_items_without_keys_are_all_kept_once(netzlage: Instance) -> None:
    file = [raw()] * 5 + [raw(plz="80331")] * 2
    assert accept(netzlage, file, batch=2).kept == 7
    again = accept(netzlage, file, batch=3)
    assert (again.kept, again.duplicate, stored(netzlage)) == (0, 7, 7)


def test_a_run_is_stored_with_its_counts_in_the_last_transaction(netzlage: Instance) -> None:
    run = FeedRun("feed", at(0), at(1), "ok", listened_from=at(-5), listened_until=at(0), rejected={"bad_time": 2})
    outcome = accept(netzlage, [raw(key="1"), raw(key="1"), raw(key="2", plz="x")], run=run)
    expected = replace(run, kept=1, duplicate=1, rejected={"bad_time": 2, "unknown_place": 1}, fetched=5)
    assert outcome.run == expected
    with netzlage.store.read() as connection:
        assert runs.latest(connection) == {"feed": expected}
        assert cube.listening(connection, at(-60), at(60))["share"].tolist() == [1.0]


def test_a_run_that_brought_nothing_is_stored_too(netzlage: Instance) -> None:
    accept(netzlage, [], run=FeedRun("feed", at(0), at(1), "ok", listened_from=at(-5), listened_until=at(0)))
    with netzlage.store.read() as connection:
        assert runs.latest(connection)["feed"].fetched == 0
        assert len(cube.listening(connection, at(-60), at(60))) == 1


def test_what_breaks_half_way_leaves_whole_batches_and_no_coverage(netzlage: Instance) -> None:
    def breaking() -> Iterator[RawReport]:
        yield from (raw(key=str(n)) for n in range(25))
        raise OSError

    run = FeedRun("feed", at(0), at(1), "ok", listened_from=at(-5), listened_until=at(0))
    with pytest.raises(OSError):  # noqa: PT011
        accept(netzlage, breaking(), run=run, batch=10)
    assert stored(netzlage) == 10  # the second batch waits until it is known whether it is the last
    with netzlage.store.read() as connection:
        assert cube.listening(connection, at(-60), at(60)).empty
        assert cube.frame(connection, Filter())["count"].sum() == 10


def test_the_span_of_a_whole_file_counts_as_heard(netzlage: Instance) -> None:
    file = [raw(key="1", observed_at=at(7)), raw(key="2", observed_at=at(22))]
    run = FeedRun("import", netzlage.clock.now(), netzlage.clock.now(), "ok")
    outcome = accept(netzlage, file, run=run, whole=True)
    assert outcome.run
    assert (outcome.run.listened_from, outcome.run.listened_until) == (at(5), at(25))
    with netzlage.store.read() as connection:
        assert len(cube.listening(connection, at(0), at(60))) == 4
        assert cube.listening(connection, at(0), at(60), at(60)).empty  # nobody knew of the file at that time


def test_a_file_with_times_of_receipt_was_heard_as_it_happened(netzlage: Instance) -> None:
    file = [raw(source="import", key=str(n), observed_at=at(n), received_at=at(n)) for n in (0, 29)]
    now = netzlage.clock.now()
    accept(netzlage, file, run=FeedRun("import", now, now, "ok"), whole=True)
    with netzlage.store.read() as connection:
        assert len(cube.listening(connection, at(0), at(60), at(15))) == 3


keyed = st.builds(
    raw,
    key=st.sampled_from([str(n) for n in range(15)]),
    provider=st.sampled_from(["o2", "telekom", "nobody knows"]),
    plz=st.sampled_from(["20095", "80331", "", "x"]),
    observed_at=st.integers(0, 600).map(at),
    reporter=st.sampled_from(["", "p", "q"]),
)
keyless = st.builds(
    raw, plz=st.sampled_from(["20095", "80331", "x"]), observed_at=st.sampled_from([at(0), at(0.5), at(7)])
)


@given(st.lists(keyed | keyless, max_size=25), st.integers(1, 12), st.integers(1, 12))
@settings(deadline=None, max_examples=20)
def test_everything_given_is_accounted_for_and_taking_it_again_changes_nothing(
    items: list[RawReport], batch: int, other: int
) -> None:
    with fresh() as netzlage:
        outcome = accept(netzlage, items, batch=batch)
        assert total(outcome) == len(items)
        assert stored(netzlage) == outcome.kept
        counts = cube_of(netzlage)
        again = accept(netzlage, items, batch=other)
        assert (again.kept, again.rejected) == (0, outcome.rejected)
        assert cube_of(netzlage).equals(counts)


@given(st.lists(keyed, max_size=25), st.lists(st.integers(0, 25), max_size=4))
@settings(deadline=None, max_examples=20)
def test_any_cut_into_calls_stores_the_same(items: list[RawReport], cuts: list[int]) -> None:
    ends = sorted({*(cut for cut in cuts if cut < len(items)), len(items)})
    with fresh() as one, fresh() as many:
        whole = accept(one, items)
        parts = [accept(many, items[a:b]) for a, b in zip([0, *ends[:-1]], ends, strict=True)]
        assert (whole.kept, whole.duplicate) == (sum(p.kept for p in parts), sum(p.duplicate for p in parts))
        assert cube_of(one).equals(cube_of(many))


def cube_of(netzlage: Instance) -> Any:
    """Return the cube, checked against the counted reports."""
    with netzlage.store.read() as connection:
        found = cube.frame(connection, Filter())
        assert found["count"].sum() == len(reports.frame(connection, Filter(), counted_only=True))
    return found
