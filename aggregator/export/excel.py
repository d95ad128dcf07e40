"""Rows -> CSV as a German spreadsheet opens it on a double click. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, Final

from aggregator.clock import BERLIN
from aggregator.export.columns import Column
from aggregator.export.table import CELLS, Row, write_table

MARK: Final = b"\xef\xbb\xbf"  # says that it is UTF-8


def write_excel(rows: Iterable[Row], columns: Sequence[Column]) -> Iterator[bytes]:
    """Yield a CSV file with byte-order mark, semicolons, decimal commas, WAHR and FALSCH, and German time."""
    return chain([MARK], write_table(rows, columns, EXCEL, delimiter=";"))


def _time(moment: datetime | None) -> str:
    """Return German time as every spreadsheet reads it as one."""
    return "" if moment is None else moment.astimezone(BERLIN).replace(tzinfo=None).isoformat(" ", "seconds")


def _number(value: float | None) -> str:
    return CELLS["number"](value).replace(".", ",")


def _truth(value: bool | None) -> str:
    return "" if value is None else "WAHR" if value else "FALSCH"


EXCEL: Final[Mapping[str, Callable[[Any], str]]] = {**CELLS, "time": _time, "number": _number, "truth": _truth}
