"""`feeds`: look at the feeds, try one, hear one once, take again what was rejected or not read. I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import click

from aggregator.cli.common import Options
from aggregator.cli.stanzas import opened
from aggregator.clock import floor_to
from aggregator.errors import FeedError, SettingsError
from aggregator.health import Health, health
from aggregator.instance import Instance
from aggregator.model import FeedRun, RawReport, Rejected, Report, Signal, Statement
from aggregator.normalise import Normaliser
from aggregator.outbound.client import Outbound
from aggregator.pipeline import Outcome
from aggregator.store import quarantine
from aggregator.store.holder import alone
from ingest.again import take_payload, take_quarantined
from ingest.asking import SECOND
from ingest.feed import Feed
from ingest.fetch import fetch, parse
from ingest.posts import told
from ingest.resolve import resolve_signal, resolve_statement
from ingest.runner import next_window, run_feed

SHOWN: Final = 10
TOP: Final = 8
DISTRICTS: Final = 5
Item = Report | Statement | Signal


@click.group()
def feeds() -> None:
    """Show the feeds, try one without storing, or hear one once."""


@feeds.command("list")
@click.pass_obj
def list_feeds(options: Options) -> None:
    """Show every feed: whether it is on, its format, its pace, and how it goes."""
    instance, known = opened(options)
    with instance.store.read() as connection:
        found = {one.name: one for one in health(connection, instance.clock.now())}
    for feed in known:
        state = "on " if feed.enabled else "off"
        click.echo(f"{feed.name:28} {state} {feed.format:16} {feed.kind:10} every {_span(feed.every):5} {feed.note}")
        for line in _health(found[feed.name]):
            click.echo(f"{'':28} {line}")


def _health(one: Health) -> Iterator[str]:
    if one.run is None:
        return
    yield f"{one.light}: {_told(one.run)}{', nothing of which could be used' * one.unusable}"
    yield f"last heard {_time(one.good)}, next {_time(one.next_run)}, circuit {one.circuit.replace('_', ' ')}"
    if one.error and not one.run.error:
        yield f"last error {_time(one.error[0])}: {one.error[1]}"
    if one.gaps:
        since, until = one.gaps[-1]
        yield f"{len(one.gaps)} gaps in 7 days, the last {_time(since)} to {_time(until)}"
    if one.aside or one.payload_at:
        kept = f"; an unread payload of {_time(one.payload_at)}" if one.payload_at else ""
        yield f"{one.aside} items in quarantine{kept}"


def _time(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else "never"


@feeds.command()
@click.argument("name")
@click.pass_obj
def check(options: Options, name: str) -> None:
    """Fetch and parse a feed without storing; print what would be kept and why not the rest."""
    instance, known = opened(options)
    feed = _named(known, name)
    window = next_window(instance, feed, floor_to(instance.clock.now(), SECOND))
    parsed = told(parse(feed, fetch(feed, Outbound(), window)), feed, instance.catalogue)
    facts, now, openly = instance.catalogue, window.until, feed.open_providers
    said = [resolve_statement(item, facts, now, open_providers=openly) for item in parsed.statements]
    measured = [resolve_signal(item, facts, now) for item in parsed.signals]
    _print_checked(instance, feed, [*_resolved(instance, parsed.reports), *said, *measured, *parsed.rejected])


def _resolved(instance: Instance, raws: Sequence[RawReport]) -> list[Report | Rejected]:
    normaliser, now = Normaliser(instance.catalogue, instance.key), instance.clock.now()
    return [normaliser.report(raw, now) for raw in raws]


def _print_checked(instance: Instance, feed: Feed, items: Sequence[Item | Rejected]) -> None:
    rejected = [item for item in items if isinstance(item, Rejected)]
    good = [item for item in items if not isinstance(item, Rejected)]
    ids = {_id(item) for item in good}
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


def _id(item: Item) -> str:
    if isinstance(item, Report):
        return item.report_id
    return item.statement_id if isinstance(item, Statement) else item.signal_id


def _line(item: Item) -> str:
    if isinstance(item, Signal):
        value = "" if item.value is None else f" {item.value:g}"
        return f"{_time(item.started_at)} {item.what}{value} {item.provider} {item.region or 'de'}".replace("  ", " ")
    if isinstance(item, Statement):
        return f"{item.said_at:%Y-%m-%dT%H:%MZ} {item.provider} {item.service} {item.stance} ({item.channel})"
    where = item.region or "not located"
    return f"{item.observed_at:%Y-%m-%dT%H:%MZ} {item.provider} {item.service} {where} {item.place_source}".rstrip()


@feeds.command()
@click.argument("name")
@click.option("--from-payload", is_flag=True, help="Take what it sent when it could not be read, after a mend.")
@click.pass_obj
def run(options: Options, name: str, from_payload: bool) -> None:
    """Hear a feed once, store what it says, and print what became of it; status 1 when it could not be heard."""
    instance, known = opened(options)
    feed, outcomes = _named(known, name), list[Outcome]()
    with alone(instance.store, f"feed {feed.name}", f"hears {feed.name}"):
        if from_payload:
            heard = take_payload(instance, feed, seen=outcomes.append)
        else:
            heard = run_feed(instance, feed, Outbound(), seen=outcomes.append)
    if heard.outcome not in {"ok", "not_modified"}:
        raise FeedError(f"{name} ({heard.outcome}): {heard.error}")
    click.echo(f"{name}: {_told(heard)}")
    for outcome in outcomes:
        _print_districts(instance, outcome.districts)


@feeds.group("quarantine")
def aside() -> None:
    """Show the items that were rejected, kept for 30 days, or take them again after a mend."""


@aside.command("list")
@click.argument("name", default="")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1), help="Items to show.")
@click.pass_obj
def list_aside(options: Options, name: str, limit: int) -> None:
    """Show what is kept of NAME, or of all feeds, with the reason."""
    instance = options.open()
    with instance.store.read() as connection:
        total = quarantine.count(connection, name) if name else sum(quarantine.counts(connection).values())
        items = quarantine.find(connection, name, limit)
    for item in items:
        click.echo(f"{_time(item.received_at)} {item.source:28} {item.reason}: {item.detail}")
    click.echo(f"{total} items in quarantine.")


@aside.command("take")
@click.argument("name")
@click.pass_obj
def take_aside(options: Options, name: str) -> None:
    """Take again what is kept of NAME: what is accepted now leaves the quarantine."""
    instance, known = opened(options)
    taken = take_quarantined(instance, _named(known, name))
    click.echo(f"{name}: {taken.kept} kept, {taken.duplicate} duplicate, {len(taken.still)} still rejected")
    for reason, count in Counter(item.reason for item in taken.still).most_common():
        example = next(item for item in taken.still if item.reason == reason)
        click.echo(f"  {count:6} {reason}: for instance {example.detail}")


def _told(run: FeedRun) -> str:
    rejected = ", ".join(f"{count} {reason}" for reason, count in sorted(run.rejected.items()))
    counts = f"{run.kept} kept, {run.duplicate} duplicate, {sum(run.rejected.values())} rejected"
    said = f"{run.started_at:%Y-%m-%dT%H:%M:%SZ} {run.outcome}: {counts}{f' ({rejected})' if rejected else ''}"
    return f"{said}; {run.error}" if run.error else said


def _named(known: Sequence[Feed], name: str) -> Feed:
    found = {feed.name: feed for feed in known}
    if name not in found:
        raise SettingsError(f'There is no feed "{name}"; there are {", ".join(found) or "none"}.')
    return found[name]


def _span(every: timedelta) -> str:
    seconds = int(every.total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
