"""One hearing of one feed: get -> parse -> accept -> FeedRun. A failure is a run that listened to nothing. I/O."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from aggregator.clock import floor_to
from aggregator.errors import FeedBlocked, FeedChanged, FeedUnreachable, StoreError
from aggregator.instance import Instance
from aggregator.model import ALL, FeedOutcome, FeedRun, Rejected, Statement
from aggregator.outbound import Outbound
from aggregator.pipeline import Outcome, accept
from aggregator.store import runs, statements
from ingest.feed import Feed
from ingest.fetch import SECOND, Fetched, Window, fetch, parse
from ingest.parsers import Parsed

FAILURES: tuple[tuple[type[Exception], FeedOutcome], ...] = (
    (FeedUnreachable, "unreachable"),
    (FeedBlocked, "blocked"),
    (FeedChanged, "changed"),
)
log = logging.getLogger("netzlage.ingest")


def run_feed(
    instance: Instance, feed: Feed, outbound: Outbound, *, seen: Callable[[Outcome], object] | None = None
) -> FeedRun:
    """Hear `feed` once and store what it says, with the run. Never raises for what the feed does; StoreError passes.

    seen: told what became of the reports, for those who ask more than the run keeps.

    A good run listened to [end of the last good one, or its lookback ago; now). A failed one listened to nothing: its
    buckets stay blind until a later run that sees so far back has heard them.
    """
    started = floor_to(instance.clock.now(), SECOND)
    try:
        window = next_window(instance, feed, started)
        fetched = fetch(feed, outbound, window)
        run, outcome = _keep(instance, feed, fetched, _good_run(instance, feed, window, started))
        if fetched.remember:
            outbound.remember(*fetched.remember)
        if seen and outcome:
            seen(outcome)
        return run
    except StoreError:
        raise
    except Exception as error:  # the feed shell: whatever one feed does, the others go on
        return _store_failure(instance, feed, started, error)


def next_window(instance: Instance, feed: Feed, now: datetime) -> Window:
    """Return what is still to be heard, no further back than the feed can see."""
    with instance.store.read() as connection:
        last = runs.heard_until(connection, feed.name)
    earliest = now - feed.lookback
    return Window(min(now, max(last, earliest)) if last else earliest, now)


def _good_run(instance: Instance, feed: Feed, window: Window, started: datetime) -> FeedRun:
    return FeedRun(
        source=feed.name,
        started_at=started,
        finished_at=instance.clock.now(),
        outcome="ok",
        kind=feed.kind,
        listened_from=window.since,
        listened_until=window.until,
    )


def _keep(instance: Instance, feed: Feed, fetched: Fetched, run: FeedRun) -> tuple[FeedRun, Outcome | None]:
    """Parse and store; the run goes into the store together with what it brought."""
    if fetched.not_modified:
        return _store(instance, replace(run, outcome="not_modified")), None
    parsed = parse(feed, fetched)
    if feed.kind == "statements":
        return _keep_statements(instance, parsed, run), None
    outcome = accept(instance, [*parsed.reports, *parsed.rejected], run=run)
    return outcome.run or run, outcome


def _keep_statements(instance: Instance, parsed: Parsed, run: FeedRun) -> FeedRun:
    resolved = [resolve(statement, instance, run.started_at) for statement in parsed.statements]
    good = [item for item in resolved if isinstance(item, Statement)]
    rejected: dict[str, int] = {}
    for item in [*parsed.rejected, *resolved]:
        if isinstance(item, Rejected):
            rejected[item.reason] = rejected.get(item.reason, 0) + 1
    with instance.store.write() as connection:
        new = statements.add(connection, good)
        run = replace(
            run, fetched=len(resolved) + len(parsed.rejected), kept=new, duplicate=len(good) - new, rejected=rejected
        )
        runs.add(connection, run)
    return run


def resolve(statement: Statement, instance: Instance, now: datetime) -> Statement | Rejected:
    """Return the statement with our ids of provider and service, or why there are none."""
    catalogue = instance.catalogue
    provider = catalogue.provider_id(statement.provider)
    service = ALL if statement.service == ALL else catalogue.service_id(statement.service)
    if provider is None:
        return Rejected("unknown_provider", f'Provider "{statement.provider[:40]}" is not known.', "provider")
    if service is None:
        return Rejected("unknown_service", f'Service "{statement.service[:40]}" is not known.', "service")
    return replace(statement, provider=provider, service=service, received_at=now)


def _store_failure(instance: Instance, feed: Feed, started: datetime, error: Exception) -> FeedRun:
    outcome = next((name for kind, name in FAILURES if isinstance(error, kind)), None)
    said = str(error)
    if outcome is None:
        log.error("feed %s", feed.name, exc_info=error)
        outcome, said = "changed", f"It could not be read ({type(error).__name__}: {str(error)[:200]})."
    run = FeedRun(feed.name, started, instance.clock.now(), outcome, feed.kind, error=said)
    return _store(instance, run)


def _store(instance: Instance, run: FeedRun) -> FeedRun:
    with instance.store.write() as connection:
        runs.add(connection, run)
    return run
