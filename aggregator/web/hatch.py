"""The hatch beside the door: an ordinary report is taken and answered here, without entering the app. I/O.

The app takes most of its time to find out what is asked and to make an answer, which for these is known. Whatever is
not ordinary or cannot be taken goes on to the app as it came, so each error is told in one place; what was counted is
not counted again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from io import BytesIO
from typing import Any, Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from aggregator.errors import StoreError
from aggregator.instance import Instance
from aggregator.model import Rejected
from aggregator.store.trouble import MISTAKES
from aggregator.web.desk import Desk
from aggregator.web.door import has_known_host, is_foreign
from aggregator.web.headers import of_short_json
from aggregator.web.meter import ROUTE
from aggregator.web.sending import Sent, raw_report, take

REPORTS: Final = "/api/v1/reports"
SOURCE: Final = "api"
FAILED: Final = "netzlage.failed"  # of an environ: the error that came of storing its report
KIND: Final = "application/json"
WRITE: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode  # as the app writes
LONGEST: Final = 16 << 10  # bytes of a body: its fields together are shorter


class Hatch:
    """A WSGI app before the app of `desk`."""

    def __init__(self, app: WSGIApplication, desk: Desk) -> None:
        self._app, self._desk = app, desk

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        sent = self._taken(environ) if _is_report(environ) else None
        if sent is None:
            return self._app(environ, start)
        environ[ROUTE] = REPORTS
        here = self._desk.instance
        body = f"{WRITE(told(sent, here))}\n".encode()
        headers = [("Content-Type", KIND), ("Content-Length", str(len(body))), *of_short_json(environ, here)]
        start("201 CREATED" if sent.kept else "200 OK", headers)
        return [body]

    def _taken(self, environ: WSGIEnvironment) -> Sent | None:
        """Take the report in; None: the app is to answer."""
        settings = self._desk.instance.settings
        if (
            not has_known_host(environ, settings)
            or is_foreign(environ, settings)
            or self._desk.limits.breached(environ)
        ):
            return None
        values = _fields(environ)
        if values is None:
            return None
        try:
            raw = raw_report(values, SOURCE, environ)
            sent = raw if isinstance(raw, Rejected) else take(self._desk, raw)
        except (StoreError, *MISTAKES) as error:
            environ[FAILED] = error
            return None
        return sent if isinstance(sent, Sent) else None


def told(sent: Sent, instance: Instance) -> dict[str, Any]:
    """Return what is answered to who sent a report."""
    known = {"report_id": sent.report.report_id, "duplicate": not sent.kept, "region": sent.report.region}
    return {**known, "simulated": instance.clock.simulated}


def _is_report(environ: WSGIEnvironment) -> bool:
    """Say whether somebody sends a report as programs do: JSON, short, its length told."""
    length = environ.get("CONTENT_LENGTH") or ""
    return (
        environ["REQUEST_METHOD"] == "POST"
        and environ["PATH_INFO"] == REPORTS
        and environ.get("CONTENT_TYPE") == KIND
        and "HTTP_TRANSFER_ENCODING" not in environ
        and length.isascii()
        and length.isdigit()
        and int(length) <= LONGEST
    )


def _fields(environ: WSGIEnvironment) -> Mapping[str, Any] | None:
    """Return the object in the body, None where there is none; the body is put back for whoever comes next."""
    body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    environ["wsgi.input"] = BytesIO(body)
    try:
        values = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return values if isinstance(values, dict) else None
