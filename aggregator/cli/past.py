"""`detect` and `replay`, looks at a time that is past, over files or the store; `calibrate`. I/O."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from aggregator.calibration import calibrated, calibrations_of, weeks_needed
from aggregator.catalogue import load_catalogue
from aggregator.cli.common import Options, progress
from aggregator.cli.detect import FILE, Moment
from aggregator.clock import floor_to
from aggregator.detect.backtest import Past, Plan, backtest, read_past
from aggregator.detect.baseline import MODEL
from aggregator.detect.calibrate import Calibration
from aggregator.detect.span import Prepared, prepare
from aggregator.detect.tick import Country
from aggregator.detect.usual import read_baseline
from aggregator.detect.zones import make_zones
from aggregator.errors import DataError
from aggregator.export.table import iso
from aggregator.frames import BUCKET
from aggregator.instance import Instance
from aggregator.model import Filter, Incident, Region
from aggregator.refresh import HEARTBEAT, Detection
from aggregator.reportfile import read_reports
from aggregator.store import baselines, calibrations, incidents, reports
from aggregator.store.holder import alone
from aggregator.tables import read_regions

UNITS = {"min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
WEEK = timedelta(weeks=1)
ABOVE_0 = click.FloatRange(0, min_open=True)
SHOWN = (
    "incident_id", "provider", "service", "providers", "pattern", "scope", "regions", "onset", "onset_earliest",
    "onset_latest", "first_alarm_at", "ended_at", "state", "reports", "expected", "relative_risk", "score",
    "recurrence_weeks",
)  # fmt: skip


class Length(click.ParamType[timedelta]):
    """A length of time such as 5min, 3h, 28d or 4w: whole steps of five minutes."""

    name = "length"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Return the length that `value` names."""
        if isinstance(value, timedelta):
            return value
        match = re.fullmatch(r"(\d+)(min|h|d|w)", str(value))
        length = int(match[1]) * UNITS[match[2]] if match else timedelta(0)
        if length <= timedelta(0) or length % BUCKET:
            self.fail(f"{value!r} is not a length such as 5min, 3h or 28d (whole steps of five minutes).", param, ctx)
        return length


