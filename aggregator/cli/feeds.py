"""`feeds list`, `feeds check`, `feeds run`: look at the feeds, try one, hear one once. I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Final

import click

from aggregator.catalogue import data_folder
from aggregator.cli.common import Options
from aggregator.clock import floor_to
from aggregator.errors import FeedError, SettingsError
from aggregator.instance import Instance
from aggregator.model import FeedRun, RawReport, Rejected, Report, Statement
from aggregator.normalise import Normaliser
from aggregator.outbound import Outbound
from aggregator.pipeline import Outcome
from aggregator.settings import Settings
from aggregator.store import runs
from ingest.feed import Feed, load_feeds
from ingest.fetch import SECOND, fetch, parse
from ingest.runner import next_window, resolve, run_feed

SHOWN: Final = 10
TOP: Final = 8
DISTRICTS: Final = 5


def feeds_of(settings: Settings) -> list[Feed]:
    """Return the feeds of the file that the setting `feeds` names, else of the shipped one."""
    return load_feeds(settings.feeds or data_folder() / "feeds.toml")


@click.group()
def feeds() -> None:
    """Show the feeds, try one without storing, or hear one once."""


@feeds.command("list")
@click.pass_obj
def list_feeds(options: Options) -> None:
    """Show every feed: whether it is on, its format, its pace, and how its last hearing went."""
    instance = options.open()
    with instance.store.read() as connection:
        latest = runs.latest(connection)
    for feed in feeds_of(instance.settings):
        state = "on " if feed.enabled else "off"
        click.echo(f"{feed.name:28} {state} {feed.format:16} {feed.kind:10} every {_span(feed.every):5} {feed.note}")
        if feed.name in latest:
            click.echo(f"{'':28} {_told(latest[feed.name])}")


@feeds.command()
@click.argument("name")
@click.pass_obj
def check(options: Options, name: str) -> None:
    """Fetch and parse a feed without storing; print what would be kept and why not the rest."""
    instance = options.open()
    feed = _named(instance.settings, name)
    window = next_window(instance, feed, floor_to(instance.clock.now(), SECOND))
    parsed = parse(feed, fetch(feed, Outbound(), window))
    if feed.kind == "statements":
        said = [resolve(item, instance, window.until) for item in parsed.statements]
        _print_checked(instance, feed, [*said, *parsed.rejected])
    else:
        _print_checked(instance, feed, [*_resolved(instance, parsed.reports), *parsed.rejected])


def _resolved(instance: Instance, raws: Sequence[RawReport]) -> list[Report | Rejected]:
    normaliser, now = Normaliser(instance.catalogue, instance.key), instance.clock.now()
    return [normaliser.report(raw, now) for raw in raws]


def _print_checked(instance: Instance, feed: Feed, items: Sequence[Report | Statement | Rejected]) -> None:
    rejected = [item for item in items if isinstance(item, Rejected)]
    good = [item for item in items if not isinstance(item, Rejected)]
    ids = {item.report_id if isinstance(item, Report) else item.statement_id for item in good}
    click.echo(f"{feed.name}: {len(items)} items, {len(ids)} would be kept, {len(good) - len(ids)} of them twice, "
               f"{len(rejected)} rejected; nothing was stored.")  # fmt: skip
    for reason, count in Counter(item.reason for item in rejected).most_common():
        example = next(item for item in rejected if item.reason == reason)
        click.echo(f"  {count:6} {reason}: for instance {example.where}: {example.detail}")
    _print_summary(instance, {item.report_id: item for item in good if isinstance(item, Report)}.values())
    for item in good[:SHOWN]:
        click.echo(f"  {_line(item)}")


def _print_summary(instance: Instance, reports: Collection[Report]) -> None:
    providers = Counter(report.provider_name or report.provider for report in reports)
    if providers:
        click.echo("  providers: " + ", ".join(f"{name} {count}" for name, count in providers.most_common(TOP)))
    _print_districts(instance, Counter(report.region for report in reports))


def _print_districts(instance: Instance, counts: Mapping[str, int]) -> None:
    """Print the districts with the most reports, and how many reports have none. counts: by AGS5, "" where unknown."""
    named = [(count, instance.catalogue.region_name(region)) for region, count in counts.items() if region]
    most = sorted(named, key=lambda pair: (-pair[0], pair[1]))[:DISTRICTS]
    told = [", ".join(f"{name} {count}" for count, name in most)] if most else []
    told += [f"not located {counts['']}"] if counts.get("") else []
    if told:
        click.echo(f"  districts: {'; '.join(told)}")


def _line(item: Report | Statement) -> str:
    if isinstance(item, Statement):
        return f"{item.said_at:%Y-%m-%dT%H:%MZ} {item.provider} {item.service} {item.stance} ({item.channel})"
    where = item.region or "not located"
    return f"{item.observed_at:%Y-%m-%dT%H:%MZ} {item.provider} {item.service} {where} {item.place_source}".rstrip()


@feeds.command()
@click.argument("name")
@click.pass_obj
def run(options: Options, name: str) -> None:
    """Hear a feed once, store what it says, and print what became of it; status 1 when it could not be heard."""
    instance = options.open()
    outcomes: list[Outcome] = []
    heard = run_feed(instance, _named(instance.settings, name), Outbound(), seen=outcomes.append)
    if heard.outcome not in {"ok", "not_modified"}:
        raise FeedError(f"{name} ({heard.outcome}): {heard.error}")
    click.echo(f"{name}: {_told(heard)}")
    for outcome in outcomes:
        _print_districts(instance, outcome.districts)


def _told(run: FeedRun) -> str:
    rejected = ", ".join(f"{count} {reason}" for reason, count in sorted(run.rejected.items()))
    counts = f"{run.kept} kept, {run.duplicate} duplicate, {sum(run.rejected.values())} rejected"
    said = f"{run.started_at:%Y-%m-%dT%H:%M:%SZ} {run.outcome}: {counts}{f' ({rejected})' if rejected else ''}"
    return f"{said}; {run.error}" if run.error else said


def _named(settings: Settings, name: str) -> Feed:
    known = {feed.name: feed for feed in feeds_of(settings)}
    if name not in known:
        raise SettingsError(f'There is no feed "{name}"; there are {", ".join(known) or "none"}.')
    return known[name]


def _span(every: timedelta) -> str:
    seconds = int(every.total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
