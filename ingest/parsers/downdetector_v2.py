"""A page of /slugs/{slug}/locations -> raw reports. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from aggregator.errors import FeedBlocked, FeedChanged
from aggregator.model import RawReport, Rejected
from ingest.parsers import read
from ingest.parsers.base import Feed, Hints, Parsed

REFUSALS = {401, 403, 429}


def parse(payload: bytes, feed: Feed, hints: Hints) -> Parsed:
    """Read one page; `hints` name the provider and the indicators (their id -> slug) that items only number.

    Items have no key of their own. Raises FeedChanged where it is no list of locations, FeedBlocked where it is their
    message of refusal.
    """
    document = _document(payload, feed)
    items = read.list_at(document, "")
    if items and all(read.at(item, "created_at") is read.MISSING for item in items):
        raise FeedChanged('No item has "created_at" any more; the form has changed.')
    parsed = Parsed()
    for number, item in enumerate(items, 1):
        found = _report(item, feed, hints, f"item {number}")
        (parsed.rejected if isinstance(found, Rejected) else parsed.reports).append(found)  # type: ignore[arg-type]
    return parsed


def _document(payload: bytes, feed: Feed) -> Any:
    document = read.json_of(payload, feed.encoding)
    if isinstance(document, Mapping) and document.get("error") and document.get("statusCode") in REFUSALS:
        said = read.text(document.get("message"))[:120].rstrip(".")
        raise FeedBlocked(f'The server does not let us listen: "{said}".')
    return document


def _report(item: Any, feed: Feed, hints: Hints, where: str) -> RawReport | Rejected:
    if not isinstance(item, Mapping):
        return Rejected("missing_field", "The item is not a record with named fields.", where=where)
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


def access_token(payload: bytes) -> str:
    """Return the access token in an answer of /tokens; FeedChanged where it has none."""
    token = read.text(read.at(read.json_of(payload), "access_token"))
    if not token:
        raise FeedChanged('The answer to our credentials has no "access_token"; the form has changed.')
    return token
