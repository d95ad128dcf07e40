"""The ways in which a server can fail: each answers a request for a case's document badly, and what must come of it."""

from __future__ import annotations

import gzip
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler
from typing import Final

import brotli
from backports import zstd

from tests.ingest.formats import Case, Item
from tests.servers import send

UNREACHABLE: Final = frozenset({"unreachable"})
BLOCKED: Final = frozenset({"blocked"})
CHANGED: Final = frozenset({"changed"})
FINE: Final = frozenset({"ok"})
NOT_HEARD: Final = UNREACHABLE | BLOCKED | CHANGED
BIG: Final = 24_000_000


@dataclass(frozen=True)
class Ask:
    """One request for a case's document: the handler, the clock, how often it was asked before."""

    handler: BaseHTTPRequestHandler
    case: Case
    now: datetime
    polls: int

    def item(self, **changes: object) -> Item:
        """Return the item that a healthy server has: ten minutes before the first poll."""
        given = {"at": FIRST - timedelta(minutes=10), "key": "1", **changes}
        return Item(**given)  # type: ignore[arg-type]

    def good(self) -> bytes:
        """Return the healthy document."""
        return self.case.document(self.item())


FIRST: Final = datetime.fromisoformat("2017-05-04T12:00:00+00:00")
Answer = Callable[[Ask], None]


@dataclass(frozen=True)
class Fault:
    """What the server does, and the outcomes that are right; `fine_for` says for which cases it is none."""

    answer: Answer
    outcomes: frozenset[str]
    fine_for: Callable[[Case], bool] = lambda _case: False
    slow: bool = False  # the deadline is what ends it


def body(make: Callable[[Ask], bytes], status: int = 200, **headers: str) -> Answer:
    return lambda ask: send(ask.handler, make(ask), status, **headers)


def wait(_ask: Ask) -> None:
    time.sleep(0.6)


def drip(ask: Ask, *, headers: bool) -> None:
    ask.handler.send_response(200)
    (ask.handler.flush_headers if headers else ask.handler.end_headers)()
    for number in range(20):
        ask.handler.wfile.write(f"X-{number}: y\r\n".encode() if headers else b" ")
        time.sleep(0.05)


def reset(ask: Ask) -> None:
    ask.handler.connection.close()


def garbage(ask: Ask) -> None:
    ask.handler.wfile.write(b"\x00\x01 this is no HTTP\r\n\r\n")


def of_length(extra: int) -> Answer:
    return lambda ask: send(ask.handler, ask.good(), Content_Length=str(len(ask.good()) + extra))


def moved(where: str) -> Answer:
    return lambda ask: send(ask.handler, b"", 301, Location=where or ask.handler.path)


def bomb(encoding: str) -> Answer:
    return lambda ask: send(ask.handler, bombs(BIG)[encoding], Content_Encoding=encoding)


@cache
def bombs(size: int) -> dict[str, bytes]:
    zeros = bytes(size)
    compress = zlib.compressobj(9)
    return {
        "gzip": gzip.compress(zeros),
        "deflate": compress.compress(zeros) + compress.flush(),
        "br": brotli.compress(zeros, quality=1),
        "zstd": zstd.compress(zeros),
    }


def million(ask: Ask) -> None:
    """Send a million items without saying how long it will be."""
    handler, case = ask.handler, ask.case
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(case.prefix)
    thousand = case.separator.join(case.item(ask.item(key=str(number))) for number in range(1000)) + case.separator
    for _ in range(1000):
        handler.wfile.write(thousand)
    handler.wfile.write(case.item(ask.item()) + case.suffix)


def laughs(_ask: Ask) -> bytes:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha"}">' for n in range(10))
    return f'<?xml version="1.0"?><!DOCTYPE rss [{entities}]><rss><channel><title>&l9;</title></channel></rss>'.encode()


def thrice(ask: Ask) -> bytes:
    return ask.case.document(*[ask.item()] * 3)


def again_and_again(ask: Ask) -> None:
    """Name the same next page whatever page is asked for."""
    more = f'<{ask.handler.path}>; rel="next"'
    send(ask.handler, ask.good(), X_Page_Next="p1", Link=more)


def shifted(**by: float) -> Answer:
    return body(lambda ask: ask.case.document(ask.item(at=ask.now + timedelta(**by), key=f"s{ask.polls}")))


def swapped_date(ask: Ask) -> bytes:
    at = ask.now - timedelta(minutes=5)
    return ask.case.document(ask.item(at=at.replace(day=at.month, month=at.day), key=f"s{ask.polls}"))


def swapped_place(ask: Ask) -> bytes:
    return ask.case.document(ask.item(at=ask.now, lat=9.99, lon=53.55, key=f"s{ask.polls}"))


