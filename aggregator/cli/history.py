"""`history`: day files of what is stored, and a look back over years of them on several processes or hosts. I/O."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import click

from aggregator.calibration import weeks_needed
from aggregator.catalogue import load_catalogue
from aggregator.cli.common import Options, progress
from aggregator.cli.detect import Moment
from aggregator.cli.past import ABOVE_0, SHOWN, Length, row
from aggregator.cli.stanzas import feeds_of, keep_sources
from aggregator.clock import BERLIN, floor_to
from aggregator.dayfiles import close_day, folder_of
from aggregator.detect.backtest import Plan, days
from aggregator.detect.baseline import MODEL
from aggregator.detect.calibrate import SHIPPED
from aggregator.detect.tick import Country
from aggregator.detect.zones import make_zones
from aggregator.errors import DataError
from aggregator.export.columns import INCIDENTS
from aggregator.export.parquet import write_parquet
from aggregator.export.table import iso
from aggregator.frames import BUCKET
from aggregator.history.counts import count_days, without_counts
from aggregator.history.files import OWN, covers_of, days_of, keep_about
from aggregator.history.folder import known, whole
from aggregator.history.hands import hands
from aggregator.history.kept import Steps
from aggregator.history.replay import Task, Watch, replay
from aggregator.model import Incident

DAY: Final = timedelta(days=1)
FOLDER: Final = click.Path(file_okay=False, path_type=Path)
PROCESSES: Final = click.option(
    "--processes", type=click.IntRange(1), default=os.cpu_count() or 1, show_default="cores", help="At work here."
)
SCHEDULER: Final = click.option(
    "--scheduler",
    default="",
    metavar="ADDRESS",
    help="Of a Dask cluster, such as tcp://host:8786, whose workers have this version and see the same folders.",
)


@click.group()
def history() -> None:
    """Keep closed days as Parquet files, and look back over years of them."""


@history.command()
@PROCESSES
@SCHEDULER
@click.pass_obj
def build(options: Options, processes: int, scheduler: str) -> None:
    """Write the day files that are not there or no longer true.

    Under `history` in the home folder: reports, who was listening, and the counts, of all sources, for looking back;
    they are not served. Under `days`: what /daten/tage offers, of sources that let it be given on.
    """
    with options.opened() as instance:
        keep_sources(instance, feeds_of(instance.settings))
        closed, written = days_of(instance), 0
        with progress(closed, "days") as bar:
            for day in bar:
                written += len(close_day(instance, day, OWN)) + len(close_day(instance, day))
        if closed:
            keep_about(instance)
        folder = folder_of(instance, OWN)
    todo = without_counts(folder)
    with (
        hands(min(processes, max(len(todo), 1)), scheduler, work="aggregator.history.counts") as at_work,
        progress((), "counts", len(todo)) as bar,
    ):
        written += len(count_days(folder, at_work, bar.update))
    click.echo(f"{len(closed)} closed days, {written} files written; {folder}")


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a look back is asked: its first and last look, how it looks, where from and where to."""

    since: datetime
    until: datetime
    plan: Plan
    false_alarms: float
    folder: Path
    out: Path


@history.command("replay")
@click.option("--from", "since", type=Moment(), required=True, help="First look.")
@click.option("--to", "until", type=Moment(), required=True, help="Last look.")
@click.option("--step", type=Length(), default="5min", show_default=True, help="How often to look.")
@click.option("--history", "learned", type=Length(), default="28d", show_default=True, help="What is learned from.")
@click.option("--false-alarms", type=ABOVE_0, default=1.0, show_default=True, help="Put up with, a week.")
@click.option("--folder", type=FOLDER, help="Where the day files are. Default: `history` in the home folder.")
@click.option("--out", type=FOLDER, help="Folder for what is found. Default: under `replays` in the home folder.")
@PROCESSES
@SCHEDULER
@click.pass_obj
def replay_(
    options: Options,
    since: datetime,
    until: datetime,
    step: timedelta,
    learned: timedelta,
    false_alarms: float,
    folder: Path | None,
    out: Path | None,
    processes: int,
    scheduler: str,
) -> None:
    """Look back over day files, never peeking ahead; write the incidents as JSON and Parquet.

    The same files give the same bytes, on one process as on many. Stopped and started again, it goes on where it was; a
    day whose files have changed is looked at again, and all after it.
    """
    home = options.settings().home
    first, last = floor_to(since + BUCKET - timedelta.resolution, BUCKET), floor_to(until, BUCKET)
    if last < first:
        raise DataError("there is no look between --from and --to; --from must be the earlier one.")
    asked = _Asked(
        first,
        last,
        Plan(learned, step, lambda prepared: SHIPPED),
        false_alarms,
        (folder or home / OWN.folder).resolve(),
        (out or home / "replays" / f"{first:%Y%m%dT%H%M}-{last:%Y%m%dT%H%M}").resolve(),
    )
    found, notes = _look_back(asked, home / "calibrations", processes, scheduler)
    _write(asked, found, notes)
    click.echo(f"{len(found)} incidents in {asked.out / 'incidents.json'}" + "".join(f"\n{note}" for note in notes))


