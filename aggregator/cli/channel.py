"""How waitress speaks to a reader: connections stay open after a 304 too, and end when somebody is too slow. I/O."""

from __future__ import annotations

import socket
import struct
import time
from contextlib import suppress
from typing import Any, Final

from waitress.channel import HTTPChannel
from waitress.task import WSGITask

BODILESS: Final = ("204", "304")  # may have no Content-Length, and need none: they end with their headers
ASKING: Final = 30.0  # seconds that one may take to send a request, head and body, however busily
READING: Final = 30.0  # seconds after which it is looked how much of what waits for a reader was taken
LEAST: Final = 15_000  # bytes that a reader takes in that time: 4 kbit a second
MUCH: Final = 64 << 10  # bytes of an answer with which who makes it is helped: else its thread sends them itself
AT_ONCE: Final = struct.pack("ii", 1, 0)


class Task(WSGITask):  # type: ignore[misc]
    """Answers one request. Its parent closes the connection after any answer without a Content-Length."""

    def set_close_on_finish(self) -> None:
        """Close after this answer, unless it has no body anyway and the reader wants to go on."""
        asked = self.request.headers.get("CONNECTION", "").lower()
        bodiless = str(getattr(self, "status", "")).startswith(BODILESS)
        if self.version != "1.1" or asked == "close" or self.channel.leaving or not bodiless:
            super().set_close_on_finish()

    def build_response_header(self) -> Any:
        """Return the head of the answer; it says so when the house is closing."""
        if self.channel.leaving:
            self.set_close_on_finish()
        return super().build_response_header()


class Channel(HTTPChannel):  # type: ignore[misc]
    """One connection, its requests answered by `Task`.

    waitress closes one on which nothing happens. A byte now and then is something: it would keep a connection, and
    where an answer is large a thread with it, for ever. So a request has a time in which it must be there, and an
    answer a least pace.
    """

    task_class = Task
    leaving = False  # no further request is taken
    _asked: tuple[object, float] | None = None  # a request that is not whole yet, since when
    _taken = 0  # bytes that went out
    _mark: tuple[float, int] | None = None  # since when something waits for the reader, and _taken by then

    def writable(self) -> bool:
        """Say whether the thread of the server has something to send here.

        As long as the answer is being made, its own thread sends it, and calls when it is done. Otherwise the thread of
        the server would try to, in vain and over and over again, whenever one of them waits for its turn to compute.
        """
        if self.will_close or self.close_when_flushed:
            return True
        waiting: int = self.total_outbufs_len
        return waiting > (MUCH if self.requests else 0)

    def send(self, data: bytes, do_close: bool = True) -> int:
        """Send what the connection takes and return how much that was."""
        sent: int = super().send(data, do_close=do_close)
        self._taken += sent
        return sent

    def is_idle(self) -> bool:
        """Say whether nothing is being asked or answered."""
        return not self.requests and self.request is None and not self.total_outbufs_len

    def look(self, now: float | None = None) -> None:
        """Break the connection where its other end is too slow; to be called every few seconds. now: monotonic.

        At once, and what the system holds of the answer with it: nobody may read that for hours. (`will_close` would
        wait until the socket takes something, which it does not.)
        """
        now = time.monotonic() if now is None else now
        if self._asks_for_too_long(now) or self._reads_too_slowly(now):
            with suppress(OSError):
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
            self.handle_close()

    def _asks_for_too_long(self, now: float) -> bool:
        request = self.request
        if request is None or self.requests:
            self._asked = None
            return False
        if self._asked is None or self._asked[0] is not request:
            self._asked = request, now
        return now - self._asked[1] > ASKING

    def _reads_too_slowly(self, now: float) -> bool:
        if not self.total_outbufs_len:
            self._mark = None
            return False
        if self._mark is None:
            self._mark = now, self._taken
        since, taken = self._mark
        if now - since < READING:
            return False
        self._mark = now, self._taken
        return self._taken - taken < LEAST
