"""What the fetchers share: the window, what was fetched, credentials, a conversation with one deadline and cap. I/O."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import quote

from aggregator.errors import FeedBlocked, FeedUnreachable
from aggregator.outbound.answer import Answer
from aggregator.outbound.client import Conversation, Outbound
from ingest.feed import Feed
from ingest.parsers import Hints

OVERLAP: Final = timedelta(minutes=2)  # asked for again, for what arrived late; known ones are duplicates
SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Window:
    """The time to be heard, [since, until), both in whole seconds: a second is fetched whole or not at all."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Fetched:
    """What the server gave: payloads with what is known of each, or the word that nothing has changed."""

    payloads: list[tuple[bytes, Hints]] = field(default_factory=list)
    not_modified: bool = False
    remember: Mapping[str, tuple[str, str]] = field(default_factory=dict)  # ETag, Last-Modified; once it is stored


Known = Mapping[str, tuple[str, str]]  # URL -> ETag and Last-Modified of what is stored already


def dated(url: str, window: Window) -> str:
    """Return the URL with the window's times in the places of {since} and {until}."""
    for name, moment in (("{since}", window.since - OVERLAP), ("{until}", window.until)):
        url = url.replace(name, quote(utc(moment)))
    return url


def credentials(feed: Feed) -> dict[str, str]:
    """Return the header that shows the feed's token, none where it needs none; FeedBlocked where it is not set."""
    if not feed.token:
        return {}
    if feed.auth == "basic":
        return {"Authorization": f"Basic {b64encode(secret(feed).encode()).decode()}"}
    return {"Authorization": f"Bearer {secret(feed)}"}


def utc(moment: datetime) -> str:
    """Return the moment as ISO 8601 with Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def secret(feed: Feed) -> str:
    """Return the value of the feed's token; FeedBlocked where the environment has none."""
    if not feed.secret:
        raise FeedBlocked(
            f'Feed "{feed.name}" needs credentials: set the environment variable {feed.token or "(token)"}.'
        )
    return feed.secret


class Asker:
    """Asks one server for one feed: all requests of a hearing share its deadline, and their answers its cap."""

    def __init__(self, feed: Feed, talk: Conversation) -> None:
        self.feed, self._talk = feed, talk
        self._left = feed.max_bytes

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Fetch one more document; FeedUnreachable where it is more than the feed may send in all."""
        if self._left <= 0:
            raise FeedUnreachable(f"{self.feed.name} sends more than {self.feed.max_bytes:,} bytes; nothing was taken.")
        seconds = self.feed.timeout.total_seconds()
        shown = credentials(self.feed) if headers is None else headers
        answer = self._talk.get(url, headers=shown, deadline=seconds, max_bytes=self._left)
        self._left -= len(answer.body)
        return answer

    def post(self, url: str, headers: Mapping[str, str]) -> Answer:
        """Send an empty POST."""
        return self._talk.post(url, headers=headers, deadline=self.feed.timeout.total_seconds(), max_bytes=100_000)


@contextmanager
def asking(feed: Feed, outbound: Outbound) -> Iterator[Asker]:
    """Open a conversation with the feed's server."""
    seconds = feed.timeout.total_seconds()
    with outbound.conversation(allow_private=feed.allow_private, invited=bool(feed.token), deadline=seconds) as talk:
        yield Asker(feed, talk)
