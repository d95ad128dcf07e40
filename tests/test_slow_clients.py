"""Who sends or reads too slowly is shown out in time, and nobody else: `look` is told what time it is."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from types import SimpleNamespace
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest

from aggregator.cli.channel import ASKING, LEAST, MUCH, READING, Channel
from aggregator.cli.server import Server

PIECE = b"x" * 65536
HEAD = b"POST /api/v1/reports HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5000\r\n\r\n"
GET = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


class House:
    """A server whose loop the test turns itself, and those who come to it."""

    def __init__(self, app: WSGIApplication) -> None:
        self.server = Server(app, "127.0.0.1", 0, proxied=False)
        self.visitors: list[socket.socket] = []

    def visit(self, words: bytes) -> tuple[socket.socket, Any]:
        """Return the connection of somebody who says `words`, at both its ends."""
        before = set(self.server._channels())
        door = socket.socket()
        door.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        door.settimeout(10)
        door.connect(("127.0.0.1", self.server.port))
        self.visitors.append(door)
        self.turn_until(lambda: len(self.server._channels()) > len(before))
        door.sendall(words)
        (channel,) = set(self.server._channels()) - before
        return door, channel

    def turn_until(self, done: Callable[[], object]) -> None:
        """Let the server work until something is so."""
        for _ in range(20_000):
            if done():
                return
            self.server._turn()
        raise AssertionError("it never came")

    def close(self) -> None:
        """Send everybody home."""
        for visitor in self.visitors:
            visitor.close()
        self.server.close()


class Large:
    """An app that answers without end, and knows when it is let go."""

    def __init__(self) -> None:
        self.let_go = threading.Event()

    def __call__(self, _environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer."""
        start("200 OK", [("Content-Type", "text/csv")])
        return self._pieces()

    def _pieces(self) -> Iterator[bytes]:
        try:
            while True:
                yield PIECE
        finally:
            self.let_go.set()


def small(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
    """Answer what was asked with its length."""
    body = str(len(environ["wsgi.input"].read())).encode()
    start("200 OK", [("Content-Length", str(len(body)))])
    return [body]


@pytest.fixture
def opened() -> Iterator[Callable[[WSGIApplication], House]]:
    houses: list[House] = []

    def opening(app: WSGIApplication) -> House:
        houses.append(House(app))
        return houses[-1]

    yield opening
    for house in houses:
        house.close()


Opened = Callable[[WSGIApplication], House]


def is_out(door: socket.socket) -> bool:
    try:
        while door.recv(1 << 16):
            pass
    except ConnectionResetError:
        return True
    return False  # a proper end: what waited was sent first


def test_a_post_that_drips_has_thirty_seconds_however_busily_it_drips(opened: Opened) -> None:
    house = opened(small)
    door, channel = house.visit(HEAD)
    house.turn_until(lambda: channel.request)
    for second in range(int(ASKING) + 1):
        channel.look(100 + second)
        assert channel.connected
        door.sendall(b"x")
        house.turn_until(lambda: channel.request.body_bytes_received)
        channel.request.body_bytes_received = 0
    channel.look(100 + ASKING + 1)
    assert house.server._channels() == []
    assert is_out(door)


def test_each_request_has_its_own_thirty_seconds(opened: Opened) -> None:
    house = opened(small)
    door, channel = house.visit(HEAD)
    house.turn_until(lambda: channel.request)
    channel.look(0)
    door.sendall(b"x" * 5000)
    house.turn_until(channel.is_idle)
    assert door.recv(1000).endswith(b"5000")
    channel.look(ASKING)
    door.sendall(HEAD)
    house.turn_until(lambda: channel.request)
    for now in (ASKING + 10, 2 * ASKING, 2 * ASKING + 10):
        channel.look(now)
        assert channel.connected
    channel.look(2 * ASKING + 11)
    assert not channel.connected


def test_who_reads_nothing_is_shown_out_and_the_thread_is_free(opened: Opened) -> None:
    app = Large()
    house = opened(app)
    door, channel = house.visit(GET)
    house.turn_until(lambda: channel.total_outbufs_len > MUCH)
    channel.look(0)
    channel.look(READING - 1)
    assert channel.connected
    channel.look(READING)
    assert house.server._channels() == []
    assert app.let_go.wait(10)
    assert is_out(door)


def test_who_reads_at_the_least_pace_may_stay(opened: Opened) -> None:
    house = opened(Large())
    door, channel = house.visit(GET)
    house.turn_until(lambda: channel.total_outbufs_len > MUCH)
    for turn in range(3):
        channel.look(turn * READING)
        before = channel._taken
        while channel._taken - before < LEAST:
            door.recv(4096)
            house.server._turn()
    channel.look(3 * READING)
    assert channel.connected
    channel.look(4 * READING)
    assert not channel.connected


def test_a_large_answer_reaches_who_reads_it_whole(opened: Opened) -> None:
    body = PIECE * 40

    def app(_environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        start("200 OK", [("Content-Length", str(len(body)))])
        return (PIECE for _ in range(40))

    house = opened(app)
    door, _channel = house.visit(GET)
    got: list[bytes] = []

    def read() -> None:
        while sum(map(len, got)) < len(body):
            got.append(door.recv(1 << 16))

    reader = threading.Thread(target=read)
    reader.start()
    house.turn_until(lambda: not reader.is_alive())
    assert b"".join(got).endswith(body)


@pytest.mark.parametrize(
    ("requests", "waiting", "closing", "is_asked"),
    [
        (1, 100, False, False),
        (1, MUCH + 1, False, True),
        (0, 100, False, True),
        (0, 0, False, False),
        (1, 0, True, True),
    ],
)
def test_as_long_as_a_small_answer_is_made_its_thread_alone_sends_it(
    requests: int, waiting: int, closing: bool, is_asked: bool
) -> None:
    channel: Any = SimpleNamespace(
        will_close=closing, close_when_flushed=False, total_outbufs_len=waiting, requests=[object()] * requests
    )
    assert bool(Channel.writable(channel)) is is_asked
