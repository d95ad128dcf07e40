"""Reports: taken once, counted once in six hours, in the cube; out again by filter, page and stream."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator import frames
from aggregator.model import ALL, Filter, Report, Stream
from aggregator.store import Store, cube, open_store, reports
from tests.making import at, report


@contextmanager
def fresh() -> Iterator[Store]:
    """Open a store of its own: hypothesis runs a test many times."""
    with TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{Path(folder) / 'a.sqlite'}")
        yield store
        store.close()


def take(store: Store, *given_reports: Report) -> reports.Added:
    with store.write() as connection:
        return reports.add(connection, given_reports)


def counts(store: Store, f: Filter | None = None) -> pd.DataFrame:
    with store.read() as connection:
        return cube.frame(connection, f or Filter())


def ids(store: Store, f: Filter) -> list[str]:
    with store.read() as connection:
        return [row["report_id"] for row in reports.rows(connection, f)]


def test_a_report_seen_twice_is_stored_once(store: Store) -> None:
    assert len(take(store, report("a"), report("a"), report("b")).kept) == 2
    again = take(store, report("a"), report("c"))
    assert ([kept.report_id for kept in again.kept], again.duplicate) == (["c"], 1)
    assert ids(store, Filter()) == ["a", "b", "c"]


def test_a_reporter_counts_once_in_six_hours(store: Store) -> None:
    hours = [0, 1, 5.99, 6, 7]
    added = take(store, *(report(f"r{hour}", 60 * hour, reporter="p") for hour in hours))
    assert [kept.counted for kept in added.kept] == [True, False, False, True, False]


def test_the_six_hours_hold_across_transactions_and_backwards(store: Store) -> None:
    take(store, report("a", 600, reporter="p"), report("b", 0, reporter="p"))
    added = take(store, report("c", 900, reporter="p"), report("d", 300, reporter="p"), report("e", 960, reporter="p"))
    assert [kept.counted for kept in added.kept] == [False, False, True]


@pytest.mark.parametrize("other", [{"provider": "telekom"}, {"service": "portal"}, {"reporter": "q"}])
def test_another_provider_service_or_reporter_counts(store: Store, other: dict[str, str]) -> None:
    take(store, report("a", reporter="p"))
    assert take(store, report("b", 1, **{"reporter": "p", **other})).kept[0].counted


def test_without_a_key_each_report_is_its_own_reporter(store: Store) -> None:
    assert all(kept.counted for kept in take(store, report("a"), report("b"), report("c", 1)).kept)


def test_the_cube_holds_counted_reports_by_region_bucket_and_source(store: Store) -> None:
    take(store, report("a", 4, reporter="p"), report("b", 4.5, reporter="p"), report("c", 4.9), report("d", 5))
    take(store, report("e", 3, region=""), report("f", 4, source="form"), report("g", 0))
    found = counts(store)
    assert dict(found.dtypes.astype(str)) == dict(frames.CUBE)
    cells: list[Any] = found[["region", "bucket", "source", "count"]].to_numpy().tolist()
    assert cells == [
        ["", at(0), "feed", 1],
        ["02000", at(0), "feed", 3],
        ["02000", at(0), "form", 1],
        ["02000", at(5), "feed", 1],
    ]


def test_comments_stay_in_a_table_of_their_own(store: Store) -> None:
    take(store, report("a", comment="Seit heute früh tot"))
    with store.read() as connection:
        (row,) = reports.rows(connection, Filter())
        assert connection.exec_driver_sql("SELECT * FROM comments").fetchall() == [("a", "Seit heute früh tot")]
    assert not {"comment", "reporter", "block"} & set(row)


def test_filters_by_provider_service_region_land_and_time(store: Store) -> None:
    take(
        store,
        report("hh"),
        report("mue", 10, region="09162", provider="telekom"),
        report("nuer", 20, region="09564", service="portal"),
        report("nirgends", 30, region=""),
    )
    assert ids(store, Filter(provider="telekom")) == ["mue"]
    assert ids(store, Filter(provider=ALL, service="portal")) == ["nuer"]
    assert ids(store, Filter(region="09")) == ["mue", "nuer"]
    assert ids(store, Filter(region="02000")) == ["hh"]
    assert ids(store, Filter(since=at(10), until=at(30))) == ["mue", "nuer"]


def test_as_of_counts_again_from_what_was_known(store: Store) -> None:
    take(store, report("a", 0), report("late", 1, received_at=at(60)), report("c", 2))
    assert ids(store, Filter(as_of=at(30))) == ["a", "c"]
    assert counts(store, Filter(as_of=at(30)))["count"].tolist() == [2]
    assert counts(store, Filter(as_of=at(60)))["count"].tolist() == [3]


def test_pages_follow_one_another_without_gap_or_overlap(store: Store) -> None:
    take(store, *(report(f"r{n:02}", n // 3) for n in range(20)))
    pages, after = [], None
    while True:
        with store.read() as connection:
            page = list(reports.rows(connection, Filter(), after=after, limit=7))
        if not page:
            break
        pages += [row["report_id"] for row in page]
        after = reports.cursor(page[-1])
    assert pages == [f"r{n:02}" for n in range(20)]


@pytest.mark.parametrize("text", ["", "-", "abc", "12-", "x-y", "9" * 40 + "-a", "--1-a"])
def test_what_is_no_cursor_is_a_value_error(store: Store, text: str) -> None:
    with store.read() as connection, pytest.raises(ValueError):  # noqa: PT011
        list(reports.rows(connection, Filter(), after=text))


def test_only_the_sources_asked_for(store: Store) -> None:
    take(store, report("a"), report("b", source="form"))
    assert [row["report_id"] for row in reports.stream(store, Filter(), sources=["form"])] == ["b"]
    assert list(reports.stream(store, Filter(), sources=[])) == []


def test_the_frame_has_the_columns_and_types_of_reports_even_when_empty(store: Store) -> None:
    with store.read() as connection:
        assert dict(reports.frame(connection, Filter()).dtypes.astype(str)) == dict(frames.REPORTS)
    take(store, report("a", reporter="p", lat=None, lon=None), report("b", 1, reporter="p", began_at=at(-60)))
    with store.read() as connection:
        found = reports.frame(connection, Filter())
        counted = reports.frame(connection, Filter(), counted_only=True)
    assert dict(found.dtypes.astype(str)) == dict(frames.REPORTS)
    assert found["began_at"].tolist() == [pd.NaT, at(-60)]
    assert found["observed_at"].tolist() == [at(0), at(1)]
    assert counted["report_id"].tolist() == ["a"]


def seconds(moments: list[datetime]) -> list[float]:
    return [moment.timestamp() for moment in moments]


def test_times_of_a_stream_by_districts_or_nation(store: Store) -> None:
    take(
        store,
        report("a", 2, reporter="p"),
        report("b", 3, reporter="p"),
        report("c", 1, region="09162", service="portal"),
        report("d", 0, region=""),
    )
    with store.read() as connection:
        span = at(-10), at(10)
        assert reports.times(connection, Stream("o2", ALL), ["02000", "09162"], *span).tolist() == seconds(
            [at(1), at(2)]
        )
        assert reports.times(connection, Stream(ALL, ALL), None, *span).tolist() == seconds([at(0), at(1), at(2)])
        assert reports.times(connection, Stream("o2", "mobile"), None, at(0), at(2)).tolist() == seconds([at(0)])
        assert reports.times(connection, Stream("o2", "mobile"), None, *span, at(1)).tolist() == seconds([at(0)])


def test_names_of_open_providers_are_kept(store: Store) -> None:
    take(store, report("a", provider="stadtwerke-x", provider_name="Stadtwerke X"))
    with store.read() as connection:
        rows = connection.exec_driver_sql("SELECT id, name FROM provider_names").fetchall()
    assert rows == [("stadtwerke-x", "Stadtwerke X")]


some_reports = st.lists(
    st.builds(
        report,
        report_id=st.sampled_from("abcdefghijkl"),
        minutes=st.integers(0, 1500),
        reporter=st.sampled_from(["", "p", "q"]),
        region=st.sampled_from(["", "02000", "09162"]),
        provider=st.sampled_from(["o2", "telekom"]),
    ),
    max_size=30,
)


@given(some_reports, st.data())
@settings(deadline=None, max_examples=20)
def test_any_cut_into_transactions_keeps_and_counts_the_same(given_reports: list[Report], data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(given_reports)), max_size=5)))
    with fresh() as one, fresh() as many:
        whole = take(one, *given_reports)
        parts = [take(many, *given_reports[a:b]) for a, b in zip([0, *cuts], [*cuts, len(given_reports)], strict=True)]
        assert whole.kept == [kept for part in parts for kept in part.kept]
        assert whole.duplicate == sum(part.duplicate for part in parts)
        assert counts(one).equals(counts(many))
        assert take(one, *given_reports).kept == []


@given(some_reports)
@settings(deadline=None, max_examples=20)
def test_nothing_is_lost_and_the_cube_is_the_sum_of_counted_reports(given_reports: list[Report]) -> None:
    with fresh() as store:
        added = take(store, *given_reports)
        assert len(added.kept) + added.duplicate == len(given_reports)
        cells = Counter((r.region, r.provider) for r in added.kept if r.counted)
        assert counts(store).groupby(["region", "provider"])["count"].sum().to_dict() == dict(cells)
        again = counts(store, Filter(as_of=at(10_000)))
        assert again.equals(counts(store))


@given(some_reports)
@settings(deadline=None, max_examples=20)
def test_no_reporter_counts_twice_within_six_hours(given_reports: list[Report]) -> None:
    with fresh() as store:
        counted = [r for r in take(store, *given_reports).kept if r.reporter and r.counted]
    for i, one in enumerate(counted):
        for other in counted[i + 1 :]:
            same = (one.reporter, one.provider, one.service) == (other.reporter, other.provider, other.service)
            assert not same or abs(one.observed_at - other.observed_at) >= timedelta(hours=6)


@given(st.permutations([report(f"r{n}", n * 3, region=f"0{n % 3}000") for n in range(12)]))
@settings(deadline=None, max_examples=15)
def test_without_reporter_keys_the_order_of_arrival_does_not_matter(shuffled: list[Report]) -> None:
    with fresh() as one, fresh() as other:
        take(one, *sorted(shuffled, key=lambda r: r.report_id))
        take(other, *shuffled)
        assert counts(one).equals(counts(other))