@click.command()
@click.argument("reports_file", metavar="REPORTS", type=FILE)
@click.option("--regions", "regions_file", type=FILE, required=True, help="CSV: region,name,parent,lat,lon,population.")
@click.option("--step", type=Length(), default="5min", show_default=True, help="How often to look.")
@click.option("--history", type=Length(), default="28d", show_default=True, help="What is learned from.")
@click.option("--false-alarms", type=ABOVE_0, default=1.0, show_default=True, help="Put up with, a week.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="JSON to write.")
@click.pass_obj
def detect(
    options: Options,
    reports_file: Path,
    regions_file: Path,
    step: timedelta,
    history: timedelta,
    false_alarms: float,
    out: Path,
) -> None:
    """Find incidents in a CSV of reports (observed_at,region,provider,service,reporter; received_at if known).

    No store, any country. The first --history is learned from, what comes after it is looked at.
    """
    regions = _with_holidays(read_regions(regions_file))
    table = read_reports(reports_file, regions)
    past = read_past(table, [region.id for region in regions])
    notes = _notes(past, history)
    country = Country(regions, {}, make_zones(regions))
    folder = options.settings().home / "calibrations"

    def limits(prepared: Prepared) -> Calibration:
        with progress((), "null weeks, once for this baseline", weeks_needed(false_alarms)) as bar:
            found = calibrated(prepared, folder, false_alarms, lambda done: bar.update(1))
        return replace(found, budget=false_alarms)

    plan = Plan(history, step, limits)
    days = max((past.end - past.begin - history) // UNITS["d"] + 1, 1)
    with progress((), "days", days) as bar:
        found = backtest(country, past, plan, lambda at: bar.update(1))
    method = {
        "model": MODEL, "statistic": "nb1", "step_minutes": step // UNITS["min"], "history_days": history / UNITS["d"],
        "false_alarms_per_week": false_alarms, "reports": len(table), "counted": int(table["counted"].sum()),
        "first_report": iso(past.begin), "last_report": iso(past.end), "notes": notes,
    }  # fmt: skip
    _write(out, {"method": method, "incidents": [row(incident) for incident in found]})
    click.echo(f"{len(found)} incidents in {out}" + "".join(f"\n{note}" for note in notes))


def _with_holidays(regions: Sequence[Region]) -> list[Region]:
    """Return the regions so that only German districts have German holidays: elsewhere parents may look like a Land."""
    known = load_catalogue().regions
    german = all(region.id in known and known[region.id].parent == region.parent for region in regions)
    return list(regions) if german else [replace(region, parent=f"-{region.parent}") for region in regions]


def _notes(past: Past, history: timedelta) -> list[str]:
    if past.end - past.begin <= history:
        raise DataError(
            f"the reports cover {(past.end - past.begin) / UNITS['d']:.1f} days and all of the first "
            f"{history / UNITS['d']:.0f} are learned from; give more reports, or less --history."
        )
    if history < WEEK:
        return ["Less than a week was learned from: there is no basis for comparison, so nothing is called strong."]
    return []


def row(incident: Incident) -> dict[str, Any]:
    """Return an incident as it is written."""
    values = {name: getattr(incident, name) for name in SHOWN}
    return {name: iso(value) if isinstance(value, datetime) else value for name, value in values.items()}


def _write(out: Path, content: dict[str, Any]) -> None:
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise DataError(f"{out} cannot be written ({error.strerror}); name another file.") from None


@click.command()
@click.pass_obj
def calibrate(options: Options) -> None:
    """Measure now how often chance alone would alarm, on null weeks of the newest baseline.

    The worker does so weekly.
    """
    instance = options.open()
    with instance.store.read() as connection:
        kept = baselines.load(connection, instance.clock.now())
    baseline = read_baseline(kept[1]) if kept else None
    if baseline is None:
        raise DataError("there is no baseline yet; run `netzlage refresh` or the worker first.")
    prepared = prepare(baseline, make_zones(list(instance.catalogue.regions.values())))
    budget = instance.settings.false_alarms_per_week
    doing = alone(instance.store, "calibrate", "calibrates")
    with doing, progress((), "null weeks", weeks_needed(budget)) as bar:
        found = calibrated(prepared, calibrations_of(instance), budget, lambda done: bar.update(1))
    with instance.store.write() as connection:
        calibrations.save(connection, instance.clock.now(), found)
    click.echo(
        f"{found.weeks} null weeks: once a week chance reaches {found.reached_in(1.0):.2f} on the levels' scale."
    )


@click.command()
@click.option("--from", "since", type=Moment(), required=True, help="First look.")
@click.option("--to", "until", type=Moment(), required=True, help="Last look.")
@click.option("--step", type=Length(), default="5min", show_default=True, help="Between two looks.")
@click.pass_obj
def replay(options: Options, since: datetime, until: datetime, step: timedelta) -> None:
    """Look again at what is stored, as of each step, counting only what was known then; print the incidents as JSON.

    What was found is stored where the store has no later look: history that was brought in afterwards is looked
    through in this way, what readers have seen is never changed. Nothing is stored beside a worker that is at work.
    """
    first = floor_to(since + BUCKET - timedelta.resolution, BUCKET)
    steps = [first + n * step for n in range(max((until - first) // step + 1, 0))]
    if not steps:
        raise DataError("there is no look between --from and --to; --from must be the earlier one.")
    instance = options.open()
    detection = Detection(instance)
    with _keeping(instance, steps[-1]) as keep, progress(steps, "looks") as bar:
        found = detection.replay(bar, keep=keep)
    with instance.store.read() as connection:
        if not found and not reports.count(connection, Filter(since=since, until=until, as_of=until)):
            stored = reports.count(connection, Filter(since=since, until=until))
            click.echo(f"Nothing was known by then: {stored:,} reports of that time were received later.", err=True)
    click.echo(json.dumps([row(incident) for incident in found], indent=1, ensure_ascii=False, allow_nan=False))


@contextmanager
def _keeping(instance: Instance, until: datetime) -> Iterator[bool]:
    """Say whether looks up to `until` may be stored; nobody else looks meanwhile then. LeaseHeld: somebody does.

    Where the last look is of just now a worker is at it: what it comes to next is told to people, and is not to be
    mixed with what others make of its past, nor may it wait until they have.
    """
    with instance.store.read() as connection:
        last = incidents.last_look(connection)
    if last is not None and (until <= last or instance.clock.now() - last <= HEARTBEAT):
        yield False
        return
    with alone(instance.store, "refresh", "looks for clusters"):
        yield True
