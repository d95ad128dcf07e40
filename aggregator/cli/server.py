"""waitress as this house runs it: slow readers are shown out, and at the end everybody is answered first. I/O."""

from __future__ import annotations

import errno
import logging
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from typing import Any, Final
from wsgiref.types import WSGIApplication

import waitress
from waitress import wasyncore

from aggregator.cli.channel import Channel
from aggregator.cli.stopping import Stop
from aggregator.errors import NetzlageError

BIGGEST_REQUEST: Final = 1 << 20  # bytes; the app refuses far less, with a sentence
LOOK: Final = 5  # seconds between two looks who is too slow
KEPT: Final = 256 << 10  # bytes of an answer in memory; what waits beyond lies in a file
AHEAD: Final = 16 << 20  # bytes of an answer that are made before its reader takes them
LAST_WORD: Final = 0.5  # seconds in which who is connected may still ask something
GRACE: Final = 20.0  # seconds in which what was asked is answered


class Server:
    """A port and those who are connected to it."""

    def __init__(self, app: WSGIApplication, host: str, port: int, *, proxied: bool) -> None:
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # else a line for each that waits
        self._door = _door(host, port)
        self._server: Any = waitress.create_server(
            app,
            sockets=[self._door],
            threads=16,
            connection_limit=2000,
            channel_timeout=30,
            cleanup_interval=LOOK,
            outbuf_overflow=KEPT,
            outbuf_high_watermark=AHEAD,
            asyncore_use_poll=True,  # select() ends at 1024 connections
            max_request_body_size=BIGGEST_REQUEST,
            clear_untrusted_proxy_headers=not proxied,
            ident="",
        )
        self._server.channel_class = Channel
        self.port = int(self._server.effective_port)

    def run(self, stop: Stop, looks: Sequence[Callable[[], object]] = ()) -> None:
        """Answer until told to stop; then take no more connections, and return when all who asked have their answer.

        looks: are called every few seconds until then.
        """
        stop.wakes(self._server.pull_trigger)
        looked = time.monotonic()
        while not stop.is_set():
            self._turn()
            if time.monotonic() - looked >= LOOK:
                looked = time.monotonic()
                for look in (self._look, *looks):
                    look()
        self._drain()

    def close(self) -> None:
        """End the threads and close what is open."""
        self._server.task_dispatcher.shutdown()
        self._server.close()
        for channel in self._channels():
            channel.handle_close()  # and what waits for its reader

    def _turn(self) -> None:
        wasyncore.loop(timeout=1, use_poll=True, map=self._server._map, count=1)

    def _channels(self) -> list[Any]:
        return list(self._server.active_channels.values())

    def _look(self) -> None:
        for channel in self._channels():
            channel.look()

    def _drain(self) -> None:
        """Let in who stands at the door, close it, answer what is asked, and let go of who asks nothing more."""
        began = time.monotonic()
        self._let_in_and_shut()
        while time.monotonic() - began < GRACE:
            for channel in self._channels():
                channel.leaving = True
                if channel.is_idle() and time.monotonic() - began > LAST_WORD:
                    channel.will_close = True
            if not self._channels():
                return
            wasyncore.loop(timeout=0.05, use_poll=True, map=self._server._map, count=1)

    def _let_in_and_shut(self) -> None:
        before = -1
        while len(self._server.active_channels) != before:
            before = len(self._server.active_channels)
            self._server.handle_accept()
        self._server.accepting = False
        self._server.del_channel()
        with suppress(OSError):
            self._door.close()


def _door(host: str, port: int) -> socket.socket:
    """Return the socket to listen on; waitress leaves its own open when the port cannot be had."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with ExitStack() as stack:
            door = stack.enter_context(socket.socket(family, kind, protocol))
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            door.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KEPT)  # whoever comes in by it has as much
            door.bind(address)
            stack.pop_all()
            return door
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        why = "is taken by another program" if taken else f"cannot be had ({error.strerror or error})"
        raise NetzlageError(f"Port {port} on {host} {why}; name another one with --port.") from None
