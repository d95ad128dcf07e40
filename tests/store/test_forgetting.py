"""What is known of persons goes in time, from the tables and from the file, and nothing else changes."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from aggregator.model import ALL, FeedOutcome, FeedRun, Filter, Report, Stream
from aggregator.persons import FORGOTTEN, Persons
from aggregator.retention import forget
from aggregator.store import Store, behind, daykeys, incidents, reported, reports, runs
from aggregator.store.crowds import TEXT
from aggregator.store.schema import comments, day_keys, reporters
from aggregator.store.schema import reports as table
from tests.making import incident, report
from tests.stores import ON_SQLITE

NOON = datetime(2017, 5, 13, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def keep(store: Store, *given: Report) -> None:
    with store.write() as connection:
        reports.add(connection, given)


def received(at: datetime, name: str = "", **values: Any) -> Report:
    return report(name or at.isoformat(), observed_at=at, received_at=at, **values)


def blocks(store: Store) -> dict[str, str]:
    with store.read() as connection:
        return {row.report_id: row.block for row in connection.execute(select(table.c.report_id, table.c.block))}


def test_a_reporter_is_forgotten_after_24_hours(store: Store) -> None:
    keep(store, received(NOON - DAY, "at the edge", reporter="a"), received(NOON - DAY - HOUR, "over", reporter="b"))
    assert forget(store, NOON).reporters == 1
    with store.read() as connection:
        left = connection.execute(select(table.c.report_id).where(table.c.reporter != FORGOTTEN)).scalars().all()
        counted = connection.execute(select(reporters.c.reporter)).scalars().all()
    assert (list(left), list(counted)) == (["at the edge"], ["a"])


def test_blocks_of_a_day_become_numbers_that_keep_them_together(store: Store) -> None:
    morning, evening = NOON - DAY - 11 * HOUR, NOON - DAY + 11 * HOUR
    keep(
        store,
        *(received(at, f"{name} {at:%H}", block=name) for at in (morning, evening) for name in ("one", "two")),
        received(NOON - HOUR, "today", block="one"),
        received(NOON - 2 * DAY, "the day before", block="one"),
        received(NOON - DAY, "nobody", block=""),
    )
    assert forget(store, NOON).blocks == 5
    found = blocks(store)
    assert found["today"] == "one"
    assert found["nobody"] == ""
    assert found["one 01"] == found["one 23"] != found["two 01"] == found["two 23"]
    assert found["one 01"] != found["the day before"]
    assert all(value.startswith("~") for name, value in found.items() if name not in {"today", "nobody"})
    assert forget(store, NOON + HOUR).blocks == 0
    assert blocks(store) == found


def test_more_blocks_than_fit_into_a_transaction_stay_together(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aggregator.store.forgetting.AT_A_TIME", 7)
    at = NOON - DAY
    keep(store, *(received(at + n * timedelta(seconds=1), f"{n}", block=f"b{n % 10}") for n in range(100)))
    assert forget(store, NOON).blocks == 100
    together = defaultdict(set)
    for name, block in blocks(store).items():
        together[block].add(int(name) % 10)
    assert sorted(map(len, together.values())) == [1] * 10


def test_a_place_is_its_district_after_30_days_and_says_still_how_it_was_found(store: Store) -> None:
    keep(store, received(NOON - 30 * DAY - HOUR, "old"), received(NOON - 30 * DAY + HOUR, "new"))
    assert forget(store, NOON).places == 1
    with store.read() as connection:
        old, new = reports.rows(connection, Filter())
    assert (old["report_id"], old["plz"], old["lat"], old["lon"]) == ("old", "", None, None)
    assert (old["region"], old["place_source"]) == ("02000", "plz")
    assert (new["plz"], new["lat"]) == ("20095", 53.55)


def test_a_comment_is_forgotten_after_90_days(store: Store) -> None:
    keep(
        store,
        received(NOON - 90 * DAY, "old", comment="alt"),
        received(NOON - 89 * DAY, "new", comment="neu"),
    )
    assert forget(store, NOON).comments == 1
    with store.read() as connection:
        assert list(connection.execute(select(comments.c.comment)).scalars()) == ["neu"]


def test_of_copies_it_stays_known_that_they_were_copies(store: Store) -> None:
    text = "Bitte alle hier melden, nichts geht"
    times = [NOON - 90 * DAY + n * HOUR for n in range(-3, 4)]
    keep(store, *(received(at, f"copy {n}", comment=text) for n, at in enumerate(times)))
    keep(store, received(times[0], "alone", comment="Das schreibt sonst niemand so"))
    keep(store, *(received(times[n], f"short {n}", comment="geht nicht") for n in range(2)))
    assert forget(store, NOON).comments == 10
    with store.read() as connection:
        left = connection.execute(select(comments.c.report_id, comments.c.comment)).all()
        window = Filter(since=times[0], until=times[-1] + HOUR)
        known = reported.read(connection, TEXT, window)
        assert known.most(Stream(ALL, ALL), None, times[0], times[-1] + HOUR) == 7
    assert sorted(row.report_id for row in left) == [f"copy {n}" for n in range(7)]
    assert len({row.comment for row in left}) == 1
    assert text not in left[0].comment
    assert forget(store, NOON + HOUR).comments == 0


@pytest.mark.parametrize(("hour", "left"), [(0, 2), (5, 2), (6, 1), (23, 1)])
def test_the_key_of_a_day_lives_six_hours_longer(store: Store, hour: int, left: int) -> None:
    midnight = datetime(2017, 5, 13, tzinfo=UTC)
    with store.write() as connection:
        for days in range(4):
            daykeys.make(connection, (midnight - days * DAY).date())
    assert forget(store, midnight + hour * HOUR).keys == 4 - left
    with store.read() as connection:
        found = sorted(connection.execute(select(day_keys.c.day)).scalars())
    assert found == [midnight.date() - n * DAY for n in reversed(range(left))]


@ON_SQLITE
def test_what_is_forgotten_is_in_no_byte_of_the_files(store: Store, tmp_path: Path) -> None:
    secret = "Kommentar-der-weg-muss"
    key = Persons(b"k").reporter("Anna")
    with store.write() as connection:
        day_key = daykeys.make(connection, (NOON - 100 * DAY).date())
    keep(store, received(NOON - 100 * DAY, comment=secret, reporter=key, plz="20457", block="blockname"))
    traces = [secret.encode(), key.encode(), b"20457", b"blockname", day_key]
    before = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert all(trace in before for trace in traces)
    forget(store, NOON)
    after = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert [trace for trace in traces if trace in after] == []


def test_the_counts_stay_as_they_were(store: Store) -> None:
    keep(store, *(received(NOON - n * DAY, reporter=f"{n}", block="b", comment="c") for n in range(100)))
    with store.read() as connection:
        before = connection.execute(text("select region, bucket, provider, service, source, count from cube")).all()
    assert len(before) == 100
    forget(store, NOON)
    with store.read() as connection:
        after = connection.execute(text("select region, bucket, provider, service, source, count from cube")).all()
        assert reports.count(connection, Filter()) == 100
    assert after == before


def test_three_reports_of_one_person_are_no_three_persons_when_it_is_forgotten(store: Store) -> None:
    times = [NOON - 2 * DAY + n * 6 * HOUR for n in range(-1, 2)]
    one = [received(at, f"one {at}", reporter="one", plz="20457") for at in times]
    many = [received(times[1], f"many {n}", reporter=f"{n}", plz="20095") for n in range(7)]
    keep(store, *one, *many)
    known = incident(onset=times[0], updated_at=NOON, ended_at=times[2] + HOUR, state="over")
    with store.write() as connection:
        incidents.save(connection, [known], [])
    with store.read() as connection:
        before = behind.behind(connection, known)
    assert (before.postcodes, before.reports) == ({"20095": 6}, 10)
    for hours in (0, 1, 30 * 24):
        forget(store, NOON + hours * HOUR)
        with store.read() as connection:
            after = behind.behind(connection, known)
        assert (after.postcodes, after.reports, after.persons) == ({"20095": 6}, 10, None)


def test_runs_of_feeds_are_forgotten_but_the_last_of_each_outcome(store: Store) -> None:
    def run(source: str, days: int, outcome: FeedOutcome, error: str = "") -> FeedRun:
        at = NOON - days * DAY
        return FeedRun(source, at, at, outcome, listened_from=at - HOUR, listened_until=at, error=error)

    with store.write() as connection:
        for one in (run("a", 200, "ok"), run("a", 150, "ok"), run("a", 120, "unreachable", "x"), run("b", 91, "ok")):
            runs.add(connection, one)
        for days in (89, 1):
            runs.add(connection, run("b", days, "ok"))
    forget(store, NOON)
    with store.read() as connection:
        left = [one for name in "ab" for one in runs.recent(connection, name, 9)]
        assert runs.last_error(connection).keys() == {"a"}
    ages = [(one.source, (NOON - one.finished_at).days) for one in left]
    assert ages == [("a", 120), ("a", 150), ("b", 1), ("b", 89)]
