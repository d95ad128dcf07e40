"""Rows -> answers: JSON and files that stream. I/O."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Final

from flask import Response, jsonify

from aggregator.export import FORMATS, Column
from aggregator.export.tableschema import MEDIA_TYPE
from aggregator.web.crowd import Seat
from aggregator.web.desk import desk, instance
from aggregator.web.lists import Page, item

SHORT: Final = 256 << 10  # bytes: a file up to there is made at once and needs no seat


def as_json(page: Page, columns: Sequence[Column]) -> Response:
    """Return a page of a list: items, next, simulated."""
    items = [item(row, columns) for row in page.rows]
    return jsonify({"items": items, "next": page.next, "simulated": instance().clock.simulated})


def as_file(pieces: Iterator[bytes], kind: str, name: str, *, inline: bool = False) -> Response:
    """Return a file that is made while it is sent; what goes wrong before its first piece is still an error page.

    Raises Crowded where too many long ones are being made.
    """
    first, is_all = _begin(pieces)
    seat = Seat() if is_all else desk().exports.take()
    response = Response(chain([first], pieces), mimetype=None, content_type=FORMATS[kind].media_type)
    response.call_on_close(seat.leave)
    mark = "-SIMULATION" if instance().clock.simulated else ""
    how = "inline" if inline else "attachment"
    response.headers["Content-Disposition"] = f'{how}; filename="netzlage-{name}{mark}{FORMATS[kind].suffix}"'
    response.headers["Cache-Control"] = "public, max-age=15"
    return response


def _begin(pieces: Iterator[bytes]) -> tuple[bytes, bool]:
    """Return the beginning of a file and whether that is all."""
    begun = bytearray()
    for piece in pieces:
        begun += piece
        if len(begun) > SHORT:
            return bytes(begun), False
    return bytes(begun), True


def described(table: str, *, excel: bool = False) -> str:
    """Return the header that says where the columns of a file are explained, as CSV on the Web has it."""
    mark = "-excel" if excel else ""
    return f'</daten/{table}{mark}.schema.json>; rel="describedby"; type="{MEDIA_TYPE}"'
