"""Who sends something: what a request says of them, for hashing and counting at once, never kept. Pure."""

from __future__ import annotations

from wsgiref.types import WSGIEnvironment

from aggregator.cleaning import address_line


def address_of(environ: WSGIEnvironment) -> str:
    """Return the address of who asks, as the trusted proxies have it; "" where it is unknown."""
    return environ.get("REMOTE_ADDR") or ""


def person_of(environ: WSGIEnvironment) -> str:
    """Return line (IPv4 address, of IPv6 the /64) and browser of who asks."""
    return f"{address_line(address_of(environ))}\x1f{environ.get('HTTP_USER_AGENT', '')[:300]}"
