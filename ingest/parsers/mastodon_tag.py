"""A page of a public hashtag timeline of Mastodon -> posts. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from aggregator.errors import FeedChanged
from aggregator.model import Rejected
from ingest.parsers import read
from ingest.parsers.base import Feed, Hints, Parsed, Post, collect
from ingest.parsers.markup import plain_text

NEEDED: Final = ("id", "created_at", "content")
# An id holds the milliseconds since 1970 in its upper bits.
ID_BITS: Final = 16
NETWORK: Final = "activitypub"
LONGEST: Final = 400  # of a uri that stands for its post


def parse(payload: bytes, feed: Feed, hints: Hints) -> Parsed:
    """Read one page. Boosts and bots are rejected: the one says what another said, the other is nobody with a fault.

    An edited post keeps its key and its first time: it was heard already. Raises FeedChanged where it is no list of
    statuses.
    """
    items = read.list_at(read.json_of(payload, feed.encoding), "")
    for name in NEEDED:
        if items and all(read.at(item, name) is read.MISSING for item in items):
            raise FeedChanged(f'No status has "{name}" any more; the form has changed.')
    parsed = collect(items, _post)
    # Of what is nobody's own fault nothing is kept: it is somebody's words about something else.
    rejected = [replace(found, item=None) if found.reason in {"repost", "bot"} else found for found in parsed.rejected]
    return replace(parsed, rejected=rejected)


def since_id(moment: datetime) -> str:
    """Return the id that a status of that moment would have: what is asked for are those after it."""
    return str(int(moment.timestamp() * 1000) << ID_BITS)


def _post(item: Mapping[str, Any], where: str) -> Post | Rejected:
    if item.get("reblog"):
        return Rejected("repost", "It is a boost: what another account said.", where=where)
    account = item.get("account")
    account = account if isinstance(account, Mapping) else {}
    if account.get("bot") is True:
        return Rejected("bot", "The account says of itself that it is a bot.", where=where)
    key, content = read.text(item.get("id")), item.get("content")
    if not key or not isinstance(content, str):
        name = "content" if key else "id"
        return Rejected("missing_field", f"The status has no {name}.", name, where)
    posted_at = _moment(read.text(item.get("created_at")))
    if posted_at is None:
        return Rejected("bad_time", "created_at is not a time of ISO 8601.", "created_at", where)
    acct, uri = read.text(account.get("acct")), read.text(item.get("uri"))
    home = urlsplit(uri).hostname if uri.startswith("https://") and len(uri) <= LONGEST else None
    if not home:
        return Post(key, plain_text(content), posted_at, reporter=acct, where=where)
    # The same post has another id on each server that shows it, and its author another name; its uri is one.
    author = f"{acct.partition('@')[0]}@{home}" if acct else ""
    return Post(uri, plain_text(content), posted_at, reporter=author, where=where, network=NETWORK)


def _moment(said: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(said)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
