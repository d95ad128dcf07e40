"""What is turned away before anything is done: strange hosts, files, posts that pages of others send. I/O."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit
from wsgiref.types import WSGIEnvironment

from flask import Flask, Response, abort, request
from flask_babel import gettext as _
from werkzeug.wsgi import get_host

from aggregator.settings import Settings
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
    settings, environ = instance().settings, request.environ
    if not has_known_host(environ, settings) and request.path not in ASKED_BY_ADDRESS:
        said = _(
            "Unter dem Namen %(host)s ist diese Netzlage nicht zu erreichen. Wer sie betreibt, kann ihn mit der "
            "Einstellung allowed_hosts erlauben.",
            host=_name(request.host)[:80] or "-",
        )
        return answer(400, {"host": str(said)})
    if request.method in READING:
        return None
    if request.mimetype == "multipart/form-data" and request.files:
        abort(415, "Files are not taken; send the fields as text.")
    if is_foreign(environ, settings) and request.endpoint != FORM:
        abort(403, "A page of another site sent this; send it from a page of this one, or with a program.")
    return None


def _name(host: str) -> str:
    return (urlsplit(f"//{host}").hostname or "").rstrip(".")


def has_known_host(environ: WSGIEnvironment, settings: Settings) -> bool:
    """Say whether the host is one of the settings; where they name none, any address in figures will do."""
    return _is_known(get_host(environ), settings.base_url, settings.allowed_hosts)


@lru_cache(maxsize=256)
def _is_known(host: str, base_url: str, allowed: tuple[str, ...]) -> bool:
    try:
        name = _name(host)
    except ValueError:
        return False
    known = {urlsplit(base_url).hostname or "", *allowed} - {""}
    return name in AT_HOME | known or (not known and _is_address(name))


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def is_foreign(environ: WSGIEnvironment, settings: Settings) -> bool:
    """Say whether a browser sends this from a page of another site; programs say nothing of it."""
    site = environ.get("HTTP_SEC_FETCH_SITE")
    if site is not None:
        return site not in OWN
    origin = environ.get("HTTP_ORIGIN")
    if origin is None:
        return False
    ours = {get_host(environ), urlsplit(settings.base_url).netloc}
    return origin == "null" or urlsplit(origin).netloc not in ours
