"""The intake: nothing is answered before it is stored, twice counts once, nobody waits long, it goes on by itself."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from aggregator.errors import StoreBusy
from aggregator.model import Filter, Report
from aggregator.record import End
from aggregator.store import Store, ends, open_store, reports
from aggregator.store.intake import HANGS, SEATS, Direct, Grouped, Intake, open_intake
from tests.making import at, report

pytestmark = pytest.mark.sqlite


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'n.sqlite'}")
    yield opened
    opened.close()


@contextmanager
def locked(store: Store) -> Iterator[None]:
    """Somebody else writes, and does not end."""
    with closing(sqlite3.connect(store.name, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def stored(store: Store) -> set[str]:
    with store.read() as connection:
        return {row["report_id"] for row in reports.rows(connection, Filter())}


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def at_once(intake: Intake, some: list[Report]) -> list[object]:
    """Send all at the same time; what is raised comes back as a value."""
    gate = threading.Barrier(len(some))

    def one(sent: Report) -> object:
        gate.wait()
        try:
            return intake.take(sent)
        except StoreBusy as error:
            return error

    with ThreadPoolExecutor(len(some)) as pool:
        return list(pool.map(one, some))


@pytest.mark.parametrize("kind", [Direct, Grouped])
def test_what_was_answered_is_stored_and_counted(store: Store, kind: type[Direct | Grouped]) -> None:
    with closing(kind(store)) as intake:
        assert at_once(intake, [report(str(n)) for n in range(40)]) == [True] * 40
        assert stored(store) == {str(n) for n in range(40)}
        assert (intake.figures().stored, intake.figures().waiting) == (40, 0)


def test_many_that_wait_share_a_commit(store: Store) -> None:
    with closing(Grouped(store)) as intake, ThreadPoolExecutor(8) as pool:
        with locked(store):
            taken = [pool.submit(intake.take, report(str(n))) for n in range(8)]
            until(lambda: intake.figures().waiting == 8)
            assert stored(store) == set()
        assert [one.result() for one in taken] == [True] * 8
        assert intake.figures().commits == 1


@pytest.mark.parametrize("kind", [Direct, Grouped])
def test_one_that_is_sent_twice_at_once_is_new_once(store: Store, kind: type[Direct | Grouped]) -> None:
    with closing(kind(store)) as intake:
        answers = at_once(intake, [report(str(n % 4)) for n in range(16)])
    assert answers.count(True) == 4
    assert answers.count(False) == 12
    assert len(stored(store)) == 4


def test_a_report_and_its_end_may_come_together(store: Store) -> None:
    with closing(Grouped(store)) as intake:
        assert intake.take(report("a"))
        assert intake.take(End("a", at(5), at(5)))
        assert not intake.take(End("a", at(9), at(9)))
    with store.read() as connection:
        assert ends.of(connection, "a") == at(5)


def test_one_that_cannot_be_stored_does_its_neighbours_no_harm(store: Store) -> None:
    bad = report("bad", comment="\ud800")
    with closing(Grouped(store)) as intake, ThreadPoolExecutor(3) as pool:
        with locked(store):
            taken = [pool.submit(intake.take, one) for one in (report("a"), bad, report("b"))]
            until(lambda: intake.figures().waiting == 3)
        assert (taken[0].result(), taken[2].result()) == (True, True)
        with pytest.raises(ValueError, match="surrogates"):
            taken[1].result()
        assert intake.take(report("c"))
    assert stored(store) == {"a", "b", "c"}


def test_nobody_waits_longer_than_the_patience_and_what_was_sent_away_is_not_stored(store: Store) -> None:
    with closing(Grouped(store, patience=HANGS + 0.2)) as intake:
        with locked(store):
            with pytest.raises(StoreBusy):
                intake.take(report("a"))
            begun = time.monotonic()
            with pytest.raises(StoreBusy):
                intake.take(report("b"))
            assert time.monotonic() - begun < HANGS  # it is known by now that it hangs
            assert "locked" in intake.figures().trouble
        until(lambda: not intake.figures().trouble)
        assert intake.take(report("c"))
        assert (stored(store), intake.figures().refused) == ({"c"}, 2)


def test_those_who_wait_for_a_writer_that_hangs_leave_threads_to_the_readers(store: Store) -> None:
    with closing(Grouped(store)) as intake, locked(store), ThreadPoolExecutor(16) as pool:
        taken = [pool.submit(intake.take, report(str(n))) for n in range(16)]
        until(lambda: sum(one.done() for one in taken) == 16 - SEATS)
        assert intake.figures().waiting == SEATS
        with pytest.raises(StoreBusy):
            intake.take(report("one more"))


def test_more_than_may_wait_are_sent_away_at_once(store: Store) -> None:
    with closing(Grouped(store, most=2)) as intake, ThreadPoolExecutor(2) as pool:
        with locked(store):
            taken = [pool.submit(intake.take, report(str(n))) for n in range(2)]
            until(lambda: intake.figures().waiting == 2)
            with pytest.raises(StoreBusy):
                intake.take(report("c"))
        assert [one.result() for one in taken] == [True, True]


def test_a_database_that_is_gone_takes_nothing_and_goes_on_when_it_is_back(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home, away = Path(store.name), tmp_path / "away"
    with closing(Grouped(store)) as intake:
        assert intake.take(report("a"))
        home.rename(away)
        for _ in range(5):
            with pytest.raises(StoreBusy, match="the database is gone"):
                intake.take(report("b"))
        assert not home.exists()
        away.rename(home)
        until(lambda: not intake.figures().trouble)
        assert intake.take(report("c"))
    assert stored(store) == {"a", "c"}
    said = [record.message for record in caplog.records if record.name == "netzlage.store"]
    assert len(said) == 2
    assert "gone from its folder" in said[0]
    assert "again" in said[1]


def test_what_waits_when_it_is_closed_is_stored_and_nothing_is_taken_any_more(store: Store) -> None:
    intake = open_intake(store)
    with ThreadPoolExecutor(8) as pool:
        with locked(store):
            taken = [pool.submit(intake.take, report(str(n))) for n in range(8)]
            until(lambda: intake.figures().waiting == 8)
            closer = pool.submit(intake.close)
        closer.result()
        assert [one.result() for one in taken] == [True] * 8
        with pytest.raises(StoreBusy, match="stopped"):
            intake.take(report("late"))
    assert len(stored(store)) == 8


def test_a_writer_that_died_is_followed_by_another(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(Grouped(store, patience=HANGS + 0.1)) as intake:
        monkeypatch.setattr(threading, "excepthook", lambda _: None)
        monkeypatch.setattr("aggregator.store.intake.put", lambda *_: _die())
        with suppress(StoreBusy):
            intake.take(report("a"))
        monkeypatch.undo()
        until(lambda: _taken(intake))
    assert "b" in stored(store)


def _die() -> None:
    raise MemoryError


def _taken(intake: Intake) -> bool:
    try:
        return intake.take(report("b"))
    except StoreBusy:
        return False
