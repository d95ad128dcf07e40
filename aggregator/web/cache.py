"""Pages rendered once per change, not per reader: a layer before the app that answers what has not changed. I/O."""

from __future__ import annotations

import hashlib
import threading
import time
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from typing import Any, Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import brotli
from werkzeug.datastructures import Accept, LanguageAccept
from werkzeug.http import parse_accept_header
from werkzeug.wrappers import Response

from aggregator.errors import StoreError
from aggregator.instance import Instance
from aggregator.web.language import FIRST, LANGUAGES

ROOMS: Final = frozenset(
    (
        "",
        "anbieter",
        "archiv",
        "bilanz",
        "daten",
        "datenschutz",
        "feed.atom",
        "impressum",
        "methodik",
        "quellen",
        "region",
        "static",
        "vorfall",
    )
)  # fmt: skip - the first part of the paths that are kept
STREAMS: Final = (
    ".csv",
    ".gz",
    ".zip",
    ".parquet",
    ".geojson",
    ".ndjson",
    ".png",
)  # made while they are sent, or large
LONGEST_QUERY: Final = 300
MOST_BYTES: Final = 64 << 20
LARGEST: Final = 2 << 20
SMALL: Final = 500  # bytes: packing gains nothing below
PACKABLE: Final = ("text/", "application/json", "application/atom+xml", "application/xml", "image/svg+xml",
                   "application/javascript", "application/cap+xml")  # fmt: skip
LOOK: Final = 0.25  # seconds between two questions whether anything has changed
REST: Final = 20.0  # times its making that a page is shown before it is made again: 5 % of a core where all changes
FORSAKEN: Final = 900.0  # seconds after which a page is no longer shown without asking the store whether it still holds
STALE: Final = 60.0  # seconds after which a reader waits for the new page instead of getting the old one
A_MINUTE: Final = timedelta(minutes=1)  # pages say no finer time
# What is of the reader, not of the page: the app must not see it, so that it cannot get into what others are shown.
READERS: Final = ("HTTP_COOKIE", "HTTP_AUTHORIZATION", "HTTP_USER_AGENT", "HTTP_REFERER", "HTTP_RANGE",
                  "HTTP_ACCEPT_ENCODING", "HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_ACCEPT")  # fmt: skip

Headers = list[tuple[str, str]]
Key = tuple[str, str, str, str, str]
Version = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Form:
    """A page in one encoding, ready to be sent, and what is sent to who has it."""

    etag: str
    headers: Headers
    short: Headers
    body: bytes


@dataclass(slots=True)
class Kept:
    """A page in all encodings: made at `version`, not to be asked after again before `rest_until`."""

    forms: Mapping[str, Form]
    version: Version
    made: float
    took: float
    rest_until: float
    used: float = 0.0
    size: int = field(init=False)

    def __post_init__(self) -> None:
        self.size = sum(len(form.body) for form in self.forms.values())


@dataclass(frozen=True, slots=True)
class Answer:
    """What the app answered, whole."""

    status: str
    headers: Headers
    body: bytes

    @property
    def may_be_kept(self) -> bool:
        """Say whether everybody may be given it: a success, open to all, not too large."""
        named = {name.lower(): value for name, value in self.headers}
        public = named.get("cache-control", "").startswith("public") and "set-cookie" not in named
        return self.status.startswith("200") and public and len(self.body) <= LARGEST


