"""A feed's stanza -> the bytes that its server gives for a time: paging, tokens, what else must be asked for. I/O."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import quote, urlencode

from aggregator.answer import Answer, TokenRefused
from aggregator.errors import FeedBlocked, FeedChanged
from aggregator.outbound import Conversation, Outbound
from ingest.feed import Feed
from ingest.parsers import NO_HINTS, PARSERS, Hints, Parsed
from ingest.parsers import downdetector_v2 as downdetector

MAX_PAGES: Final = 500  # of one list in one run; more is a server that leads us in circles
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
    remember: tuple[str, Answer] | None = None  # for Outbound.remember, once it is stored


def fetch(feed: Feed, outbound: Outbound, window: Window) -> Fetched:
    """Fetch what a feed has for a window. Raises FeedUnreachable, FeedBlocked, FeedChanged."""
    return FETCHERS.get(feed.format, fetch_document)(feed, outbound, window)


def parse(feed: Feed, fetched: Fetched) -> Parsed:
    """Parse all payloads with the feed's format. Raises FeedChanged, FeedBlocked."""
    parsed = Parsed()
    for body, hints in fetched.payloads:
        parsed += PARSERS[feed.format](body, feed, hints)
    return parsed


def fetch_document(feed: Feed, outbound: Outbound, window: Window) -> Fetched:
    """Fetch one document; {since} and {until} in the URL become the window's times."""
    times = {"{since}": window.since - OVERLAP, "{until}": window.until}
    url = feed.url
    for name, moment in times.items():
        url = url.replace(name, quote(_utc(moment)))
    headers = {"Authorization": f"Bearer {_secret(feed)}"} if feed.token else {}
    etag, last_modified = outbound.remembered(url)
    answer = outbound.get(
        url,
        headers=headers,
        deadline=feed.timeout.total_seconds(),
        max_bytes=feed.max_bytes,
        etag=etag,
        last_modified=last_modified,
        allow_private=feed.allow_private,
    )
    if answer.not_modified:
        return Fetched(not_modified=True)
    return Fetched([(answer.body, NO_HINTS)], remember=(url, answer))


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _secret(feed: Feed) -> str:
    if not feed.secret:
        raise FeedBlocked(
            f'Feed "{feed.name}" needs credentials: set the environment variable {feed.token or "(token)"}.'
        )
    return feed.secret


def fetch_downdetector(feed: Feed, outbound: Outbound, window: Window) -> Fetched:
    """Fetch the locations of every slug, page by page, and the indicators that they mention."""
    payloads: list[tuple[bytes, Hints]] = []
    indicators: dict[str, str] = {}
    with outbound.conversation(allow_private=feed.allow_private) as talk:
        api = _Api(feed, talk)
        for slug, provider in feed.slugs.items():
            for page in _pages(api, slug, window):
                for number in downdetector.indicator_ids(page) - indicators.keys():
                    url = api.url(f"/indicators/{number}")
                    indicators[number] = outbound.constant(url, api.indicator)
                payloads.append((page, Hints(provider, indicators)))
    return Fetched(payloads)


def _pages(api: _Api, slug: str, window: Window) -> Iterator[bytes]:
    """Yield one slug's pages; each answer's X-Page-Next names the next."""
    asked = {
        "startdate": (window.since - OVERLAP).astimezone(UTC).isoformat(),
        "enddate": window.until.astimezone(UTC).isoformat(),
        "page_size": str(api.feed.page_size),
    }
    if api.feed.countries:
        asked["countries"] = ",".join(api.feed.countries)
    seen: set[str] = set()
    for _ in range(MAX_PAGES):
        answer = api.get(api.url(f"/slugs/{quote(slug, safe='')}/locations", asked))
        yield answer.body
        following = answer.headers.get("x-page-next", "")
        if not following:
            return
        if following in seen:
            break
        seen.add(following)
        asked["page"] = following
    raise FeedChanged(f"The pages of {slug} come round again without an end.")


class _Api:
    """The API with our token: asked for when it is first needed, and once more when it has run out."""

    def __init__(self, feed: Feed, talk: Conversation) -> None:
        self.feed, self._talk = feed, talk
        self._base = feed.url.rstrip("/")
        self._token = ""

    def url(self, path: str, asked: Mapping[str, str] | None = None) -> str:
        return f"{self._base}{path}?{urlencode(asked)}" if asked else f"{self._base}{path}"

    def indicator(self, url: str) -> str:
        return downdetector.indicator_slug(self.get(url).body)

    def get(self, url: str) -> Answer:
        if self._token:
            try:
                return self._ask(url)
            except TokenRefused:
                pass
        self._token = self._new_token()
        return self._ask(url)

    def _ask(self, url: str) -> Answer:
        return self._talk.get(
            url,
            headers={"Authorization": f"Bearer {self._token}"},
            deadline=self.feed.timeout.total_seconds(),
            max_bytes=self.feed.max_bytes,
        )

    def _new_token(self) -> str:
        """Exchange id and secret for a token of an hour."""
        basic = b64encode(_secret(self.feed).encode()).decode()
        answer = self._talk.post(
            f"{self._base}/tokens?grant_type=client_credentials",
            headers={"Authorization": f"Basic {basic}"},
            deadline=self.feed.timeout.total_seconds(),
        )
        return downdetector.access_token(answer.body)


FETCHERS: Final[Mapping[str, Callable[[Feed, Outbound, Window], Fetched]]] = {
    "downdetector_v2": fetch_downdetector,
}
