"""A hashtag timeline is read back to the beginning of the window, however its server pages."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from aggregator.errors import FeedBlocked, FeedChanged, SettingsError
from aggregator.outbound.client import Outbound
from ingest.asking import Window
from ingest.feed import Feed, parse_feeds
from ingest.fetch import fetch, parse
from ingest.parsers.mastodon_tag import since_id
from tests.servers import send, serving

NOON = datetime(2026, 3, 17, 11, 0, tzinfo=UTC)
WINDOW = Window(NOON - timedelta(hours=1), NOON)


def status(minutes: float) -> dict[str, Any]:
    at = NOON - timedelta(minutes=minutes)
    return {"id": since_id(at), "created_at": at.isoformat(), "content": "<p>o2 weg</p>", "account": {"acct": "a"}}


class Instance:
    """Statuses, newest first, in pages of `size`; the link to the next leaves out since_id and leads elsewhere."""

    def __init__(self, statuses: list[dict[str, Any]], size: int = 3, *, heeds: bool = True) -> None:
        self.statuses, self.size, self.heeds = statuses, size, heeds
        self.asked: list[dict[str, list[str]]] = []

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        query = parse_qs(urlsplit(handler.path).query)
        self.asked.append(query)
        found = [s for s in self.statuses if int(s["id"]) < int(query.get("max_id", [str(2**70)])[0])]
        if self.heeds:
            found = [s for s in found if int(s["id"]) > int(query["since_id"][0])]
        page = found[: self.size]
        older = f'<http://elsewhere.example/x?max_id={page[-1]["id"]}>; rel="next", ' if page else ""
        send(handler, json.dumps(page).encode(), Link=f'{older}<http://x/>; rel="prev"')


def hear(answerer: Callable[[BaseHTTPRequestHandler], None]) -> list[datetime]:
    with serving(answerer) as url:
        address = f"{url}/api/v1/timelines/tag/o2?any[]=telekom"
        feed = Feed(name="m", format="mastodon_tag", url=address, allow_private=True)
        return [post.posted_at for post in parse(feed, fetch(feed, Outbound(), WINDOW)).posts]


@pytest.mark.parametrize("heeds", [True, False])
def test_all_pages_of_the_window_are_read_and_none_before_it(heeds: bool) -> None:
    server = Instance([status(minutes) for minutes in range(0, 600, 10)], heeds=heeds)
    heard = hear(server)
    assert [NOON - at for at in heard][:7] == [timedelta(minutes=m) for m in range(0, 70, 10)]
    assert len(heard) <= 9
    assert all(query["any[]"] == ["telekom"] and query["limit"] == ["40"] for query in server.asked)
    assert all(query["since_id"] == [since_id(WINDOW.since - timedelta(minutes=2))] for query in server.asked)


def test_a_quiet_hour_is_one_request_and_an_empty_list() -> None:
    server = Instance([])
    assert hear(server) == []
    assert len(server.asked) == 1


def test_pages_that_come_round_again_are_a_feed_that_changed() -> None:
    def again(handler: BaseHTTPRequestHandler) -> None:
        send(handler, json.dumps([status(1)]).encode(), Link='<http://x/?max_id=7>; rel="next"')

    with pytest.raises(FeedChanged, match="come round"):
        hear(again)


def test_a_tag_that_needs_a_token_is_blocked_and_an_error_in_json_is_a_change() -> None:
    with pytest.raises(FeedBlocked):
        hear(lambda handler: send(handler, b'{"error": "needs an authenticated user"}', 401))
    with pytest.raises(FeedChanged):
        hear(lambda handler: send(handler, b'{"error": "odd"}'))


def test_statements_of_a_status_feed_need_the_provider_whose_they_are() -> None:
    stanza = '[[feed]]\nname = "s"\nformat = "rss"\nkind = "statements"\nurl = "https://status.example/rss"\n'
    with pytest.raises(SettingsError, match="provider is missing"):
        parse_feeds(stanza, {})
    assert parse_feeds(stanza + 'provider = "o2"\n', {})[0].kind == "statements"