class Cache:
    """A WSGI app that answers pages without entering the app behind it as long as nothing has changed."""

    def __init__(self, app: WSGIApplication, instance: Instance) -> None:
        self._app, self._instance = app, instance
        self._watch = instance.store.watch()
        self._kept: dict[Key, Kept] = {}
        self._size = 0
        self._lock = threading.Lock()
        self._flights: dict[Key, threading.Lock] = {}

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        key = self._key(environ)
        if key is None:
            return self._app(environ, start)
        kept, now = self._kept.get(key), time.perf_counter()
        if kept is None or now >= kept.rest_until:
            found = self._renewed(key, kept, environ, now)
            if isinstance(found, Answer):
                start(found.status, found.headers)
                return [found.body]
            kept = found
        kept.used = now
        return _send(kept, environ, start)

    def _key(self, environ: WSGIEnvironment) -> Key | None:
        path, query = environ["PATH_INFO"], environ.get("QUERY_STRING", "")
        if (
            environ["REQUEST_METHOD"] not in {"GET", "HEAD"}
            or path[1:].partition("/")[0] not in ROOMS
            or path.endswith(STREAMS)
            or len(query) > LONGEST_QUERY
        ):
            return None
        language = _language(environ.get("HTTP_ACCEPT_LANGUAGE", ""))
        return environ["wsgi.url_scheme"], environ.get("HTTP_HOST", ""), path, query, language

    def _renewed(self, key: Key, kept: Kept | None, environ: WSGIEnvironment, now: float) -> Kept | Answer:
        """Return the page as it is now: the kept one if nothing has changed, else made anew by one at a time."""
        version = self._version()
        if kept is not None and (version == kept.version or (version is None and now - kept.made < FORSAKEN)):
            kept.rest_until = now + LOOK
            return kept
        with self._lock:
            flight = self._flights.setdefault(key, threading.Lock())
        if not flight.acquire(blocking=kept is None or now - kept.made > STALE):
            return kept  # type: ignore[return-value]  # somebody makes it: meanwhile the old one is good enough
        try:
            other = self._kept.get(key)
            if other is not None and other is not kept:  # made while we waited
                return other
            return self._make(key, environ, version)
        finally:
            with self._lock:
                self._flights.pop(key, None)
            flight.release()

    def _version(self) -> Version | None:
        """Return what a page depends on: the state of the store, and the minute; None: the store cannot be asked."""
        try:
            word = self._watch.word()
        except StoreError:
            return None
        return word, int(self._instance.clock.now().timestamp() // A_MINUTE.total_seconds())

    def _make(self, key: Key, environ: WSGIEnvironment, version: Version | None) -> Kept | Answer:
        bare = {name: value for name, value in environ.items() if name not in READERS}
        bare |= {"REQUEST_METHOD": "GET", "HTTP_ACCEPT_LANGUAGE": key[4]}
        begun = time.perf_counter()
        response = Response.from_app(self._app, bare, buffered=True)
        answer = Answer(response.status, response.headers.to_wsgi_list(), response.get_data())
        if version is None or not answer.may_be_kept:
            return answer
        forms = _forms(answer)
        made = time.perf_counter()
        kept = Kept(forms, version, made, made - begun, made + max(LOOK, REST * (made - begun)))
        self._keep(key, kept)
        return kept

    def _keep(self, key: Key, kept: Kept) -> None:
        """Put the page on the shelf; what has not been asked for longest makes room."""
        with self._lock:
            old = self._kept.pop(key, None)
            self._size += kept.size - (old.size if old else 0)
            self._kept[key] = kept
            kept.used = kept.made
            while self._size > MOST_BYTES:
                oldest = min(self._kept, key=lambda k: self._kept[k].used)
                self._size -= self._kept.pop(oldest).size


def _forms(answer: Answer) -> dict[str, Form]:
    """Return the page in every encoding that makes it smaller; the ETag follows from its bytes, in every process."""
    name = hashlib.sha256(answer.body).hexdigest()[:24]
    rest = [(n, v) for n, v in answer.headers if n.lower() not in {"etag", "content-length", "content-encoding"}]
    kind = next((v for n, v in rest if n.lower() == "content-type"), "")
    forms = {"": _form(f'"{name}"', rest, answer.body, "")}
    if kind.startswith(PACKABLE) and len(answer.body) >= SMALL:
        packer = zlib.compressobj(6, zlib.DEFLATED, 31)
        packed = {"gzip": packer.compress(answer.body) + packer.flush(), "br": brotli.compress(answer.body, quality=6)}
        forms |= {coding: _form(f'"{name}-{coding}"', rest, body, coding) for coding, body in packed.items()}
    return forms


def _form(etag: str, rest: Headers, body: bytes, coding: str) -> Form:
    short = [("ETag", etag), *((n, v) for n, v in rest if n.lower() != "content-type")]
    packed = [("Content-Encoding", coding)] if coding else []
    return Form(etag, [("ETag", etag), *rest, *packed, ("Content-Length", str(len(body)))], short, body)


def _send(kept: Kept, environ: Mapping[str, Any], start: StartResponse) -> list[bytes]:
    form = kept.forms.get(_coding(environ.get("HTTP_ACCEPT_ENCODING", ""))) or kept.forms[""]
    known = environ.get("HTTP_IF_NONE_MATCH")
    if known is not None and _has(known, form.etag):
        start("304 NOT MODIFIED", form.short.copy())
        return []
    start("200 OK", form.headers.copy())
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [form.body]


def _has(known: str, etag: str) -> bool:
    return known == etag or any(one.strip().removeprefix("W/") in {etag, "*"} for one in known.split(","))


@lru_cache(maxsize=512)
def _coding(header: str) -> str:
    """Return the encoding that is smallest of those a browser takes."""
    taken = parse_accept_header(header, Accept)
    return next((coding for coding in ("br", "gzip") if taken[coding] > 0), "")


@lru_cache(maxsize=512)
def _language(header: str) -> str:
    """Return which of our languages a browser likes best: all that a page takes from that header."""
    return parse_accept_header(header, LanguageAccept).best_match(list(LANGUAGES)) or FIRST
