"""A page of /slugs/{slug}/locations -> raw reports, of /slugs/{slug}/reports -> signals (their counts). Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from aggregator.errors import FeedBlocked, FeedChanged
from aggregator.model import RawReport, Rejected, Signal
from ingest.parsers import read
from ingest.parsers.base import Feed, Found, Hints, Parsed, collect

REFUSALS: Final = {401, 403, 429}
INTERVAL: Final = timedelta(minutes=15)  # of the counts, as we ask for them
HOUR: Final = 3600.0  # seconds a token lives at most


def parse(payload: bytes, feed: Feed, hints: Hints) -> Parsed:
    """Read one page of locations, of a feed of signals one of counts.

    `hints` name the provider and the indicators (their id -> slug) that items only number. Items have no key of their
    own. Raises FeedChanged where it is no such list, FeedBlocked where it is their message of refusal.
    """
    items = read.list_at(_document(payload, feed), "")
    if feed.kind == "signals":
        read.expect(items, "the time of a count", "point_in_time")
        return collect(items, lambda item, where: _count(item, feed, hints, where))
    read.expect(items, "the time of a report", "created_at")
    return collect(items, lambda item, where: _report(item, feed, hints, where))


def _document(payload: bytes, feed: Feed) -> Any:
    document = read.json_of(payload, feed.encoding)
    if isinstance(document, Mapping) and document.get("error") and document.get("statusCode") in REFUSALS:
        said = read.text(document.get("message"))[:120].rstrip(".")
        raise FeedBlocked(f'The server does not let us listen: "{said}".')
    return document


def _count(item: Mapping[str, Any], feed: Feed, hints: Hints, where: str) -> Signal | Rejected | list[Found]:
    """Read how many reports they had in a quarter of an hour; one that is not over yet says nothing."""
    start, total = read.aware(item.get("point_in_time")), read.number(item.get("total"))
    if start is None:
        said = read.text(item.get("point_in_time"))[:40]
        return Rejected("bad_time", f'point_in_time "{said}" is not a time of ISO 8601.', "point_in_time", where)
    if not isinstance(total, float) or not 0 <= total < float("inf"):
        return Rejected("bad_number", f"total {str(total)[:40]!r} is not a number of reports.", "total", where)
    if hints.until and start <= hints.until < start + INTERVAL:
        return []
    provider = hints.provider or feed.provider
    return Signal(
        signal_id=read.digest("signal", feed.name, provider, start.isoformat()),
        source=feed.name,
        region="",
        started_at=start,
        ended_at=start + INTERVAL,
        what="count",
        details={name: item[name] for name in ("indicators", "other", "tweets") if isinstance(item.get(name), int)},
        provider=provider,
        value=total,
    )


def _report(item: Mapping[str, Any], feed: Feed, hints: Hints, where: str) -> RawReport | Rejected:
    location = item.get("location")
    place = location if isinstance(location, Mapping) else {}
    number = read.text(item.get("indicator_id"))
    return RawReport(
        source=feed.name,
        provider=hints.provider or feed.provider,
        service=hints.services.get(number) or feed.service,
        observed_at=read.text(item.get("created_at")) or None,
        lat=read.number(place.get("latitude")),
        lon=read.number(place.get("longitude")),
        place_source="ip" if place.get("source") == "ip" else "",
        where=where,
    )


def indicator_ids(payload: bytes) -> set[str]:
    """Return the ids of indicators that a page mentions, to be asked for before it is parsed."""
    return {found.decode() for found in re.findall(rb'"indicator_id"\s*:\s*"?(\d{1,12})', payload)}


def indicator_slug(payload: bytes) -> str:
    """Return the slug in an answer of /indicators/{id}; FeedChanged where it has none."""
    document = read.json_of(payload)
    slug = read.text(read.at(document, "slug"))
    if not slug:
        raise FeedChanged('An indicator has no "slug" any more; the form has changed.')
    return slug


def access_token(payload: bytes) -> tuple[str, float]:
    """Return the access token in an answer of /tokens and its seconds of life; FeedChanged where it has none."""
    document = read.json_of(payload)
    token, seconds = read.text(read.at(document, "access_token")), read.number(read.at(document, "expires_in"))
    if not token:
        raise FeedChanged('The answer to our credentials has no "access_token"; the form has changed.')
    return token, seconds if isinstance(seconds, float) and 0 < seconds < HOUR else HOUR
