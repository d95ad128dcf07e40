"""Rows -> answers: JSON and files that stream. I/O."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import chain

from flask import Response, jsonify

from aggregator.export import FORMATS, Column
from aggregator.export.tableschema import MEDIA_TYPE
from aggregator.web.crowd import Seat
from aggregator.web.desk import desk, instance
from aggregator.web.lists import Page, item


def as_json(page: Page, columns: Sequence[Column]) -> Response:
    """Return a page of a list: items, next, simulated."""
    items = [item(row, columns) for row in page.rows]
    return jsonify({"items": items, "next": page.next, "simulated": instance().clock.simulated})


def as_file(pieces: Iterator[bytes], kind: str, name: str, *, inline: bool = False, is_long: bool = False) -> Response:
    """Return a file that is made while it is sent; what goes wrong before its first piece is still an error page.

    is_long: it may take a while; raises Crowded where too many such are being made.
    """
    seat = desk().exports.take() if is_long else Seat()
    with ExitStack() as failing:
        failing.callback(seat.leave)
        first = next(pieces, b"")
        failing.pop_all()
    response = Response(_made(chain([first], pieces), seat), mimetype=None, content_type=FORMATS[kind].media_type)
    response.call_on_close(seat.leave)
    mark = "-SIMULATION" if instance().clock.simulated else ""
    how = "inline" if inline else "attachment"
    response.headers["Content-Disposition"] = f'{how}; filename="netzlage-{name}{mark}{FORMATS[kind].suffix}"'
    response.headers["Cache-Control"] = "public, max-age=15"
    return response


def _made(pieces: Iterator[bytes], seat: Seat) -> Iterator[bytes]:
    """Yield the pieces and leave the seat after the last, though the reader may have yet to take them."""
    yield from pieces
    seat.leave()


def described(table: str, *, excel: bool = False) -> str:
    """Return the header that says where the columns of a file are explained, as CSV on the Web has it."""
    mark = "-excel" if excel else ""
    return f'</daten/{table}{mark}.schema.json>; rel="describedby"; type="{MEDIA_TYPE}"'
