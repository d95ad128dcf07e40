"""What is asked and how long that takes, counted round the whole site; each request under an id for the logs. I/O."""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from functools import lru_cache
from typing import Any, Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask, request
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

ROUTE: Final = "netzlage.route"
KEPT: Final = "page cache"  # the route of what is answered from there
NOWHERE: Final = "none"  # of what has no route: 404 and the like
METHODS: Final = frozenset({"GET", "HEAD", "POST", "OPTIONS"})
BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
request_id: Final[ContextVar[str]] = ContextVar("request_id", default="")
log = logging.getLogger("netzlage.web.requests")


class Meter:
    """A WSGI app round another that counts."""

    def __init__(self, app: WSGIApplication, registry: CollectorRegistry) -> None:
        self._app = app
        self._requests = Counter(
            "netzlage_http_requests", "Requests answered.", ("route", "method", "status"), registry=registry
        )
        self._seconds = Histogram(
            "netzlage_http_request_seconds", "From request to answer.", ("route",), buckets=BUCKETS, registry=registry
        )
        # Their children: what prometheus_client does to find one again takes longer than counting.
        self._counted = lru_cache(maxsize=2048)(self._requests.labels)
        self._timed = lru_cache(maxsize=512)(self._seconds.labels)
        self._open = Gauge("netzlage_http_requests_in_progress", "Requests being answered.", registry=registry)

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        began, status = time.perf_counter(), "500"
        mark = request_id.set(secrets.token_hex(8))
        self._open.inc()

        def begin(given: str, headers: list[tuple[str, str]], *more: Any) -> Callable[[bytes], object]:
            nonlocal status
            status = given[:3]
            return start(given, headers, *more)

        try:
            return self._app(environ, begin)
        finally:
            self._open.dec()
            self._note(environ, status, time.perf_counter() - began)
            request_id.reset(mark)

    def _note(self, environ: WSGIEnvironment, status: str, seconds: float) -> None:
        route = environ.get(ROUTE, KEPT)
        method = environ["REQUEST_METHOD"] if environ["REQUEST_METHOD"] in METHODS else "other"
        self._counted(route, method, status).inc()
        self._timed(route).observe(seconds)
        if log.isEnabledFor(logging.INFO):
            said = {"route": route, "method": method, "status": int(status), "seconds": round(seconds, 4)}
            log.info("%s %s %s", method, route, status, extra=said)


def register(app: Flask) -> None:
    """Let `app` say which route a request takes: the rule, not the path, which may name anybody."""
    app.before_request(_say_route)


def _say_route() -> None:
    request.environ[ROUTE] = _plain(request.url_rule.rule) if request.url_rule else NOWHERE


@lru_cache(maxsize=512)
def _plain(rule: str) -> str:
    """Return a rule without what its parts may be: /api/v1/<any(reports,cube):name> is /api/v1/<name>."""
    return re.sub(r"<[^:<>]+:(\w+)>", r"<\1>", rule)
