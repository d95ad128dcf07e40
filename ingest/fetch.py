"""A feed's stanza -> the bytes that its server gives for a time, and these parsed. I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from aggregator.outbound.client import Outbound
from ingest.asking import Fetched, Known, Window, credentials, dated
from ingest.downdetector import fetch_downdetector
from ingest.feed import Feed
from ingest.mastodon import fetch_mastodon
from ingest.paged import fetch_cloudflare, fetch_ioda, fetch_open311
from ingest.parsers import PARSERS, Hints, Parsed


def fetch(feed: Feed, outbound: Outbound, window: Window, known: Known | None = None) -> Fetched:
    """Fetch what a feed has for a window. Raises FeedUnreachable, FeedBlocked, FeedChanged.

    known: ETag and Last-Modified of the documents that are stored already.
    """
    if feed.format in FETCHERS and "://" in feed.url and not feed.url.startswith("file:"):
        return FETCHERS[feed.format](feed, outbound, window)
    return fetch_document(feed, outbound, window, known)


def parse(feed: Feed, fetched: Fetched) -> Parsed:
    """Parse all payloads with the feed's format. Raises FeedChanged, FeedBlocked."""
    parsed = Parsed()
    for body, hints in fetched.payloads:
        parsed += PARSERS[feed.format](body, feed, hints)
    return parsed


def fetch_document(feed: Feed, outbound: Outbound, window: Window, known: Known | None = None) -> Fetched:
    """Fetch one document; {since} and {until} in the URL become the window's times."""
    url = dated(feed.url, window)
    etag, last_modified = (known or {}).get(url, ("", ""))
    answer = outbound.get(
        url,
        headers=credentials(feed),
        deadline=feed.timeout.total_seconds(),
        max_bytes=feed.max_bytes,
        etag=etag,
        last_modified=last_modified,
        allow_private=feed.allow_private,
        invited=bool(feed.token),
    )
    if answer.not_modified:
        return Fetched(not_modified=True)
    seen = {url: (answer.etag, answer.last_modified)} if url == feed.url else {}  # another window is another address
    return Fetched(
        [(answer.body, Hints(until=window.until))], remember={at: pair for at, pair in seen.items() if any(pair)}
    )


FETCHERS: Final[Mapping[str, Callable[[Feed, Outbound, Window], Fetched]]] = {
    "downdetector_v2": fetch_downdetector,
    "open311": fetch_open311,
    "ioda": fetch_ioda,
    "cloudflare_outages": fetch_cloudflare,
    "mastodon_tag": fetch_mastodon,
}
