"""One hearing of one feed: get -> parse -> accept -> FeedRun. A failure is a run that listened to nothing. I/O."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from functools import partial
from hashlib import blake2b
from typing import Any

from aggregator.clock import floor_to
from aggregator.errors import FeedBlocked, FeedChanged, FeedUnreachable, StoreError
from aggregator.feedmodel import FeedState
from aggregator.instance import Instance
from aggregator.model import FeedOutcome, FeedRun, RawReport, Rejected, Signal, Statement
from aggregator.normalise import id_of_key
from aggregator.outbound.client import Outbound
from aggregator.outbound.pace import after_failure
from aggregator.pipeline import Outcome, Tally, accept
from aggregator.store import Connection, feeds, quarantine, runs, signals, statements, versions
from ingest.asking import SECOND, Fetched, Window
from ingest.feed import Feed
from ingest.fetch import fetch, parse
from ingest.judge import believed, unswapped
from ingest.kept import Thing, content_print, hider, payload_of, quarantined, without_persons
from ingest.parsers import Parsed
from ingest.posts import told
from ingest.resolve import resolve_signal, resolve_statement

FAILURES: tuple[tuple[type[Exception], FeedOutcome], ...] = (
    (FeedUnreachable, "unreachable"),
    (FeedBlocked, "blocked"),
    (FeedChanged, "changed"),
)
GOOD = frozenset({"ok", "not_modified"})
READING = frozenset(
    {"format", "kind", "records", "encoding", "delimiter", "date_format", "tz", "fields", "open_providers"}
    | {"provider", "service", "services", "channel"}
)
Pause = Callable[[FeedState, datetime, timedelta], FeedState]  # what follows from one more failure
log = logging.getLogger("netzlage.ingest")


def run_feed(
    instance: Instance,
    feed: Feed,
    outbound: Outbound,
    *,
    seen: Callable[[Outcome], object] | None = None,
    chance: float = 0.5,
) -> FeedRun:
    """Hear `feed` once and store what it says, with the run. Never raises for what the feed does; StoreError passes.

    seen: told what became of the reports, for those who ask more than the run keeps. chance: 0 to 1, of how long it is
    left alone where it fails.

    A good run listened to [end of the last good one, or its lookback ago; now). A failed one listened to nothing: its
    buckets stay blind until a later run that sees so far back has heard them.
    """
    started = floor_to(instance.clock.now(), SECOND)
    fetched = Fetched()
    try:
        with instance.store.read() as connection:
            window, gap_from = _window(connection, feed, started)
            known = feeds.remembered(connection, feed.name, form_of(feed))
        fetched = fetch(feed, outbound, window, known)
        run = _begun(instance, feed, window, gap_from)
        if fetched.not_modified:
            run = _store(instance, replace(run, outcome="not_modified"))
        else:
            run = take(instance, feed, parse(feed, fetched), run, seen=seen)
        return _settle(instance, feed, fetched, run, partial(after_failure, chance=chance))
    except StoreError:
        raise
    except Exception as error:  # the feed shell: whatever one feed does, the others go on
        run = _store(instance, _failed(instance, feed, started, error))
        wish = getattr(error, "retry_after", 0.0)
        return _settle(instance, feed, fetched, run, partial(after_failure, chance=chance, retry_after=wish))


def form_of(feed: Feed) -> str:
    """Return a hash of all that says how the feed is read: read otherwise, what is not modified is new."""
    values = asdict(feed)
    said = "\x1f".join(f"{name}={values[name]!r}" for name in sorted(READING))
    return blake2b(said.encode(), digest_size=8).hexdigest()


def next_window(instance: Instance, feed: Feed, now: datetime) -> Window:
    """Return what is still to be heard, no further back than the feed can see."""
    with instance.store.read() as connection:
        return _window(connection, feed, now)[0]


def _window(connection: Connection, feed: Feed, now: datetime) -> tuple[Window, datetime | None]:
    """Return what is still to be heard, and since when there is more that cannot be heard any more."""
    last = runs.heard_until(connection, feed.name)
    earliest = now - feed.lookback
    if last is None:
        return Window(earliest, now), None
    return Window(min(now, max(last, earliest)), now), last if last < earliest else None


def _begun(instance: Instance, feed: Feed, window: Window, gap_from: datetime | None) -> FeedRun:
    return FeedRun(
        source=feed.name,
        started_at=window.until,
        finished_at=instance.clock.now(),
        outcome="ok",
        kind=feed.kind,
        listened_from=window.since,
        listened_until=window.until,
        gap_from=gap_from,
    )


def take(
    instance: Instance, feed: Feed, parsed: Parsed, run: FeedRun, *, seen: Callable[[Outcome], object] | None = None
) -> FeedRun:
    """Store what was parsed together with `run`, and return the run as it was stored."""
    parsed = told(parsed, feed, instance.catalogue)
    if feed.kind == "statements":
        said = [_of_statement(statement, instance, feed, run) for statement in parsed.statements]
        return _store_others(instance, feed, run, [*_alone(parsed.rejected), *said])
    if feed.kind == "signals":
        measured = [(signal, resolve_signal(signal, instance.catalogue, run.started_at)) for signal in parsed.signals]
        return _store_others(instance, feed, run, [*_alone(parsed.rejected), *measured])
    raws = unswapped(map(without_persons, parsed.reports), feed, run.started_at)
    there, ledger = _compared(instance, raws, run.started_at)
    outcome = accept(
        instance,
        [*there, *parsed.rejected],
        run=run,
        ledger=ledger,
        judge=lambda filled, tally: _judged(feed, filled, tally),
        aside=partial(_keep_aside, instance, feed),
    )
    if seen:
        seen(outcome)
    return outcome.run or run


def _compared(
    instance: Instance, raws: Sequence[RawReport | Rejected], now: datetime
) -> tuple[list[RawReport | Rejected], versions.Ledger]:
    """Take back what its source has deleted, and compare the rest with what is stored of it."""
    there = [raw if isinstance(raw, Rejected) or not raw.deleted else _gone(raw) for raw in raws]
    deleted = [_id(raw) for raw in raws if isinstance(raw, RawReport) and raw.deleted and raw.key]
    if deleted:
        with instance.store.write() as connection:
            versions.withdraw(connection, deleted, now)
    prints = {_id(raw): content_print(raw) for raw in there if isinstance(raw, RawReport) and raw.key}
    with instance.store.read() as connection:
        return there, versions.compare(connection, prints)


def _id(raw: RawReport) -> str:
    return id_of_key(raw.network or raw.source, raw.key)


def _gone(raw: RawReport) -> Rejected:
    return Rejected("deleted", "Its source has taken it back.", "deleted", raw.where)


def _of_statement(
    statement: Statement, instance: Instance, feed: Feed, run: FeedRun
) -> tuple[Statement, Statement | Rejected]:
    facts, openly = instance.catalogue, feed.open_providers
    return statement, resolve_statement(statement, facts, run.started_at, open_providers=openly)


def _judged(feed: Feed, run: FeedRun, tally: Tally) -> FeedRun:
    return believed(feed, run, tally.rejects, tally.first)


def _alone(rejected: Iterable[Rejected]) -> list[tuple[Rejected, Rejected]]:
    return [(item, item) for item in rejected]


def _keep_aside(instance: Instance, feed: Feed, connection: Connection, refused: Sequence[tuple[Any, Any]]) -> None:
    quarantine.add(connection, quarantined(feed, refused, instance.clock.now(), hider(instance.key)))


def _store_others(
    instance: Instance, feed: Feed, run: FeedRun, found: Sequence[tuple[Thing | Rejected, Thing | Rejected]]
) -> FeedRun:
    """Store statements or signals, what they are not, and the run with its counts, in one transaction."""
    refused = [pair for pair in found if isinstance(pair[1], Rejected)]
    counts = dict(Counter(rejected.reason for _, rejected in refused if isinstance(rejected, Rejected)))
    said = [item for _, item in found if isinstance(item, Statement)]
    measured = [item for _, item in found if isinstance(item, Signal)]
    times = [*(item.said_at for item in said), *(item.started_at for item in measured)]
    with instance.store.write() as connection:
        new = statements.add(connection, said) + signals.add(connection, measured)
        good = len(said) + len(measured)
        run = replace(run, fetched=len(found), kept=new, duplicate=good - new, rejected=counts)
        run = believed(feed, run, [item for _, item in refused if isinstance(item, Rejected)], min(times, default=None))
        _keep_aside(instance, feed, connection, refused)
        runs.add(connection, run)
    return run


def _failed(instance: Instance, feed: Feed, started: datetime, error: Exception) -> FeedRun:
    outcome = next((name for kind, name in FAILURES if isinstance(error, kind)), None)
    said = str(error)
    if outcome is None:
        log.error("feed %s", feed.name, exc_info=error)
        outcome, said = "changed", f"It could not be read ({type(error).__name__}: {str(error)[:200]})."
    return FeedRun(feed.name, started, instance.clock.now(), outcome, feed.kind, error=said)


def _store(instance: Instance, run: FeedRun) -> FeedRun:
    with instance.store.write() as connection:
        runs.add(connection, run)
    return run


def _settle(instance: Instance, feed: Feed, fetched: Fetched, run: FeedRun, pause: Pause) -> FeedRun:
    """Keep what follows from the run: the feed's state, validators of what is stored, a payload that was not read."""
    now = instance.clock.now()
    with instance.store.read() as connection:
        before = feeds.state(connection, feed.name)
    if run.outcome in GOOD and not before.failures and not fetched.remember:
        return run
    with instance.store.write() as connection:
        if run.outcome in GOOD:
            feeds.keep_state(connection, feed.name, FeedState())
            feeds.remember(connection, feed.name, form_of(feed), fetched.remember)
            return run
        feeds.keep_state(connection, feed.name, pause(before, now, feed.every))
        if run.outcome == "changed":
            feeds.forget_validators(connection, feed.name)
        if run.outcome == "changed" and fetched.payloads:
            kept = payload_of(feed, fetched.payloads, run.error, now, hider(instance.key))
            feeds.keep_payload(connection, kept)
    return run
