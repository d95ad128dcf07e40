"""Years of day files -> the incidents that looks at every step would have found, on as many hands as there are. I/O.

What a day's looks find hangs on the incidents before it: its baseline leaves them out, and its looks go on with those
that run. Only the looks are done in order. A day's baseline and the search for moments at which anything stands out are
done beside them, some days ahead, as if nothing new were found until then; where something is, the days after it are
done again. A day is one process's: what it learns need not travel, and where something stands out in a day its process
begins no other before that is looked at. So the result is that of one process to the last bit, whoever does the work.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from aggregator.calibration import calibrated
from aggregator.clock import BERLIN
from aggregator.detect.backtest import Day, Plan, by_alarm, days, follow, learn_day, stands_out
from aggregator.detect.calibrate import Calibration
from aggregator.detect.cube import bucket_number
from aggregator.detect.nullweeks import null_week, null_weeks, seed_of
from aggregator.detect.span import Prepared
from aggregator.detect.tick import SEARCH_BEFORE, Country, Learned, masks
from aggregator.history.folder import DayFile, bounds
from aggregator.history.hands import Hands
from aggregator.history.kept import Steps
from aggregator.history.window import Logs, Part, Whole, past_of, read_logs, read_part, summary
from aggregator.model import Incident, Stream

DAY: Final = timedelta(days=1)
BACK: Final = timedelta(days=2)  # what a look needs of the reports themselves, where no incident runs for longer
View = tuple[Whole, Sequence[Part], Mapping[date, Logs]]  # here handles of these, there the values
Mask = dict[Stream, list[tuple[int, int]]]


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be looked back at: files of each day by table, from when to when (aware, UTC), and how."""

    folder: Path
    files: Mapping[date, Mapping[str, DayFile]]
    begin: datetime  # of what is learned from
    end: datetime
    plan: Plan
    calibrations: Path
    budget: float
    covers: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Watch:
    """Whom to tell how far it is: null weeks done, days done."""

    week: Callable[[int], None] = lambda done: None
    day: Callable[[datetime], None] = lambda day: None


@dataclass(frozen=True, slots=True)
class _Ahead:
    """A day that was begun: by which incidents' stretches, what it learned, and when anything stands out."""

    by: Mask
    learned: Any
    hot: Any


@dataclass(frozen=True, slots=True)
class Turn:
    """A day to be looked at: its number, its beginning, its looks."""

    number: int
    start: datetime
    ticks: Sequence[datetime]


@dataclass(slots=True)
class _Run:
    """What is under way: handles of the days that were read and of those that were begun."""

    task: Task
    country: Country
    hands: Hands
    watch: Watch
    turns: Sequence[Turn]
    parts: dict[date, Any] = field(default_factory=dict)
    logs: dict[date, Any] = field(default_factory=dict)
    ahead: dict[int, _Ahead] = field(default_factory=dict)
    shared: Any = None
    whole: Any = None
    limits: Any = None


def replay(task: Task, country: Country, hands: Hands, steps: Steps, watch: Watch) -> list[Incident]:
    """Return the incidents of the look back, by first alarm. steps: what was found before it was stopped, and now.

    Raises DataError where a file is not what it should be, or a process is lost.
    """
    turns = [Turn(number, *of) for number, of in enumerate(days(task.begin, task.end, task.plan))]
    run = _Run(task, country, hands, watch, turns)
    _share(run)
    incidents: dict[str, Incident] = {}
    for turn in turns:
        kept = steps.load(turn.start, _sums(run, turn))
        if kept is None:
            run.limits = run.limits or _limits(run)
            _begin(run, turn, incidents)
            kept = _finish(run, turn, incidents)
            steps.save(turn.start, kept)
        incidents |= kept
        _forget(run, turn)
        watch.day(turn.start)
    return by_alarm(incidents.values())


def _share(run: _Run) -> None:
    """Send to all what all need, and learn of every day which streams it holds and whether reports come late."""
    task = run.task
    run.shared = run.hands.share(run.country)
    told = [run.hands.submit(summary, task.folder, files, at=i) for i, files in enumerate(task.files.values())]
    found = run.hands.results(told)
    streams = tuple(sorted({stream for some, _ in found for stream in some}, key=lambda of: (of.provider, of.service)))
    heard = any("listening" in files for files in task.files.values())
    late = any(late for _, late in found)
    regions = run.country.zones.regions
    run.whole = run.hands.share(Whole(task.begin, task.end, regions, streams, late, task.covers, heard))


def _window(run: _Run, turn: Turn) -> list[date]:
    """Return the German days that a day's baseline and looks read."""
    first, last = _first(run, turn), (turn.start + DAY).astimezone(BERLIN).date()
    return [day for day in run.task.files if first <= day <= last]


def _first(run: _Run, turn: Turn) -> date:
    return (turn.start - run.task.plan.history - DAY).astimezone(BERLIN).date()


def _sums(run: _Run, turn: Turn) -> str:
    files = (run.task.files[day] for day in _window(run, turn))
    return " ".join(sorted(file.sha256 for of_day in files for file in of_day.values()))