def _look_back(
    asked: _Asked, calibrations: Path, processes: int, scheduler: str
) -> tuple[list[Incident], Sequence[str]]:
    catalogue = load_catalogue()
    regions = list(catalogue.regions.values())
    country = Country(regions, catalogue.providers, make_zones(regions))
    files = _files(asked)
    task = Task(
        asked.folder, files, asked.since - asked.plan.history, asked.until, asked.plan, calibrations,
        asked.false_alarms, covers_of(asked.folder),
    )  # fmt: skip
    number = len(list(days(task.begin, task.end, asked.plan)))
    with (
        hands(processes, scheduler) as at_work,
        progress((), "null weeks, once for this baseline", weeks_needed(asked.false_alarms)) as weeks,
        progress((), "days", number) as bar,
    ):
        watch = Watch(lambda done: weeks.update(1), lambda day: bar.update(1))
        found = replay(task, country, at_work, Steps(asked.out / "steps", _how(asked, task)), watch)
    return found, _notes(task)


def _how(asked: _Asked, task: Task) -> str:
    """Return all that the result hangs on beside the files."""
    plan = asked.plan
    return json.dumps(
        [MODEL, iso(asked.since), iso(asked.until), plan.step.total_seconds(), plan.history.total_seconds(),
         asked.false_alarms, task.covers], sort_keys=True,
    )  # fmt: skip


def _files(asked: _Asked) -> dict[date, dict[str, Any]]:
    """Return the day files that a look back reads, by day and table."""
    first, last = (asked.since - asked.plan.history - 2 * DAY).date(), (asked.until + DAY).date()
    found: dict[date, dict[str, Any]] = {}
    for file in known(asked.folder).values():
        if file.kind == "parquet" and first <= date.fromisoformat(file.day) <= last:
            found.setdefault(date.fromisoformat(file.day), {})[file.table] = file
    whole_days = {day: found[day] for day in sorted(found) if {"reports", "cube"} <= found[day].keys()}
    if not whole_days:
        raise DataError(f"{asked.folder} holds no days of that time; run `netzlage history build` first.")
    return whole_days


def _notes(task: Task) -> list[str]:
    first, last = (moment.astimezone(BERLIN).date() for moment in (task.begin, task.end))
    wanted = [first + number * DAY for number in range((last - first) // DAY + 1)]
    missing = [day for day in wanted if day not in task.files]
    if not missing:
        return []
    return [
        f"Of {len(missing)} of {len(wanted)} days there are no files (the first is {missing[0]}); they are no zeros."
    ]


def _write(asked: _Asked, found: Sequence[Incident], notes: Sequence[str]) -> None:
    method = {
        "model": MODEL, "statistic": "nb1", "step_minutes": asked.plan.step / timedelta(minutes=1),
        "history_days": asked.plan.history / DAY, "false_alarms_per_week": asked.false_alarms,
        "first_look": iso(asked.since), "last_look": iso(asked.until), "notes": list(notes),
    }  # fmt: skip
    content = {"method": method, "incidents": [row(incident) for incident in found]}
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    with whole(asked.out / "incidents.json") as file:
        file.write(text.encode())
    columns = [column for column in INCIDENTS if column.name in SHOWN]
    with whole(asked.out / "incidents.parquet") as file:
        file.writelines(
            write_parquet([{name: getattr(incident, name) for name in SHOWN} for incident in found], columns)
        )
