"""Which addresses a request may reach, and the watch that cuts its connection at the deadline. I/O."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from queue import Empty, SimpleQueue
from typing import Any, Final

from aggregator.errors import FeedUnreachable

Resolve = Callable[[str, int], list[str]]
LOOK: Final = 0.5  # seconds at most between two looks at the deadline: it may have been moved nearer
NAT64: Final = ip_network("64:ff9b::/96")


def resolve_host(host: str, port: int) -> list[str]:
    """Return the addresses of `host`, in the order to try; OSError where it has none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_global(address: str) -> bool:
    """Say whether an address belongs to the public internet, also looking inside IPv6 that carries IPv4."""
    parsed = ip_address(address.partition("%")[0])
    inner = _carried(parsed) if isinstance(parsed, IPv6Address) else None
    return parsed.is_global and not parsed.is_multicast and (inner is None or inner.is_global)


def _carried(address: IPv6Address) -> IPv4Address | None:
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)


def permitted(addresses: list[str], host: str, allowed: Callable[[str], bool] | None) -> list[str]:
    """Return those of a host's addresses that may be reached (allowed None: all); FeedUnreachable where none may."""
    good = [address for address in addresses if allowed is None or allowed(address)]
    if addresses and not good:
        raise FeedUnreachable(
            f"{host} is at {addresses[0]}, which is not a public address; set allow_private = true in its stanza "
            "if it is a server of your own."
        )
    return good


def resolve_within(resolve: Resolve, host: str, port: int, seconds: float) -> list[str]:
    """Resolve `host`, in `seconds` at most (TimeoutError): the system's own resolver takes as long as it likes."""
    box: SimpleQueue[list[str] | Exception] = SimpleQueue()

    def ask() -> None:
        try:
            box.put(resolve(host, port))
        except (OSError, UnicodeError) as error:
            box.put(error)

    threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        found = box.get(timeout=max(seconds, 0.001))
    except Empty:
        raise TimeoutError(f"{host} was not resolved in time") from None
    if isinstance(found, Exception):
        raise OSError(str(found)) from None
    return found


class Watch:
    """A deadline for what happens on sockets: when it is reached, they are shut down, whatever waits on them.

    One thread serves all requests of a conversation; it sleeps until the deadline of the latest.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._until = float("inf")

    def start(self, seconds: float, latest: float | None = None) -> None:
        """Begin to count down, for one request; `latest`: a time of the same clock that is the deadline in any case."""
        until = self._monotonic() + seconds
        self._until = until if latest is None else min(until, latest)
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, name="deadline", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the countdown."""
        self._until = float("inf")

    @property
    def left(self) -> float:
        """Seconds until the deadline, 0 or less after it."""
        return self._until - self._monotonic()

    def add(self, connected: socket.socket) -> None:
        """Watch a socket. A duplicate is kept: TLS takes the original away from its object."""
        with self._lock:
            self._sockets.append(connected.dup())

    def _watch(self) -> None:
        """Sleep until the deadline, or LOOK seconds where there is none; a later request only moves it."""
        while not self._ended.wait(min(max(self.left, 0.001), LOOK)):
            if self.left <= 0:
                self._cut()

    def _cut(self) -> None:
        with self._lock:
            for watched in self._sockets:
                with contextlib.suppress(OSError):
                    watched.shutdown(socket.SHUT_RDWR)
                watched.close()
            self._sockets.clear()

    def close(self) -> None:
        """Stop, and let go of the sockets."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        with self._lock:
            for watched in self._sockets:
                watched.close()
            self._sockets.clear()


def connect(addresses: list[str], port: int, timeout: float, options: Any = ()) -> socket.socket:
    """Connect to the first of `addresses` that answers; OSError of the last where none does."""
    error: OSError = OSError("there is no address")
    for address in addresses:
        try:
            connected = socket.create_connection((address, port), timeout)
        except OSError as failed:
            error = failed
            continue
        for option in options or ():
            connected.setsockopt(*option)
        return connected
    raise error
