"""Rows -> CSV that a spreadsheet can open without running anything. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

from aggregator.export.columns import Column
from aggregator.export.guard import guarded

Row = Mapping[Any, Any]  # column -> value; "points": where it is drawn, [(lon, lat)]

AT_ONCE: Final = 1000  # rows a piece


def write_csv(rows: Iterable[Row], columns: Sequence[Column]) -> Iterator[bytes]:
    """Yield a CSV file (UTF-8, comma, CRLF): a header, then each row.

    Times are ISO 8601 with Z, the items of a list are set off by blanks, what is missing is empty. Text that a
    spreadsheet would take for a formula gets an apostrophe before it.
    """
    return write_table(rows, columns, CELLS, delimiter=",")


def write_table(
    rows: Iterable[Row], columns: Sequence[Column], cells: Mapping[str, Callable[[Any], str]], *, delimiter: str
) -> Iterator[bytes]:
    """Yield a header and the rows, each value as `cells` writes its kind."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow([column.name for column in columns])
    written = [(column.name, cells[column.kind]) for column in columns]
    items = iter(rows)
    while True:
        some = list(islice(items, AT_ONCE))
        writer.writerows([[cell(row[name]) for name, cell in written] for row in some])
        yield buffer.getvalue().encode("utf-8")
        if len(some) < AT_ONCE:
            return
        buffer.seek(0)
        buffer.truncate()


def iso(moment: datetime | None) -> str:
    """Return a time as ISO 8601 UTC with Z, "" for none."""
    return moment.astimezone(UTC).isoformat()[:-6] + "Z" if moment is not None else ""


def _number(value: float | None) -> str:
    return "" if value is None else repr(float(value)).removesuffix(".0")


def _integer(value: int | None) -> str:
    return "" if value is None else str(int(value))


def truth(value: bool | None) -> str:
    """Return true, false or "" for neither."""
    return "" if value is None else "true" if value else "false"


def _list(values: Sequence[str] | None) -> str:
    return guarded(" ".join(values or ()))


CELLS: Final[Mapping[str, Callable[[Any], str]]] = {
    "text": guarded,
    "time": iso,
    "number": _number,
    "integer": _integer,
    "truth": truth,
    "list": _list,
}
