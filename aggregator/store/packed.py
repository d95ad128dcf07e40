"""Many rows of few columns out of the database: each column comes as one text. I/O.

To make an object of each value takes longer than to find the row: with a million reports in a day, most of a look.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from sqlalchemy import ColumnElement, Connection, Integer, Numeric, Select, Text, cast, extract, func, type_coerce

from aggregator.store.columns import UtcTime

BETWEEN: Final = "\x1f"  # in no text that is kept: what comes in at the door loses its control characters


def frame(connection: Connection, query: Select[Any]) -> pd.DataFrame:
    """Run `query` and return its rows in any order: texts as categories, numbers as int64, times as microseconds."""
    columns = list(query.selected_columns)
    texts = [func.aggregate_strings(_text(connection, column), BETWEEN) for column in columns]
    packed = list(connection.execute(query.with_only_columns(*texts)).one())
    found: dict[str, Any] = {}
    for column in reversed(columns):  # each text is let go of before the next is taken apart
        text = packed.pop()
        found[column.name] = _numbers(text) if _is_number(column) else _texts(text)
    return pd.DataFrame(found)


def _is_number(column: ColumnElement[Any]) -> bool:
    return isinstance(column.type, Integer | UtcTime)


def _text(connection: Connection, column: ColumnElement[Any]) -> ColumnElement[Any]:
    if connection.dialect.name == "sqlite":
        return type_coerce(column, Text)
    if isinstance(column.type, UtcTime):
        return cast(cast(extract("epoch", column) * 1_000_000, Numeric(20, 0)), Text)
    return cast(column, Text)


def _numbers(text: str | None) -> npt.NDArray[np.int64]:
    return np.fromstring(text or "", dtype=np.int64, sep=BETWEEN)


def _texts(text: str | None) -> pd.Categorical:
    values = [] if text is None else text.split(BETWEEN)
    codes, names = pd.factorize(pd.Index(values, dtype="str"))
    return pd.Categorical.from_codes(codes, names)
