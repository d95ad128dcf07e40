"""How feeds go: failures and until when they are left alone, ETags of what is stored, payloads kept. I/O."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, insert, select

from aggregator.feedmodel import PAYLOAD_CAP, FeedState, Payload
from aggregator.store.feed_tables import feed_states, payloads, validators
from aggregator.store.select import upsert

KEPT: Final = timedelta(days=7)
MOST: Final = 20  # payloads of one source: one that fails each minute keeps its last ones

Validators = Mapping[str, tuple[str, str]]  # URL -> ETag, Last-Modified


def states(connection: Connection) -> dict[str, FeedState]:
    """Return the state of each source that does not go well."""
    c = feed_states.c
    rows = connection.execute(select(c.source, c.failures, c.failing_since, c.not_before))
    return {row.source: FeedState(row.failures, row.failing_since, row.not_before) for row in rows}


def state(connection: Connection, source: str) -> FeedState:
    """Return the state of one source."""
    c = feed_states.c
    query = select(c.failures, c.failing_since, c.not_before).where(c.source == source)
    row = connection.execute(query).one_or_none()
    return FeedState(*row) if row else FeedState()


def keep_state(connection: Connection, source: str, now: FeedState) -> None:
    """Put `now` in the place of the source's state."""
    connection.execute(delete(feed_states).where(feed_states.c.source == source))
    if now.failures:
        row = {"failures": now.failures, "failing_since": now.failing_since, "not_before": now.not_before}
        connection.execute(insert(feed_states), {"source": source, **row})


def remembered(connection: Connection, source: str, form: str) -> dict[str, tuple[str, str]]:
    """Return ETag and Last-Modified by URL of what is stored of `source`, as far as it was read in this form."""
    c = validators.c
    query = select(c.url, c.etag, c.last_modified).where(c.source == source, c.form == form)
    return {row.url: (row.etag, row.last_modified) for row in connection.execute(query)}


def remember(connection: Connection, source: str, form: str, seen: Validators) -> None:
    """Keep validators; to be called only with (or after) what stores the content."""
    for url, (etag, last_modified) in seen.items():
        row = {"source": source, "url": url, "form": form, "etag": etag, "last_modified": last_modified}
        new = upsert(connection, validators)
        told = {name: new.excluded[name] for name in ("form", "etag", "last_modified")}
        connection.execute(new.on_conflict_do_update(index_elements=["source", "url"], set_=told), row)


def forget_validators(connection: Connection, source: str) -> None:
    """Forget what was remembered of `source`: the next answer is taken whole."""
    connection.execute(delete(validators).where(validators.c.source == source))


def keep_payload(connection: Connection, payload: Payload) -> bool:
    """Keep a payload, cut at the cap, unless the source's last one was the same; says whether it was kept."""
    documents, whole = _cut(payload.documents)
    said = json.dumps(documents, ensure_ascii=False).encode("utf-8", "surrogatepass")
    digest = blake2b(said, digest_size=12).hexdigest()
    last = select(payloads.c.print).where(payloads.c.source == payload.source).order_by(payloads.c.id.desc()).limit(1)
    if connection.execute(last).scalar() == digest:
        return False
    row = {"source": payload.source, "received_at": payload.received_at, "error": payload.error, "print": digest}
    connection.execute(insert(payloads), {**row, "body": zlib.compress(said), "whole": whole and payload.whole})
    newest = select(payloads.c.id).where(payloads.c.source == payload.source).order_by(payloads.c.id.desc()).limit(MOST)
    old = delete(payloads).where(payloads.c.source == payload.source, payloads.c.id.not_in(newest.scalar_subquery()))
    connection.execute(old)
    return True


def _cut(documents: tuple[tuple[str, Mapping[str, Any]], ...]) -> tuple[list[tuple[str, Mapping[str, Any]]], bool]:
    left, kept = PAYLOAD_CAP, []
    for text, hints in documents:
        kept.append((text[:left], hints))
        left -= len(text)
        if left < 0:
            return kept, False
    return kept, True


def last_payload(connection: Connection, source: str) -> Payload | None:
    """Return the newest payload kept of `source`, None where there is none."""
    query = select(payloads).where(payloads.c.source == source).order_by(payloads.c.id.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return _payload(row) if row else None


def _payload(row: Row[Any]) -> Payload:
    documents = json.loads(zlib.decompress(row.body).decode("utf-8", "surrogatepass"))
    pairs = tuple((text, hints) for text, hints in documents)
    return Payload(row.source, row.received_at, row.error, pairs, row.whole)


def payload_times(connection: Connection) -> dict[str, datetime]:
    """Return for each source when its newest payload was kept."""
    query = select(payloads.c.source, payloads.c.received_at).order_by(payloads.c.id)
    return {row.source: row.received_at for row in connection.execute(query)}


def forget_payloads(connection: Connection, now: datetime) -> int:
    """Delete the payloads that are older than seven days and return how many these were."""
    return connection.execute(delete(payloads).where(payloads.c.received_at < now - KEPT)).rowcount


def drop_payload(connection: Connection, payload: Payload) -> None:
    """Delete a payload that was taken."""
    c = payloads.c
    connection.execute(delete(payloads).where(c.source == payload.source, c.received_at == payload.received_at))
