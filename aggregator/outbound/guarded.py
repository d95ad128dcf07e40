"""The connections of requests, opened through the guard: to allowed addresses only, and cut at the deadline. I/O."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any, Final

import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import NewConnectionError

from aggregator.outbound import guard

CONNECT: Final = 5.0  # seconds for one attempt to connect
# Two more tries of a GET whose connection failed or that got 502, 503 or 504. A Retry-After is not slept on: it could
# be an hour, and the schedule asks again anyway.
RETRIES: Final = urllib3.Retry(
    total=2,
    redirect=0,
    read=0,
    other=0,
    backoff_factor=0.2,
    backoff_max=1.0,
    status_forcelist=(502, 503, 504),
    allowed_methods=("GET",),
    respect_retry_after_header=False,
    raise_on_status=False,
)


class GuardedAdapter(HTTPAdapter):
    """Connects only to addresses that are allowed, and to the very address that was looked at.

    Host header, SNI and certificate stay those of the name: only the socket is opened by us.
    """

    def __init__(self, watch: guard.Watch, resolve: guard.Resolve, allowed: Callable[[str], bool] | None) -> None:
        self.watch, self._resolve, self._allowed = watch, resolve, allowed
        super().__init__(max_retries=RETRIES, pool_connections=4, pool_maxsize=2)

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        """Return the pool that requests would use, with connections that open their socket through the guard."""
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        base = HTTPSConnection if pool.scheme == "https" else HTTPConnection
        pool.ConnectionCls = type(f"Guarded{base.__name__}", (base,), {"_new_conn": self._opener()})
        return pool

    def _opener(self) -> Callable[[HTTPConnection], socket.socket]:
        def open_socket(connection: HTTPConnection) -> socket.socket:
            if self.watch.left <= 0:
                raise TimeoutError
            timeout = connection.timeout if isinstance(connection.timeout, int | float) else CONNECT
            try:
                found = guard.resolve_within(self._resolve, connection.host, connection.port, self.watch.left)
                addresses = guard.permitted(found, connection.host, self._allowed)
                opened = guard.connect(addresses, connection.port, timeout, connection.socket_options)
            except TimeoutError:
                raise
            except OSError as error:
                raise NewConnectionError(connection, str(error)) from None
            self.watch.add(opened)
            return opened

        return open_socket