def _masked(run: _Run, turn: Turn, incidents: Iterable[Incident]) -> Mask:
    """Return what the baseline of a day leaves out for the incidents: of them, what lies in its history."""
    low, high = bucket_number(turn.start - run.task.plan.history - DAY), bucket_number(turn.start)
    found = {
        stream: sorted((max(a, low), min(b, high)) for a, b in stretches if a < high and b > low)
        for stream, stretches in masks(list(incidents)).items()
    }
    return {stream: stretches for stream, stretches in found.items() if stretches}


def _begin(run: _Run, now: Turn, incidents: Mapping[str, Incident]) -> None:
    """Begin the day and some that come, those again of which other incidents are known now.

    While an incident runs, each day changes what the next one leaves out: none is begun before its turn.
    """
    running = any(incident.ended_at is None for incident in incidents.values())
    ahead = 1 if running or run.hands.width == 1 else run.hands.width + 1
    for turn in run.turns[now.number : now.number + ahead]:
        by = _masked(run, turn, incidents.values())
        if turn.number not in run.ahead or run.ahead[turn.number].by != by:
            run.ahead[turn.number] = _look_ahead(run, turn, by, [i for i in incidents.values() if i.stream in by])


def _look_ahead(run: _Run, turn: Turn, by: Mask, known: list[Incident]) -> _Ahead:
    number, before = turn.number, run.ahead.get(turn.number - run.hands.width)
    view = _view(run, turn, turn.start - BACK)
    learned = _learning(run, turn, view, known, before.hot if before else ())
    hot = run.hands.submit(_search, view, learned, run.limits, turn, first=number, at=number)
    return _Ahead(by, learned, hot)


def _learning(run: _Run, turn: Turn, view: View, known: list[Incident], before: Any) -> Any:
    given = run.shared, view, run.task.plan, known, turn.start, before
    return run.hands.submit(_learn, *given, first=turn.number, at=turn.number)


def _view(run: _Run, turn: Turn, since: datetime) -> View:
    """Return handles of what all share, of the days that a day reads, and of the reports themselves since `since`."""
    window = _window(run, turn)
    for day in window:
        given = run.task.folder, run.task.files[day], run.country.zones.regions
        if day not in run.parts:
            run.parts[day] = run.hands.submit(read_part, *given, first=turn.number, at=turn.number)
        if bounds(day)[1] > since and day not in run.logs:
            run.logs[day] = run.hands.submit(read_logs, *given, first=turn.number, at=turn.number)
    near = {day: run.logs[day] for day in window if bounds(day)[1] > since}
    return run.whole, [run.parts[day] for day in window], near


def _finish(run: _Run, turn: Turn, incidents: Mapping[str, Incident]) -> dict[str, Incident]:
    """Look at a day where something stands out or an incident runs, and return the incidents that it changes."""
    here = run.ahead[turn.number]
    (hot,) = run.hands.results([here.hot])
    if hot:
        run.ahead.pop(turn.number + run.hands.width, None)  # was waiting for this one
    running = [i for i in incidents.values() if i.ended_at is None]
    if not turn.ticks or not (hot or running):
        return {}
    view = _view(run, turn, min([turn.start - BACK, *(i.onset - SEARCH_BEFORE for i in running)]))
    known = {name: i for name, i in incidents.items() if i.ended_at is None or turn.start - i.ended_at <= 2 * BACK}
    work = run.hands.submit(_follow, view, here.learned, run.limits, Day(turn.ticks, hot), known, at=turn.number)
    changed: dict[str, Incident] = run.hands.results([work])[0]
    return changed


def _limits(run: _Run) -> Calibration:
    """Return the thresholds, from the baseline of the first day; null weeks are drawn by all hands."""
    first = run.turns[0]
    learned = _learning(run, first, _view(run, first, first.start - BACK), [], ())
    prepared = run.hands.results([learned])[0].prepared
    shared = run.hands.share(prepared)

    def draw(_prepared: Prepared, weeks: int) -> Iterable[Any]:
        if run.hands.width == 1:
            return null_weeks(prepared, weeks)
        seed = seed_of(prepared)
        drawn = [run.hands.submit(null_week, shared, seed, week, first=week, at=week) for week in range(weeks)]
        return (run.hands.results([one])[0] for one in drawn)

    made = calibrated(prepared, run.task.calibrations, run.task.budget, run.watch.week, draw)
    return replace(made, budget=run.task.budget)


def _forget(run: _Run, turn: Turn) -> None:
    """Let go of what no later day reads."""
    run.ahead.pop(turn.number, None)
    run.parts = {day: part for day, part in run.parts.items() if day >= _first(run, turn)}
    run.logs = {day: log for day, log in run.logs.items() if bounds(day)[1] > turn.start - BACK}


def _learn(  # noqa: PLR0917 - what a day's learning hangs on
    country: Country, view: View, plan: Plan, known: Sequence[Incident], start: datetime, before: Collection[datetime]
) -> Learned | None:
    """Learn for a day; not if anything stands out in the day `before`, for then other incidents will be known."""
    return None if before else learn_day(country, past_of(*view, start), plan, known, start)


def _search(view: View, learned: Learned | None, limits: Calibration, turn: Turn) -> set[datetime]:
    return stands_out(past_of(*view, turn.start), learned, limits, turn.ticks) if learned else set()


def _follow(
    view: View, learned: Learned, limits: Calibration, day: Day, known: Mapping[str, Incident]
) -> dict[str, Incident]:
    return follow(past_of(*view, day.ticks[0]), learned, limits, day, known)