LATER: Final = "Thu, 04 May 2017 14:00:00 GMT"
HTML: Final = b"<!DOCTYPE html><html><title>Wartung</title><body>Wir sind gleich wieder da.</body></html>"
HOUR_BACK: Final = frozenset({"ioda"})  # its items here begin so much before
FAULTS: Final[dict[str, Fault]] = {
    "never answers": Fault(wait, UNREACHABLE, slow=True),
    "drips its body": Fault(lambda ask: drip(ask, headers=False), UNREACHABLE, slow=True),
    "drips its headers": Fault(lambda ask: drip(ask, headers=True), UNREACHABLE, slow=True),
    "resets the connection": Fault(reset, UNREACHABLE),
    "speaks no HTTP": Fault(garbage, UNREACHABLE),
    "breaks off in the middle": Fault(of_length(100), UNREACHABLE),
    "says too short a length": Fault(of_length(-4), CHANGED, lambda case: case.name == "csv_table"),
    "sends half a document": Fault(body(lambda ask: ask.good()[: len(ask.good()) // 2]), CHANGED),
    "sends a web page with 200": Fault(body(lambda _: HTML), CHANGED),
    "says 429 with 200": Fault(body(lambda _: b"429 Rate Limited"), BLOCKED),
    "sends a challenge": Fault(body(lambda _: b"<html><title>Just a moment...</title></html>"), BLOCKED),
    "429 with Retry-After": Fault(body(lambda _: b"", 429, Retry_After="7200"), BLOCKED),
    "429": Fault(body(lambda _: b"", 429), BLOCKED),
    "401, the token has run out": Fault(body(lambda _: b"", 401), BLOCKED),
    "403": Fault(body(lambda _: b"", 403), BLOCKED),
    "404": Fault(body(lambda _: b"", 404), UNREACHABLE),
    "500": Fault(body(lambda _: HTML, 500), UNREACHABLE),
    "503 with a date to come back": Fault(body(lambda _: b"", 503, Retry_After=LATER), UNREACHABLE),
    "204": Fault(body(lambda _: b"", 204), CHANGED),
    "304 without being asked": Fault(body(lambda _: b"", 304), UNREACHABLE),
    "redirects to itself": Fault(moved(""), UNREACHABLE),
    "redirects to an internal address": Fault(moved("http://127.0.0.2:1/"), UNREACHABLE),
    "redirects to the cloud's metadata": Fault(moved("http://169.254.169.254/latest/"), UNREACHABLE),
    "redirects to a file": Fault(moved("file:///etc/passwd"), UNREACHABLE),
    "a bomb in gzip": Fault(bomb("gzip"), UNREACHABLE),
    "a bomb in deflate": Fault(bomb("deflate"), UNREACHABLE),
    "a bomb in brotli": Fault(bomb("br"), UNREACHABLE),
    "a bomb in zstd": Fault(bomb("zstd"), UNREACHABLE),
    "plain text that says it is gzip": Fault(body(Ask.good, Content_Encoding="gzip"), UNREACHABLE),
    "entities without end": Fault(body(laughs), CHANGED),
    "binary": Fault(body(lambda _: b"\x00\x01\x02" * 50), CHANGED),
    "nothing": Fault(body(lambda _: b""), CHANGED),
    "null": Fault(body(lambda _: b"null"), CHANGED),
    "another schema": Fault(body(lambda ask: ask.case.other), CHANGED),
    "nested without end": Fault(body(lambda _: b"[" * 100_000), CHANGED),
    "millions of empty records": Fault(body(lambda _: b"[" + b"{}," * 2_000_000 + b"{}]"), CHANGED),
    "a million items": Fault(million, UNREACHABLE | CHANGED),
    "a byte-order mark": Fault(body(lambda ask: b"\xef\xbb\xbf" + ask.good()), FINE),
    "a wrong charset": Fault(body(Ask.good, Content_Type="text/html; charset=utf-16"), FINE),
    "the same item three times": Fault(body(thrice), FINE),
    "ids that change at each poll": Fault(body(lambda ask: ask.case.document(ask.item(key=f"k{ask.polls}"))), FINE),
    "items from the future": Fault(shifted(days=2), CHANGED),
    "a clock that is an hour ahead": Fault(shifted(minutes=60), CHANGED, lambda case: case.name in HOUR_BACK),
    "a clock that is an hour behind": Fault(shifted(minutes=-60), FINE),
    "items that are years old": Fault(shifted(days=-365 * 10), FINE),
    "day and month swapped": Fault(body(swapped_date), CHANGED, lambda case: case.unwatched_time),
    "coordinates swapped": Fault(body(swapped_place), CHANGED, lambda case: not case.located),
    "a page that comes again and again": Fault(again_and_again, FINE | CHANGED),
}  # fmt: skip
