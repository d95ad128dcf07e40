"""Feeds that are asked for more than one document: open311, ioda, cloudflare_outages. I/O."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode, urlsplit

from aggregator.errors import FeedChanged
from aggregator.outbound.client import Outbound
from ingest.asking import OVERLAP, Asker, Fetched, Window, asking, dated, utc
from ingest.feed import Feed
from ingest.parsers import Hints, open311, read

MAX_PAGES: Final = 100
LONGEST: Final = timedelta(days=90)  # of a call of open311
MOST: Final = 1000  # rows of a call of open311
SHORTEST: Final = timedelta(minutes=1)  # a span of open311 that is not halved any more
EVENTS: Final = timedelta(days=1)  # how far back events are asked for again: they grow, and end
PAGE: Final = 500


def fetch_open311(feed: Feed, outbound: Outbound, window: Window) -> Fetched:
    """Fetch the requests of a window, in spans that the server gives whole: 90 days and fewer than 1,000 rows.

    A URL with {since} or without a path to `requests` is asked as it is, once.
    """
    with asking(feed, outbound) as asker:
        if "{since}" in feed.url or "/requests" not in urlsplit(feed.url).path:
            return Fetched([(asker.get(dated(feed.url, window)).body, Hints(until=window.until))])
        return Fetched(
            [(body, Hints(until=window.until)) for body in _spans(asker, window.since - OVERLAP, window.until)]
        )


def _spans(asker: Asker, since: datetime, until: datetime) -> Iterator[bytes]:
    """Yield the documents of [since, until), the span halved as long as it may have been cut off."""
    spans = [(since, until)]
    asked = 0
    while spans:
        start, end = spans.pop()
        if end - start > LONGEST:
            spans += [(start + LONGEST, end), (start, start + LONGEST)]
            continue
        asked += 1
        if asked > MAX_PAGES:
            raise FeedChanged(f"{asker.feed.name} fills every answer however short the time; it has no end.")
        body = asker.get(_with(asker.feed.url, start_date=utc(start), end_date=utc(end))).body
        if len(open311.requests_of(body, asker.feed)) >= MOST and end - start > SHORTEST:
            middle = start + (end - start) / 2
            spans += [(middle, end), (start, middle)]
        else:
            yield body


def fetch_ioda(feed: Feed, outbound: Outbound, window: Window) -> Fetched:
    """Fetch the events or alerts of Germany's regions and networks; the URL is that of /outages/events or /alerts."""
    base = feed.url.split("/outages/")[0]
    since = min(window.since, window.until - EVENTS)
    span = {"from": str(int(since.timestamp())), "until": str(int(window.until.timestamp())), "relatedTo": "country/DE"}
    payloads = []
    with asking(feed, outbound) as asker:
        names = outbound.constant(
            _with(f"{base}/entities/query", entityType="region", relatedTo="country/DE"),
            lambda url: asker.get(url).body.decode("utf-8", "replace"),
        )
        hints = Hints(places=_names(names), until=window.until)
        for kind in ("region", "asn"):
            for page in _pages(asker, "page", 1, "data", entityType=kind, limit=str(PAGE), **span):
                payloads.append((page, hints))
    return Fetched(payloads)


def _names(entities: str) -> dict[str, str]:
    """Return the names of entities by their codes."""
    items = read.list_at(read.json_of(entities.encode()), "data")
    return {read.text(read.at(item, "code")): read.text(read.at(item, "name")) for item in items}


def fetch_cloudflare(feed: Feed, outbound: Outbound, window: Window) -> Fetched:
    """Fetch the annotations of Germany that began up to a week before: they are told late, and end later."""
    span = {"dateStart": utc(window.since - timedelta(days=7)), "dateEnd": utc(window.until)}
    with asking(feed, outbound) as asker:
        pages = _pages(
            asker, "offset", PAGE, "result.annotations", location="DE", format="json", limit=str(PAGE), **span
        )
        return Fetched([(page, Hints(until=window.until)) for page in pages])


def _pages(asker: Asker, name: str, step: int, records: str, **asked: str) -> Iterator[bytes]:
    """Yield pages until one is not full; `name` is the parameter that moves on by `step`."""
    before = b""
    for number in range(MAX_PAGES):
        body = asker.get(_with(asker.feed.url, **asked, **{name: str(number * step)})).body
        if body == before:
            raise FeedChanged(f"The pages of {asker.feed.name} come round again without an end.")
        yield body
        items = read.at(read.json_of(body), records)
        if not isinstance(items, list) or len(items) < int(asked["limit"]):
            return
        before = body
    raise FeedChanged(f"The pages of {asker.feed.name} come round again without an end.")


def _with(url: str, **asked: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(asked)}"
