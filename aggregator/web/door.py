"""What is turned away before anything is done: strange hosts, files, posts that pages of others send. I/O."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from flask import Flask, Response, abort, request
from flask_babel import gettext as _

from aggregator.web.desk import instance
from aggregator.web.errors import answer

AT_HOME: Final = frozenset({"localhost", "127.0.0.1", "::1"})
ASKED_BY_ADDRESS: Final = frozenset({"/api/v1/health", "/metrics"})  # by those who watch over us; they hold no links
OWN: Final = frozenset({"same-origin", "none"})
READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
FORM: Final = "form.take"  # shows itself again instead, so that nothing typed is lost


def register(app: Flask) -> None:
    """Let `app` look at each request first."""
    app.before_request(_look)


def _look() -> Response | None:
    if not _is_known_host() and request.path not in ASKED_BY_ADDRESS:
        said = _(
            "Unter dem Namen %(host)s ist diese Netzlage nicht zu erreichen. Wer sie betreibt, kann ihn mit der "
            "Einstellung allowed_hosts erlauben.",
            host=_host()[:80] or "-",
        )
        return answer(400, {"host": str(said)})
    if request.method in READING:
        return None
    if request.mimetype == "multipart/form-data" and request.files:
        abort(415, "Files are not taken; send the fields as text.")
    if is_foreign() and request.endpoint != FORM:
        abort(403, "A page of another site sent this; send it from a page of this one, or with a program.")
    return None


def _host() -> str:
    return (urlsplit(f"//{request.host}").hostname or "").rstrip(".")


def _is_known_host() -> bool:
    """Say whether the host is one of the settings; where they name none, any address in figures will do."""
    try:
        host = _host()
    except ValueError:
        return False
    settings = instance().settings
    known = {urlsplit(settings.base_url).hostname or "", *settings.allowed_hosts} - {""}
    return host in AT_HOME | known or (not known and _is_address(host))


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def is_foreign() -> bool:
    """Say whether a browser sends the present request from a page of another site; programs say nothing of it."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site not in OWN
    origin = request.headers.get("Origin")
    if origin is None:
        return False
    ours = {request.host, urlsplit(instance().settings.base_url).netloc}
    return origin == "null" or urlsplit(origin).netloc not in ours
