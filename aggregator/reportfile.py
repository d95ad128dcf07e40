"""A CSV of reports handed in by a user -> the frame FILED, checked line by line; for `detect`. I/O."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from aggregator.clock import BERLIN
from aggregator.errors import DataError
from aggregator.frames import FILED, conform
from aggregator.model import Region
from aggregator.once import is_first

COLUMNS: Final = ("observed_at", "region", "provider", "service", "reporter")
NAMES: Final = ("region", "provider", "service", "reporter")
FIRST_LINE: Final = 2  # of the file, below the header
LINES: Final = 50_000  # read at once

Names = dict[str, dict[str, int]]  # column -> name -> its number


def read_reports(path: Path, regions: Sequence[Region]) -> pd.DataFrame:
    """Read `observed_at,region,provider,service,reporter` and, if it is there, `received_at` into FILED, by arrival.

    Times without an offset are Europe/Berlin; without received_at a report was known when it was observed. An empty
    region is "not located", an empty reporter a person of their own. DataError names line, column and mend. The file is
    read piece by piece: as text it takes many times the memory.
    """
    names: Names = {name: {"": 0} for name in NAMES}
    pieces = [_piece(path, table, regions, names) for table in _read(path)]
    if not sum(len(piece) for piece in pieces):
        raise DataError(f"{path} holds no report; it needs at least one line below the header.")
    table = pd.concat(pieces, ignore_index=True)
    pieces.clear()
    table = table.sort_values(["received_at", "observed_at"], kind="stable", ignore_index=True)
    table["counted"] = _counted(table)
    for name in ("provider", "service", "region"):
        table[name] = _category(table[name].to_numpy(), list(names[name]))
    table["source"] = _category(np.zeros(len(table), np.int32), ["file"])
    return conform(table, FILED)


def _piece(
    path: Path, table: pd.DataFrame, regions: Sequence[Region], names: dict[str, dict[str, int]]
) -> pd.DataFrame:
    """Return some lines of the file, their names as numbers; a name that is not among `names` is added to them."""
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing:
        raise DataError(f"{path} lacks the column {', '.join(missing)}; it needs {', '.join(COLUMNS)}.")
    table = table.apply(lambda column: column.str.strip())
    _refuse(path, table["provider"].eq(""), "has no provider; name one")
    _refuse(path, table["service"].eq(""), "has no service; name one")
    unknown = ~table["region"].isin(["", *(region.id for region in regions)])
    _refuse(path, unknown, "names a region that the regions file lacks; add it there", table["region"])
    table["observed_at"] = _times(path, table["observed_at"], "observed_at")
    table["received_at"] = _received(path, table)
    numbers = {name: _numbers(table[name], known) for name, known in names.items()}
    return table[["observed_at", "received_at"]].assign(**numbers)


def _numbers(texts: pd.Series, known: dict[str, int]) -> npt.NDArray[np.int32]:
    codes, distinct = pd.factorize(texts)
    return np.array([known.setdefault(str(text), len(known)) for text in distinct], dtype=np.int32)[codes]


def _category(numbers: npt.NDArray[np.int32], names: Sequence[str]) -> pd.Series:
    return pd.Series(pd.Categorical.from_codes(numbers, dtype=pd.CategoricalDtype(list(names))))


def _read(path: Path) -> Iterator[pd.DataFrame]:
    """Yield the lines of the file, some at a time; a file of a header alone is one piece without lines."""
    try:
        with pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig", chunksize=LINES) as pieces:
            yield from pieces
    except UnicodeDecodeError:
        raise DataError(f"{path} is not UTF-8 text; save it as UTF-8.") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); check the path.") from None
    except pd.errors.EmptyDataError:
        raise DataError(f"{path} is empty; it needs a header and at least one report.") from None
    except pd.errors.ParserError as error:
        raise DataError(f"{path} is not a CSV table ({str(error).strip()}); mend that line.") from None


def _refuse(path: Path, wrong: pd.Series, what: str, value: pd.Series | None = None) -> None:
    if wrong.any():
        row = int(wrong.to_numpy().argmax())
        shown = "" if value is None else f" ({value.iloc[row]!r})"
        raise DataError(f"{path} line {int(wrong.index[row]) + FIRST_LINE} {what}{shown}.")


def _received(path: Path, table: pd.DataFrame) -> pd.Series:
    if "received_at" not in table.columns:
        return table["observed_at"]
    given = table["received_at"].ne("")
    received = table["observed_at"].copy()
    received[given] = _times(path, table["received_at"][given], "received_at")
    _refuse(path, received < table["observed_at"], "was received before it was observed; correct one of the two")
    return received


def _times(path: Path, texts: pd.Series, column: str) -> pd.Series:
    """Parse ISO 8601 times; most files have one form only, which is read at once."""
    aware = texts.str.contains(r"(?:Z|[+-]\d\d:?\d\d)$", regex=True)
    parsed = pd.Series(pd.NaT, index=texts.index, dtype="datetime64[us, UTC]")
    parsed[aware] = pd.to_datetime(texts[aware], format="ISO8601", utc=True, errors="coerce")
    local = pd.to_datetime(texts[~aware], format="ISO8601", errors="coerce")
    parsed[~aware] = local.dt.tz_localize(BERLIN, ambiguous=True, nonexistent="shift_forward").dt.tz_convert("UTC")
    wrong = parsed.isna()
    if wrong.any():
        row = int(texts.index[wrong][0])
        raise DataError(
            f"{path} line {row + FIRST_LINE} has {column} = {texts[row]!r}, which is no time such as "
            "2017-05-13T12:30:00Z; correct it."
        )
    return parsed


def _counted(table: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Return which reports count: all of nobody in particular, of a person the first in six hours."""
    before: defaultdict[tuple[int, int, int], list[datetime]] = defaultdict(list)
    counted = np.ones(len(table), dtype=np.bool_)
    rows = np.flatnonzero(table["reporter"].to_numpy())
    some = table.iloc[rows]
    people = zip(rows, some["reporter"], some["provider"], some["service"], some["observed_at"], strict=True)
    for row, who, provider, service, at in people:
        counted[row] = is_first(before[who, provider, service], at)
    return counted
