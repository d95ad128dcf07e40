"""A CSV of reports handed in by a user -> the frame REPORTS, checked line by line; for `detect`. I/O."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import pandas as pd

from aggregator.clock import BERLIN
from aggregator.errors import DataError
from aggregator.frames import REPORTS, conform
from aggregator.model import Region
from aggregator.once import is_first

COLUMNS: Final = ("observed_at", "region", "provider", "service", "reporter")
FIRST_LINE: Final = 2  # of the file, below the header


def read_reports(path: Path, regions: Sequence[Region]) -> pd.DataFrame:
    """Read `observed_at,region,provider,service,reporter` and, if it is there, `received_at`, in order of arrival.

    Times without an offset are Europe/Berlin; without received_at a report was known when it was observed. An empty
    region is "not located", an empty reporter a person of their own. DataError names line, column and mend.
    """
    table = _read(path)
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing:
        raise DataError(f"{path} lacks the column {', '.join(missing)}; it needs {', '.join(COLUMNS)}.")
    if table.empty:
        raise DataError(f"{path} holds no report; it needs at least one line below the header.")
    table = table.apply(lambda column: column.str.strip())
    _refuse(path, table["provider"].eq(""), "has no provider; name one")
    _refuse(path, table["service"].eq(""), "has no service; name one")
    unknown = ~table["region"].isin(["", *(region.id for region in regions)])
    _refuse(path, unknown, "names a region that the regions file lacks; add it there", table["region"])
    table["observed_at"] = _times(path, table["observed_at"], "observed_at")
    table["received_at"] = _received(path, table)
    table = table.sort_values(["received_at", "observed_at"], kind="stable", ignore_index=True)
    table["counted"] = _counted(table)
    return conform(table.reindex(columns=list(REPORTS)).assign(source="file", **_texts(table)), REPORTS)


def _read(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
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
        raise DataError(f"{path} line {row + FIRST_LINE} {what}{shown}.")


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


def _counted(table: pd.DataFrame) -> list[bool]:
    before: defaultdict[tuple[str, str, str], list[datetime]] = defaultdict(list)
    people = zip(table["reporter"], table["provider"], table["service"], table["observed_at"], strict=True)
    return [not who or is_first(before[who, provider, service], at) for who, provider, service, at in people]


def _texts(table: pd.DataFrame) -> dict[str, pd.Series | str]:
    """Return the text columns, empty where the file says nothing."""
    given = {name: table[name] for name in ("region", "provider", "service", "reporter")}
    return {name: given.get(name, "") for name, dtype in REPORTS.items() if dtype == "str" and name != "source"}
