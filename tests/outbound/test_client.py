"""The one GET, against real servers that behave badly."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from aggregator.errors import FeedBlocked, FeedUnreachable
from aggregator.outbound.client import Outbound
from aggregator.outbound.guard import is_global
from tests.servers import Answerer, send, serving


def get(answerer: Answerer, path: str = "/", **options: object) -> bytes:
    with serving(answerer) as base:
        return Outbound().get(base + path, allow_private=True, **options).body  # type: ignore[arg-type]


def test_a_body_is_decoded_and_returned() -> None:
    assert get(lambda h: send(h, gzip.compress(b"[1]"), Content_Encoding="gzip")) == b"[1]"


def test_a_server_that_drips_its_body_is_left_at_the_deadline() -> None:
    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(100):
            handler.wfile.write(b"x")
            time.sleep(0.1)

    began = time.monotonic()
    with pytest.raises(FeedUnreachable, match=r"within 0\.5 seconds"):
        get(drip, deadline=0.5)
    assert time.monotonic() - began < 3


def test_a_server_that_drips_its_headers_is_left_at_the_deadline() -> None:
    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.flush_headers()
        for number in range(100):
            handler.wfile.write(f"X-{number}: y\r\n".encode())
            time.sleep(0.1)

    began = time.monotonic()
    with pytest.raises(FeedUnreachable, match=r"within 0\.5 seconds"):
        get(drip, deadline=0.5)
    assert time.monotonic() - began < 3


def test_a_server_that_never_answers_is_left_at_the_deadline() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(FeedUnreachable, match=r"within 0\.3 seconds"),
    ):
        Outbound().get(f"http://127.0.0.1:{silent.getsockname()[1]}/", allow_private=True, deadline=0.3)


def test_a_bomb_in_gzip_is_stopped_at_the_cap() -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    with pytest.raises(FeedUnreachable, match="more than 1,000,000 bytes"):
        get(lambda h: send(h, bomb, Content_Encoding="gzip"), max_bytes=1_000_000)


def test_a_body_that_breaks_off_is_not_taken() -> None:
    with pytest.raises(FeedUnreachable, match="broke off"):
        get(lambda h: send(h, b"[1, 2", Content_Length="500"))


def test_three_redirects_are_followed_and_a_loop_is_not() -> None:
    def onward(handler: BaseHTTPRequestHandler) -> None:
        left = int(handler.path.strip("/"))
        if left:
            send(handler, b"", 302, Location=f"/{left - 1}")
        else:
            send(handler, b"there")

    assert get(onward, "/3") == b"there"
    with pytest.raises(FeedUnreachable, match="more than 3 times"):
        get(onward, "/4")
    with pytest.raises(FeedUnreachable, match="more than 3 times"):
        get(lambda h: send(h, b"", 301, Location=h.path))


def test_a_redirect_to_a_private_address_is_refused() -> None:
    asked: list[str] = []
    with (
        serving(lambda h: asked.append(h.path)) as inside,
        serving(lambda h: send(h, b"", 302, Location=inside + "/metadata"), "127.0.0.2") as outside,
        pytest.raises(FeedUnreachable, match="not a public address"),
    ):
        Outbound(allowed=lambda address: address == "127.0.0.2").get(outside)
    assert asked == []


def test_a_redirect_to_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    with pytest.raises(FeedUnreachable, match="not an http or https address"):
        get(lambda h: send(h, b"", 302, Location=f"file://{tmp_path}/secret"))


def test_a_name_is_resolved_once_and_that_very_address_is_reached() -> None:
    """A name server that answers differently the second time does not get past the look at the address."""
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    with serving(lambda h: send(h, h.headers["Host"].encode())) as base:
        port = base.rpartition(":")[2]
        body = (
            Outbound(resolve=resolve, allowed=lambda address: address == "127.0.0.1")
            .get(f"http://feed.test:{port}/", invited=True)
            .body
        )
    assert body == f"feed.test:{port}".encode()
    assert asked == ["feed.test"]


def test_the_credentials_stay_with_their_server() -> None:
    seen: list[str | None] = []

    def look(handler: BaseHTTPRequestHandler) -> None:
        seen.append(handler.headers["Authorization"])
        send(handler, b"ok")

    with serving(look) as other:
        get(lambda h: send(h, b"", 307, Location=other), headers={"Authorization": "Bearer x"})
    assert seen == [None]


PRIVATE = (
    "127.0.0.1 10.1.2.3 169.254.169.254 ::1 fe80::1 ::ffff:10.0.0.1 64:ff9b::7f00:1 2002:7f00:1:: 224.0.0.1 0.0.0.0"
    " 100.64.0.1"
)


@pytest.mark.parametrize("address", PRIVATE.split())
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_global(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2a00:1450:4001::1"])
def test_addresses_that_are_public(address: str) -> None:
    assert is_global(address)


def test_loopback_needs_permission() -> None:
    with serving(lambda h: send(h, b"x")) as base, pytest.raises(FeedUnreachable, match="allow_private"):
        Outbound().get(base)


@pytest.mark.parametrize("status", [401, 403, 429])
def test_a_refusal_is_blocked(status: int) -> None:
    with pytest.raises(FeedBlocked, match=f"answers {status}.*Slow down"):
        get(lambda h: send(h, b'{"error":true,"message":"Slow down.","statusCode":0}', status))


@pytest.mark.parametrize("page", [b"429 Rate Limited", b"<!DOCTYPE html><title>Just a moment...</title>"])
def test_a_challenge_with_status_200_is_blocked(page: bytes) -> None:
    with pytest.raises(FeedBlocked, match="does not let us listen"):
        get(lambda h: send(h, page))


def test_json_may_quote_a_challenge() -> None:
    assert get(lambda h: send(h, b'[{"text": "Just a moment"}]'))


def test_a_get_is_tried_again_and_a_post_is_not() -> None:
    asked: list[str] = []

    def busy(handler: BaseHTTPRequestHandler) -> None:
        asked.append(handler.command)
        send(handler, b"[]", 200 if len(asked) == 3 else 503)

    assert get(busy) == b"[]"
    assert asked == ["GET"] * 3
    asked.clear()
    with serving(busy) as base, pytest.raises(FeedUnreachable, match="answers 503"):
        Outbound().post(base, allow_private=True)
    assert asked == ["POST"]


def test_a_wish_to_wait_an_hour_is_not_slept_on() -> None:
    began = time.monotonic()
    with pytest.raises(FeedUnreachable, match="answers 503"):
        get(lambda h: send(h, b"", 503, Retry_After="3600"))
    assert time.monotonic() - began < 5


def test_an_unchanged_document_is_told_apart() -> None:
    def tagged(handler: BaseHTTPRequestHandler) -> None:
        if handler.headers["If-None-Match"] == '"a"':
            handler.send_response(304)
            handler.end_headers()
        else:
            send(handler, b"[]", ETag='"a"')

    with serving(tagged) as base:
        outbound = Outbound()
        first = outbound.get(base, allow_private=True)
        assert outbound.get(base, allow_private=True, etag=first.etag).not_modified


def test_a_proxy_in_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert get(lambda h: send(h, b"x")) == b"x"


def test_nobody_there_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(FeedUnreachable, match=rf"^127\.0\.0\.1:{port} cannot be reached; [^.]*\.$"):
        Outbound().get(f"http://127.0.0.1:{port}/", allow_private=True)


def test_a_path_and_a_file_url_are_read_up_to_the_cap(tmp_path: Path) -> None:
    file = tmp_path / "mit Leer zeichen.json"
    file.write_bytes(b"[1, 2]")
    for url in (str(file), file.as_uri()):
        answer = Outbound().get(url)
        assert answer.body == b"[1, 2]"
        assert Outbound().get(url, etag=answer.etag).not_modified
    with pytest.raises(FeedUnreachable, match="more than 3 bytes"):
        Outbound().get(str(file), max_bytes=3)
    with pytest.raises(FeedUnreachable, match="cannot be read"):
        Outbound().get(str(tmp_path / "none.json"))


def test_no_thread_stays_behind() -> None:
    before = threading.active_count()
    get(lambda h: send(h, b"x"))
    assert threading.active_count() <= before
