"""downdetector_v2: a token of an hour, the pages of each slug, the names of the indicators. I/O."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from datetime import UTC, timedelta
from typing import Final
from urllib.parse import quote, urlencode

from aggregator.errors import FeedChanged
from aggregator.outbound.answer import Answer, TokenRefused
from aggregator.outbound.client import Outbound
from ingest.asking import OVERLAP, Asker, Fetched, Window, asking, secret
from ingest.feed import Feed
from ingest.parsers import Hints
from ingest.parsers import downdetector_v2 as downdetector

MAX_PAGES: Final = 500  # of one list in one run; more is a server that leads us in circles
LATE_COUNTS: Final = timedelta(hours=1)


def fetch_downdetector(feed: Feed, outbound: Outbound, window: Window) -> Fetched:
    """Fetch the locations of every slug, page by page, and the indicators that they mention; of signals the counts."""
    payloads: list[tuple[bytes, Hints]] = []
    indicators: dict[str, str] = {}
    with asking(feed, outbound) as asker:
        api = _Api(asker, outbound)
        for slug, provider in feed.slugs.items():
            if feed.kind == "signals":
                payloads.append((_counts(api, slug, window), Hints(provider, until=window.until)))
                continue
            for page in _pages(api, slug, window):
                for number in downdetector.indicator_ids(page) - indicators.keys():
                    url = api.url(f"/indicators/{number}")
                    indicators[number] = outbound.constant(url, api.indicator)
                payloads.append((page, Hints(provider, indicators)))
    return Fetched(payloads)


def _counts(api: _Api, slug: str, window: Window) -> bytes:
    """Fetch the counts of full quarters of an hour, some of those before again: counts come late."""
    asked = {
        "interval": "15m",
        "startdate": (window.since - LATE_COUNTS).astimezone(UTC).isoformat(),
        "enddate": window.until.astimezone(UTC).isoformat(),
    }
    return api.get(api.url(f"/slugs/{quote(slug, safe='')}/reports", asked)).body


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
    """The API with our token: asked for when there is none of this hour, and once more when one is refused."""

    def __init__(self, asker: Asker, outbound: Outbound) -> None:
        self.feed, self._asker, self._outbound = asker.feed, asker, outbound
        self._base = self.feed.url.rstrip("/")

    def url(self, path: str, asked: Mapping[str, str] | None = None) -> str:
        return f"{self._base}{path}?{urlencode(asked)}" if asked else f"{self._base}{path}"

    def indicator(self, url: str) -> str:
        return downdetector.indicator_slug(self.get(url).body)

    def get(self, url: str) -> Answer:
        key = f"{self._base} {self.feed.token} {self.feed.name}"
        token, fresh = self._outbound.token(key, self._new_token)
        try:
            return self._ask(url, token)
        except TokenRefused:
            self._outbound.forget_token(key)
            if fresh:
                raise
        return self._ask(url, self._outbound.token(key, self._new_token)[0])

    def _ask(self, url: str, token: str) -> Answer:
        return self._asker.get(url, {"Authorization": f"Bearer {token}"})

    def _new_token(self) -> tuple[str, float]:
        """Exchange id and secret for a token of an hour."""
        basic = b64encode(secret(self.feed).encode()).decode()
        url = f"{self._base}/tokens?grant_type=client_credentials"
        return downdetector.access_token(self._asker.post(url, {"Authorization": f"Basic {basic}"}).body)
