"""At the servers of others: robots.txt, turns, Retry-After, names that lead elsewhere, bombs."""

from __future__ import annotations

import gzip
import time
import zlib
from http.server import BaseHTTPRequestHandler

import brotli
import pytest
from backports import zstd

from aggregator.errors import FeedBlocked, FeedUnreachable
from aggregator.outbound.client import Outbound
from aggregator.outbound.manners import Manners
from tests.servers import Answerer, send, serving

MEGABYTE = 1_000_000


def stranger(**options: object) -> Outbound:
    """Return an Outbound to which 127.0.0.1 is a public address."""
    given = {"allowed": lambda address: address == "127.0.0.1", "pause": 0.0, **options}
    return Outbound(**given)  # type: ignore[arg-type]


def with_robots(rules: bytes, status: int = 200) -> Answerer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        robots = handler.path == "/robots.txt"
        send(handler, rules if robots else b"[1]", status if robots else 200)

    return answer


def test_what_robots_txt_forbids_is_not_fetched() -> None:
    with serving(with_robots(b"User-agent: *\nDisallow: /private")) as url:
        out = stranger()
        assert out.get(url + "/public").body == b"[1]"
        with pytest.raises(FeedBlocked, match=r"its robots\.txt forbids /private/x\."):
            out.get(url + "/private/x")


def test_a_rule_for_us_by_name_counts() -> None:
    rules = b"User-agent: netzlage\nDisallow: /\nUser-agent: *\nDisallow:"
    with serving(with_robots(rules)) as url, pytest.raises(FeedBlocked, match=r"robots\.txt"):
        stranger().get(url + "/x")


def test_no_robots_txt_forbids_nothing_and_one_that_cannot_be_had_everything() -> None:
    with serving(with_robots(b"", 404)) as url:
        assert stranger().get(url + "/x").body == b"[1]"
    with serving(with_robots(b"", 500)) as url, pytest.raises(FeedUnreachable, match=r"robots\.txt"):
        stranger().get(url + "/x")


def test_robots_txt_is_asked_for_once_a_day_and_not_by_who_was_given_a_token_or_is_at_home() -> None:
    asked: list[str] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        asked.append(handler.path)
        send(handler, b"[1]", 404 if "robots" in handler.path else 200)

    with serving(answer) as url:
        now = [0.0]
        out = stranger(monotonic=lambda: now[0])
        out.get(url + "/a", invited=True)
        out.get(url + "/b", allow_private=True)
        assert "/robots.txt" not in asked
        out.get(url + "/c")
        out.get(url + "/d")
        assert asked.count("/robots.txt") == 1
        now[0] += 90_000
        out.get(url + "/e")
    assert asked.count("/robots.txt") == 2


def test_two_requests_to_one_host_keep_a_pause_and_other_hosts_none() -> None:
    now, slept = [0.0], []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    manners = Manners("netzlage", 2.0, lambda: now[0], sleep)
    for url in ("http://a/1", "http://a/2", "http://b/1", "http://a/3"):
        manners.wait(url, 10)
    assert slept == [2.0, 2.0]
    with pytest.raises(FeedUnreachable, match="no turn in time"):
        manners.wait("http://a/4", 1)


def test_the_pause_is_what_the_host_asks_for_up_to_a_minute() -> None:
    now, slept = [0.0], list[float]()
    manners = Manners("netzlage", 1.0, lambda: now[0], slept.append)
    manners.ask("http://a/x", lambda _: b"User-agent: *\nCrawl-delay: 7", 100)
    manners.wait("http://a/x", 100)
    assert slept == [1.0]  # after robots.txt itself, whose rules were not known yet
    manners.wait("http://a/y", 100)
    assert slept[1] == pytest.approx(8.0)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("120", 120.0), ("Sat, 13 May 2017 12:10:00 GMT", 600.0), ("bald", 0.0), ("-5", 0.0), ("9" * 20, 0.0)],
)
def test_retry_after_goes_along_as_seconds(value: str, seconds: float) -> None:
    def busy(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response_only(429)
        for name, text in (("Date", "Sat, 13 May 2017 12:00:00 GMT"), ("Retry-After", value), ("Content-Length", "0")):
            handler.send_header(name, text)
        handler.end_headers()

    with serving(busy) as url, pytest.raises(FeedBlocked) as caught:
        Outbound().get(url, allow_private=True)
    assert caught.value.retry_after == seconds


def test_a_name_that_leads_elsewhere_after_a_redirect_is_not_followed() -> None:
    """The second connection looks the name up again: now it is an internal address."""
    answers = [["127.0.0.1"], ["10.0.0.1"]]

    def moved(handler: BaseHTTPRequestHandler) -> None:
        send(handler, b"", 302, Location=f"http://other.test:{handler.headers['Host'].rpartition(':')[2]}/")

    with serving(moved) as url, pytest.raises(FeedUnreachable, match=r"at 10\.0\.0\.1, which is not a public address"):
        stranger(resolve=lambda host, port: answers.pop(0)).get(
            f"http://feed.test:{url[-5:].strip(':')}/", invited=True
        )


def test_a_name_server_that_does_not_answer_is_left_at_the_deadline() -> None:
    began = time.monotonic()
    with pytest.raises(FeedUnreachable, match=r"within 0\.3 seconds"):
        stranger(resolve=lambda host, port: time.sleep(2) or []).get("http://feed.test/", deadline=0.3, invited=True)  # type: ignore[func-returns-value]
    assert time.monotonic() - began < 1.5


def test_all_requests_of_a_conversation_share_its_deadline() -> None:
    def slow(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(0.2)
        send(handler, b"[1]")

    began = time.monotonic()
    with serving(slow) as url, Outbound().conversation(allow_private=True, deadline=0.5) as talk:
        talk.get(url, deadline=5)
        talk.get(url, deadline=5)
        with pytest.raises(FeedUnreachable, match="did not answer in full"):
            talk.get(url, deadline=5)
    assert time.monotonic() - began < 2


ENCODED = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstd.compress,
}


@pytest.mark.parametrize("encoding", ENCODED)
def test_each_encoding_is_read_and_counted_as_what_it_unfolds_to(encoding: str) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        said = b"[1]" if handler.path == "/small" else bytes(3 * MEGABYTE)
        send(handler, ENCODED[encoding](said), Content_Encoding=encoding)

    with serving(answer) as url:
        assert Outbound().get(url + "/small", allow_private=True).body == b"[1]"
        with pytest.raises(FeedUnreachable, match="sends more than 1,000,000 bytes"):
            Outbound().get(url + "/bomb", allow_private=True, max_bytes=MEGABYTE)


def test_not_modified_of_what_nobody_asked_is_no_answer() -> None:
    with serving(lambda h: send(h, b"", 304)) as url:
        with pytest.raises(FeedUnreachable, match="nothing changed"):
            Outbound().get(url, allow_private=True)
        assert Outbound().get(url, allow_private=True, etag='"a"').not_modified
