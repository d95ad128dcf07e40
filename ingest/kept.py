"""What is kept of items and payloads that could not be taken: as JSON, redacted, and back again. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final, Literal

from aggregator.feedmodel import PAYLOAD_CAP, Payload, Quarantined
from aggregator.model import RawReport, Rejected, Report, Signal, Statement
from aggregator.redact import Hide, redact, redact_document
from ingest.parsers import Feed, Hints
from ingest.parsers.read import digest, text_of

Shape = Literal["raw", "item", "statement", "signal"]
Thing = RawReport | Statement | Signal
LONGEST: Final = 20_000  # characters of an item; of a longer one only that it was there is kept
DECLARED: Final = re.compile(r"""(<\?xml[^>]*?\sencoding=)["'][^"']*["']""")
TIMES: Final = frozenset({"said_at", "started_at", "ended_at", "received_at", "expected_end"})


def hider(key: bytes) -> Hide:
    """Return what makes a keyed hash of a person's name, the same for the same name."""
    return lambda name: "~" + blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8, key=key[:64]).hexdigest()


def persons_of(feed: Feed) -> frozenset[str]:
    """Return the names of the fields that the stanza says to hold persons."""
    paths = (feed.fields.get(name, "") for name in ("reporter", "address"))
    return frozenset(path.rpartition(".")[2] for path in paths if path)


def without_persons(raw: RawReport) -> RawReport:
    """Return the report with what its comment says of persons redacted."""
    return replace(raw, comment=redact(raw.comment)) if raw.comment else raw


def content_print(raw: RawReport) -> str:
    """Return a hash of what a raw report says that counts: a comment or an end may change, it stays the same report."""
    where = (raw.region, raw.plz, raw.place, raw.lat, raw.lon)
    said = (
        raw.network or raw.source,
        raw.provider,
        raw.service,
        raw.symptom,
        raw.observed_at,
        raw.began_at,
        raw.reporter,
        *where,
    )
    return digest("print", *map(str, said))


def payload_of(feed: Feed, payloads: Iterable[tuple[bytes, Hints]], error: str, now: datetime, hide: Hide) -> Payload:
    """Return what a feed sent, as redacted text."""
    documents, left = [], PAYLOAD_CAP
    for body, hints in payloads:
        text = text_of(body, feed.encoding)
        documents.append((_redacted(text[:left], hide, persons_of(feed)), _hints_to_json(hints)))
        left -= len(text)
        if left < 0:  # cut before it is redacted: what is too long may be as long as it likes
            break
    return Payload(feed.name, now, error, tuple(documents), whole=left >= 0)


def _redacted(text: str, hide: Hide, persons: frozenset[str]) -> str:
    return DECLARED.sub(r'\1"utf-8"', redact_document(text, hide, persons), count=1)


def _hints_to_json(hints: Hints) -> dict[str, Any]:
    until = hints.until.isoformat() if hints.until else ""
    return {"provider": hints.provider, "services": dict(hints.services), "places": dict(hints.places), "until": until}


def hints_from_json(given: Mapping[str, Any]) -> Hints:
    """Return the hints that were kept with a document."""
    until = datetime.fromisoformat(given["until"]) if given["until"] else None
    return Hints(given["provider"], given["services"], given["places"], until)


def quarantined(
    feed: Feed, refused: Iterable[tuple[Thing | Rejected, Report | Rejected]], now: datetime, hide: Hide
) -> list[Quarantined]:
    """Return what is kept of rejected items: the report, statement or signal, else the item as the parser had it."""
    return [_quarantined(feed, made_of, why, now, hide) for made_of, why in refused if isinstance(why, Rejected)]


def _quarantined(feed: Feed, made_of: Thing | Rejected, why: Rejected, now: datetime, hide: Hide) -> Quarantined:
    shape, item = _plain(made_of)
    text = json.dumps(item, ensure_ascii=False, sort_keys=True, default=str)
    persons = persons_of(feed) | {"reporter", "address"}
    safe = redact_document(text, hide, persons) if len(text) <= LONGEST else "null"
    said = f"{feed.name}\x1f{why.reason}\x1f{shape}\x1f{safe}".encode("utf-8", "surrogatepass")
    item_id = blake2b(said, digest_size=12).hexdigest()
    detail = redact(why.detail)
    return Quarantined(item_id, feed.name, now, why.reason, why.field, detail, shape, json.loads(safe))


def _plain(thing: Thing | Rejected) -> tuple[Shape, Any]:
    if isinstance(thing, Rejected):
        return "item", thing.item
    shape: Shape = "raw" if isinstance(thing, RawReport) else "statement" if isinstance(thing, Statement) else "signal"
    values = {name: value for name, value in asdict(thing).items() if value not in (None, "", {}, False)}
    return shape, {name: v.isoformat() if isinstance(v, datetime) else v for name, v in values.items()}


def thing_of(kept: Quarantined) -> Thing | None:
    """Return the report, statement or signal that was kept, None where it is an item or nothing was kept of it."""
    if not isinstance(kept.item, dict) or kept.shape == "item":
        return None
    if kept.shape == "raw":
        return RawReport(**kept.item)
    timed: dict[str, Any] = {n: datetime.fromisoformat(v) if n in TIMES and v else v for n, v in kept.item.items()}
    if kept.shape == "statement":
        return Statement(**timed)
    timed = {"region": "", "ended_at": None, **timed}
    return Signal(**timed)
