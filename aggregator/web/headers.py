"""What every answer carries: security headers, ETag, Cache-Control, gzip. I/O."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final
from wsgiref.types import WSGIEnvironment

from flask import Response, request

from aggregator.instance import Instance
from aggregator.web.desk import instance
from aggregator.web.language import settle
from aggregator.web.sheet import allowed

PACKED: Final = (
    "text/", "application/json", "application/geo+json", "application/atom+xml", "application/xml", "image/svg+xml",
    "application/javascript", "application/cap+xml",
)  # fmt: skip
SMALL: Final = 500  # bytes: gzip gains nothing below
LEVEL: Final = 5
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' {}; img-src 'self'{}; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors {}"
)
UNKEPT: Final = "no-store"
FRESH: Final = "public, max-age=15, s-maxage=15, stale-while-revalidate=60"
VARY: Final = ("Accept", "Accept-Encoding", "Accept-Language")
EMBEDDED: Final = "/einbetten"
FORM: Final = "/melden"  # its pages carry style and icon in themselves: a request less on a bad line


def finish(response: Response) -> Response:
    """Complete the answer to the present request."""
    settle(response)
    _secure(response)
    _cache(response)
    if _may_be_packed(response):
        _pack(response)
    return response


def _secure(response: Response) -> None:
    embedded, form = request.path.endswith(EMBEDDED), request.path.startswith(FORM)
    response.headers.extend(_security(embedded, form, **_site(request.environ, instance())))
    if "Vary" in response.headers:
        response.vary.update(VARY)
    else:
        response.headers["Vary"] = ", ".join(VARY)


def of_short_json(environ: WSGIEnvironment, instance: Instance) -> Sequence[tuple[str, str]]:
    """Return what `finish` adds to a short JSON answer to a POST to the API."""
    return (*_security(False, False, **_site(environ, instance)), ("Vary", ", ".join(VARY)), ("Cache-Control", UNKEPT))


def _site(environ: WSGIEnvironment, instance: Instance) -> dict[str, bool]:
    """Say what the headers of all answers depend on."""
    tls = environ["wsgi.url_scheme"] == "https" or instance.settings.base_url.startswith("https:")
    return {"tls": tls, "simulated": instance.clock.simulated}


@lru_cache(maxsize=16)
def _security(embedded: bool, form: bool, *, tls: bool, simulated: bool) -> Sequence[tuple[str, str]]:
    """Return the headers that keep a page to itself."""
    policy = POLICY.format(allowed(), " data:" if form else "", "*" if embedded else "'none'")
    headers = {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "strict-origin-when-cross-origin",
        "Permissions-Policy": "geolocation=(self), camera=(), microphone=()",
        "Cross-Origin-Opener-Policy": "same-origin",
        "X-Frame-Options": "" if embedded else "DENY",
        "Strict-Transport-Security": "max-age=31536000" if tls else "",
        "X-Robots-Tag": "noindex, nofollow" if simulated else "",
    }
    return tuple((name, value) for name, value in headers.items() if value)


def _cache(response: Response) -> None:
    """Give a whole answer to GET an ETag, and answer 304 to who has it already."""
    if request.method not in {"GET", "HEAD"} or response.status_code != 200:
        response.headers.setdefault("Cache-Control", UNKEPT)
        return
    response.headers.setdefault("Cache-Control", FRESH)
    if not response.is_streamed and not response.direct_passthrough:
        response.add_etag(weak=True)
        response.make_conditional(request)


def _may_be_packed(response: Response) -> bool:
    kind = response.mimetype or ""
    return (
        response.status_code not in {204, 304}
        and request.method != "HEAD"
        and "Content-Encoding" not in response.headers
        and "Content-Range" not in response.headers
        and kind.startswith(PACKED)
        and not _is_small(response)
        and bool(request.accept_encodings["gzip"])
    )


def _is_small(response: Response) -> bool:
    """Say whether packing would save nothing; of what is passed through nobody knows how much comes."""
    return not (response.is_streamed or response.direct_passthrough) and len(response.get_data()) < SMALL


def _pack(response: Response) -> None:
    if response.direct_passthrough:  # a file of ours: small
        response.direct_passthrough = False
        response.make_sequence()  # and closed with the answer
    if _is_small(response):
        return
    if not response.is_streamed:
        response.set_data(b"".join(packed([response.get_data()])))
        etag, weak = response.get_etag()
        if etag and not weak:
            response.set_etag(etag, weak=True)
    else:
        response.response = packed(response.iter_encoded())
        response.headers.pop("Content-Length", None)
    response.headers["Content-Encoding"] = "gzip"


def packed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the pieces as one gzip file; the first is passed on at once, so that a reader sees the answer begin."""
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, 31)
    first = True
    for piece in pieces:
        yield packer.compress(piece)
        if first:
            yield packer.flush(zlib.Z_SYNC_FLUSH)
            first = False
    yield packer.flush()
