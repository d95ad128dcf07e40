"""What could not be taken, taken again after a mend: payloads that were not read, items in quarantine. I/O."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from aggregator.clock import floor_to
from aggregator.errors import FeedError
from aggregator.feedmodel import PAYLOAD_CAP, Quarantined
from aggregator.instance import Instance
from aggregator.model import FeedRun, RawReport, Rejected, Signal, Statement
from aggregator.pipeline import Outcome, accept
from aggregator.store import feeds, quarantine, runs, signals, statements
from ingest.asking import SECOND
from ingest.feed import Feed
from ingest.kept import Thing, hints_from_json, thing_of
from ingest.parsers import NO_HINTS, PARSERS, Parsed, read
from ingest.posts import told
from ingest.resolve import resolve_signal, resolve_statement
from ingest.runner import take

AS_TEXT: Final = "utf-8"  # what was kept of a document is in it, whatever the document was in
# Where the list of items stands in a document of each format that is JSON.
LISTS: Final[Mapping[str, str]] = {
    "downdetector_v2": "",
    "stoerungsauskunft": "",
    "open311": "",
    "mastodon_tag": "",
    "statuspage": "incidents",
    "ioda": "data",
    "cloudflare_outages": "result.annotations",
    "json_records": "",
}


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of items in quarantine: taken, known already, or still rejected (the first reason of each)."""

    kept: int
    duplicate: int
    still: tuple[Rejected, ...]


def take_payload(instance: Instance, feed: Feed, *, seen: Callable[[Outcome], object] | None = None) -> FeedRun:
    """Read the last payload kept of `feed` as the stanza and the parser are now, and store what it says.

    It was heard when it came: that time counts as listened to, as far as nothing after it was heard. Raises FeedError
    where there is none or it was cut, FeedChanged where it still cannot be read.
    """
    with instance.store.read() as connection:
        kept = feeds.last_payload(connection, feed.name)
        last = runs.heard_until(connection, feed.name)
    if kept is None:
        raise FeedError(f"Of {feed.name} no payload is kept; one is when it cannot be read, for seven days.")
    if not kept.whole:
        raise FeedError(f"The payload of {feed.name} was cut at {PAYLOAD_CAP:,} characters, so it cannot be taken.")
    reading, parsed = replace(feed, encoding=AS_TEXT), Parsed()
    for text, hints in kept.documents:
        parsed += PARSERS[feed.format](text.encode("utf-8", "surrogatepass"), reading, hints_from_json(hints))
    at = floor_to(kept.received_at, SECOND)
    since = max(last, at - feed.lookback) if last else at - feed.lookback
    heard = (since, at) if since < at else (None, None)
    run = FeedRun(feed.name, at, instance.clock.now(), "ok", feed.kind, listened_from=heard[0], listened_until=heard[1])
    run = take(instance, feed, parsed, run, seen=seen)
    if run.outcome == "ok":
        with instance.store.write() as connection:
            feeds.drop_payload(connection, kept)
    return run


def take_quarantined(instance: Instance, feed: Feed) -> Taken:
    """Take what is in quarantine of `feed` again: what is accepted now leaves it, the rest stays as it is."""
    with instance.store.read() as connection:
        items = quarantine.find(connection, feed.name)
    kept = duplicate = 0
    still: list[Rejected] = []
    gone: list[str] = []
    for item in items:
        new, known, rejected = _take(instance, feed, item)
        kept, duplicate = kept + new, duplicate + known
        still += rejected[:1]
        if not rejected:
            gone.append(item.item_id)
    with instance.store.write() as connection:
        quarantine.drop(connection, gone)
    return Taken(kept, duplicate, tuple(still))


Counts = tuple[int, int, Sequence[Rejected]]  # kept, known already, rejected


def _take(instance: Instance, feed: Feed, item: Quarantined) -> Counts:
    thing = thing_of(item)
    parsed = _sorted(thing, feed) if thing else told(_parsed(feed, item), feed, instance.catalogue)
    facts, now, openly = instance.catalogue, instance.clock.now(), feed.open_providers
    said = [resolve_statement(statement, facts, now, open_providers=openly) for statement in parsed.statements]
    measured = [resolve_signal(signal, facts, now) for signal in parsed.signals]
    good = [item for item in said if isinstance(item, Statement)]
    seen = [item for item in measured if isinstance(item, Signal)]
    with instance.store.write() as connection:
        new = statements.add(connection, good) + signals.add(connection, seen)
    outcome = accept(instance, [*parsed.reports, *parsed.rejected])
    rejected = [item for item in (*said, *measured) if isinstance(item, Rejected)]
    known = len(good) + len(seen) - new
    return new + outcome.kept, known + outcome.duplicate, [*outcome.rejects, *rejected]


def _sorted(thing: Thing, feed: Feed) -> Parsed:
    """Return the thing with what the stanza says now of all its items."""
    if isinstance(thing, RawReport):
        provider, service = thing.provider or feed.provider, thing.service or feed.service
        at = _dated(thing.observed_at, feed)
        now = replace(thing, provider=provider, service=service, observed_at=at, open_provider=feed.open_providers)
        return Parsed(reports=[now])
    return Parsed(statements=[thing]) if isinstance(thing, Statement) else Parsed(signals=[thing])


def _dated(said: datetime | str | None, feed: Feed) -> datetime | str | None:
    """Read a time that was left as text in the form that the stanza names now."""
    try:
        return read.moment(said, feed.date_format, feed.tz) if isinstance(said, str) else said
    except ValueError:
        return said


def _parsed(feed: Feed, item: Quarantined) -> Parsed:
    """Parse an item of which nothing could be made, in a document of its own."""
    if item.item is None or (feed.format not in LISTS and feed.format != "csv_table"):
        return Parsed(rejected=[Rejected(item.reason, item.detail, item.field)])
    reading = replace(feed, encoding=AS_TEXT, delimiter="\t" if feed.format == "csv_table" else "")
    try:
        return PARSERS[feed.format](_document(feed, item.item), reading, NO_HINTS)
    except FeedError as error:
        return Parsed(rejected=[Rejected(item.reason, str(error), item.field)])


def _document(feed: Feed, item: Any) -> bytes:
    if feed.format == "csv_table":
        rows = io.StringIO()
        csv.writer(rows, delimiter="\t").writerows([list(item), list(item.values())])
        return rows.getvalue().encode()
    document: Any = [item]
    for step in reversed(list(filter(None, (feed.records or LISTS[feed.format]).split(".")))):
        document = {step: document}
    return json.dumps(document).encode()
