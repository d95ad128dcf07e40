"""A look back over day files finds what one process finds in the whole table, whoever does the work, stopped or not."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from aggregator.detect.calibrate import SHIPPED, Calibration
from aggregator.detect.span import Prepared
from aggregator.errors import DataError, SettingsError
from aggregator.history import replay as module
from aggregator.history.folder import known
from aggregator.history.hands import Alone, Hands, hands
from aggregator.history.replay import Watch
from tests.history.scene import BEGIN, END, FAULT, HISTORY, look_back, plainly, table, write

# Dask looks for a free port with a socket that it leaves to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")


@pytest.fixture(autouse=True)
def _thresholds_that_are_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "calibrated", lambda *_: SHIPPED)


@pytest.fixture(scope="module")
def two() -> Iterator[Hands]:
    with hands(2) as found:
        yield found


@pytest.mark.parametrize("late", [False, True])
def test_many_processes_one_process_and_a_whole_table_find_the_same(tmp_path: Path, two: Hands, *, late: bool) -> None:
    reports = table(late=late)
    expected = plainly(reports)
    assert any(i.onset <= FAULT + timedelta(minutes=30) and (i.ended_at or END) > FAULT for i in expected)
    assert look_back(write(tmp_path / "one", reports), Alone()) == expected
    assert look_back(write(tmp_path / "two", reports, two), two) == expected
    sums = [{name: file.sha256 for name, file in known(tmp_path / folder).items()} for folder in ("one", "two")]
    assert sums[0] == sums[1]


def test_a_report_that_is_late_is_not_seen_before(tmp_path: Path) -> None:
    on_time, behind = (
        look_back(write(tmp_path / str(late), table(late=late)), Alone())[0].first_alarm_at for late in (False, True)
    )
    assert behind >= on_time + timedelta(minutes=5)


class StoppedError(Exception):
    """Somebody pressed Ctrl-C."""


def stop_after(days: int) -> Watch:
    seen: list[datetime] = []

    def day(at: datetime) -> None:
        seen.append(at)
        if len(seen) == days:
            raise StoppedError

    return Watch(day=day)


def test_stopped_in_the_middle_it_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(tmp_path, table())
    with pytest.raises(StoppedError):
        look_back(folder, Alone(), stop_after(3))
    days, finish = [], module._finish

    def seen(run: Any, turn: Any, incidents: Any) -> Any:
        days.append(turn.start)
        return finish(run, turn, incidents)

    monkeypatch.setattr(module, "_finish", seen)
    found = look_back(folder, Alone())
    assert days == [BEGIN + HISTORY + timedelta(days=n) for n in range(3, 5)]
    assert found == plainly(table())


def test_stopped_in_the_middle_the_thresholds_stay_those_of_the_first_baseline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def calibrated(prepared: Prepared, *_: object) -> Calibration:
        made.append(prepared.baseline.hash)
        return SHIPPED

    monkeypatch.setattr(module, "calibrated", calibrated)
    folder = write(tmp_path, table())
    with pytest.raises(StoppedError):
        look_back(folder, Alone(), stop_after(2))
    look_back(folder, Alone())
    assert len(made) == 2
    assert made[0] == made[1]


def test_no_day_is_begun_beyond_one_in_which_something_stands_out(
    tmp_path: Path, two: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    learned: list[tuple[datetime, bool]] = []
    submit = two.submit

    def seen(work: Any, *given: Any, **how: Any) -> Any:
        handle = submit(work, *given, **how)
        if work is module._learn:
            learned.append((given[4], bool(two.results([given[5]])[0]) if given[5] != () else False))
        return handle

    monkeypatch.setattr(two, "submit", seen)
    look_back(write(tmp_path, table()), two)
    assert [start.date() for start, waited in learned if waited] == [(FAULT + timedelta(days=2)).date()]


def test_a_day_that_has_changed_is_looked_at_again_and_so_is_a_question_put_otherwise(tmp_path: Path) -> None:
    reports = table()
    folder = write(tmp_path, reports)
    look_back(folder, Alone())
    fewer = reports[(reports["observed_at"] < FAULT) | (reports["region"] != "02014") | (reports["provider"] != "x")]
    assert len(fewer) < len(reports)
    again = look_back(write(folder, fewer), Alone())
    assert again == plainly(fewer.reset_index(drop=True))
    steps = {path.name: path.read_bytes() for path in (folder / "steps").iterdir()}
    look_back(folder, Alone(), how="other")
    assert all(path.read_bytes() != steps[path.name] for path in (folder / "steps").iterdir())


@pytest.mark.parametrize("what", ["reports", "cube"])
def test_a_damaged_file_is_named_with_what_to_do(tmp_path: Path, what: str, two: Hands) -> None:
    folder = write(tmp_path, table())
    path = folder / f"{what}-2017-04-05.parquet"
    path.write_bytes(path.read_bytes()[:-9] + b"!" * 9)
    for at_work in (Alone(), two):
        with pytest.raises(DataError, match=rf"{what}-2017-04-05.parquet is damaged: .*; delete it and run"):
            look_back(folder, at_work)


def test_null_weeks_are_the_same_whoever_draws_them(
    tmp_path: Path, two: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    monkeypatch.setattr("aggregator.calibration.NULL_WEEKS", 2)
    monkeypatch.setattr("aggregator.calibration.STRONG", 1)
    made = []
    for name, at_work in (("one", Alone()), ("two", two)):
        with pytest.raises(StoppedError):
            look_back(write(tmp_path / name, table()), at_work, stop_after(1))
        made += [path.read_text() for path in (tmp_path / name / "calibrations").iterdir()]
    assert len(made) == 2
    assert made[0] == made[1]


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[str]:
    """A scheduler and two workers, each a process of its own, as on other hosts."""
    told = tmp_path / "scheduler.json"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": Path(__file__).parents[2]}
    with ExitStack() as stack:
        for words in (
            ["scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(told)],
            *[["worker", "--scheduler-file", str(told), "--nthreads", "1", "--no-dashboard", "--no-nanny"]] * 2,
        ):
            process = subprocess.Popen([sys.executable, "-m", "dask", *words], **quiet)  # type: ignore[call-overload]
            stack.callback(process.wait)
            stack.callback(process.terminate)
            while not told.exists() and process.poll() is None:
                time.sleep(0.05)
        yield str(told)


def test_a_scheduler_with_two_workers_finds_the_same(tmp_path: Path, scheduler: str) -> None:
    from distributed import Client  # noqa: PLC0415 - Dask is loaded only where it is needed

    connect: Any = Client
    with connect(scheduler_file=scheduler, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=120)
        address = client.scheduler.address
    reports = table()
    with hands(1, address) as at_work:
        assert at_work.width == 2
        assert look_back(write(tmp_path / "files", reports, at_work), at_work) == plainly(reports)


def test_nobody_at_the_address_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aggregator.history.hands.PATIENCE", 1)
    with (
        pytest.raises(SettingsError, match=r"No Dask scheduler answers at tcp://127\.0\.0\.1:9 "),
        hands(2, "tcp://127.0.0.1:9"),
    ):
        pass


def test_an_incident_comes_back_from_its_file_as_it_was(tmp_path: Path) -> None:
    from aggregator.history.kept import Steps  # noqa: PLC0415

    (found, *_) = plainly(table())
    for name, incident in (("over", found), ("going on", replace(found, ended_at=None, relative_risk=None))):
        steps = Steps(tmp_path / name, "")
        assert steps.load(BEGIN, "sums") is None
        steps.save(BEGIN, {incident.incident_id: incident})
        assert Steps(tmp_path / name, "").load(BEGIN, "sums") == {incident.incident_id: incident}
        assert Steps(tmp_path / name, "").load(BEGIN, "others") is None
