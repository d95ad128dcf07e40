"""A hashtag timeline of Mastodon, newest first, page by page back to the beginning of the window. I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit, urlunsplit

from aggregator.errors import FeedChanged
from aggregator.outbound.answer import Answer
from aggregator.outbound.client import Outbound
from ingest.asking import OVERLAP, Asker, Fetched, Window, asking
from ingest.feed import Feed
from ingest.parsers import Hints, read
from ingest.parsers.mastodon_tag import since_id

MAX_PAGES: Final = 100
LIMIT: Final = 40  # statuses a page, as many as an instance gives
NEXT: Final = re.compile(r'<([^<>]{1,2000})>\s*;\s*rel="?next"?')


def fetch_mastodon(feed: Feed, outbound: Outbound, window: Window) -> Fetched:
    """Fetch the statuses after the beginning of the window. Raises FeedChanged where the pages have no end.

    The link to the next page only lends its max_id: it may leave out what was asked for, or lead elsewhere.
    """
    after = since_id(window.since - OVERLAP)
    with asking(feed, outbound) as asker:
        return Fetched([(body, Hints(until=window.until)) for body in _pages(asker, after)])


def _pages(asker: Asker, after: str) -> Iterator[bytes]:
    older: dict[str, str] = {}
    seen: set[str] = set()
    for _ in range(MAX_PAGES):
        answer = asker.get(_with(asker.feed.url, since_id=after, limit=str(LIMIT), **older))
        yield answer.body
        if _reaches_back(answer.body, after):
            return
        max_id = _max_id(answer)
        if not max_id:
            return
        if max_id in seen:
            break
        seen.add(max_id)
        older = {"max_id": max_id}
    raise FeedChanged(f"The pages of {asker.feed.name} come round again without an end.")


def _reaches_back(body: bytes, after: str) -> bool:
    """Whether a page is empty or holds what lies before the window: an instance may not heed since_id."""
    items = read.json_of(body)
    if not isinstance(items, list) or not items:
        return True
    ids = [read.text(read.at(item, "id")) for item in items]
    return any(key.isdecimal() and int(key) <= int(after) for key in ids)


def _max_id(answer: Answer) -> str:
    found = NEXT.search(answer.headers.get("link", ""))
    return parse_qs(urlsplit(found[1]).query).get("max_id", [""])[0] if found else ""


def _with(url: str, **asked: str) -> str:
    parts = urlsplit(url)
    query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in asked]
    return urlunsplit(parts._replace(query=urlencode([*query, *asked.items()])))
