"""`refresh` and `scan`: look for clusters, in the store or in one table. I/O."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import click

from aggregator.cli.common import Options
from aggregator.clock import BERLIN
from aggregator.detect.score import STATISTICS
from aggregator.detect.static import scan_table, without_overlap
from aggregator.model import Incident
from aggregator.refresh import Detection
from aggregator.store.holder import alone
from aggregator.tables import read_counts, read_regions

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
ABOVE_0 = click.FloatRange(0, min_open=True)


class Moment(click.ParamType[datetime]):
    """A time in ISO 8601; without a zone it is Europe/Berlin."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the aware time that `value` names."""
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a time such as 2017-05-13T12:30 or 2017-05-13T10:30Z.", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=BERLIN)


@click.command()
@click.option("--as-of", type=Moment(), help="Look at that time, with what was known by then.")
@click.pass_obj
def refresh(options: Options, as_of: datetime | None) -> None:
    """Look once for clusters in the store and print the incidents that are going on."""
    instance = options.open()
    if as_of and as_of > instance.clock.now():
        raise click.BadParameter("nothing is known of the future; name a time that has passed.", param_hint="--as-of")
    try:
        with alone(instance.store, "refresh", "looks for clusters"):
            incidents = Detection(instance).refresh(as_of)
    finally:
        instance.store.close()
    for incident in incidents:
        click.echo(_line(incident))
    click.echo(f"{len(incidents)} incident(s) going on.")


def _line(incident: Incident) -> str:
    onset = incident.onset.astimezone(BERLIN)
    return (
        f"{incident.incident_id}: {incident.state}, {incident.reports} reports since {onset:%Y-%m-%d %H:%M}, "
        f"{incident.expected:.1f} expected, score {incident.score:.1f}"
    )


@click.command()
@click.argument("counts", type=FILE)
@click.option("--regions", "regions_file", type=FILE, required=True, help="CSV: region,name,parent,lat,lon,population.")
@click.option(
    "--statistic",
    type=click.Choice(sorted(STATISTICS)),
    default="ebp",
    show_default=True,
    help="What makes a window unlikely.",
)
@click.option("--max-neighbours", type=click.IntRange(1), help="Largest zone, in regions; default: half of them.")
@click.option(
    "--max-population-share",
    type=click.FloatRange(0, 1, min_open=True),
    default=1.0,
    show_default=True,
    help="Largest zone, as a share of all people.",
)
@click.option("--max-duration", type=click.IntRange(1), help="Longest window, in times; default: all.")
@click.option("--top", type=click.IntRange(1), help="Print only the best N.")
@click.option("--overlap", is_flag=True, help="Windows may share regions.")
@click.option("--phi", type=click.FloatRange(1), default=1.0, show_default=True, help="nb1: variance over mean.")
@click.option("--baseline-r", type=ABOVE_0, default=float("inf"), help="nb1: how certain the baseline is, as r.")
def scan(
    counts: Path,
    regions_file: Path,
    statistic: str,
    max_neighbours: int | None,
    max_population_share: float,
    max_duration: int | None,
    top: int | None,
    overlap: bool,
    phi: float,
    baseline_r: float,
) -> None:
    """Scan one table of counts (CSV: region,time,count,baseline) and print its best windows as JSON.

    Zones are circles of nearest regions, windows end at the last time; best first.
    """
    regions = read_regions(regions_file)
    table = read_counts(counts, regions)
    windows = scan_table(
        table.count,
        table.baseline,
        regions,
        table.times,
        statistic=statistic,
        max_neighbours=max_neighbours or max(len(regions) // 2, 1),
        max_population_share=max_population_share,
        max_duration=max_duration,
        phi=phi,
        baseline_r=baseline_r,
    )
    kept = windows if overlap else without_overlap(windows)
    click.echo(json.dumps([asdict(window) for window in kept[:top]], indent=1, ensure_ascii=False))
