"""CSV tables handed in by a user -> regions and counts, checked line by line. I/O."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aggregator.errors import DataError
from aggregator.model import Region

Floats = npt.NDArray[np.float64]
REGION_COLUMNS = ("region", "name", "parent", "lat", "lon", "population")
COUNT_COLUMNS = ("region", "time", "count", "baseline")


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts and baselines, shape (regions, times); a pair that the file leaves out is 0 in both."""

    times: tuple[str, ...]
    count: Floats
    baseline: Floats


def read_regions(path: Path) -> list[Region]:
    """Read regions in the order of the file. DataError names line, column and mend."""
    found: dict[str, Region] = {}
    for where, row in _rows(path, REGION_COLUMNS):
        if not row["region"]:
            raise DataError(f"{where} has no region; give each region an id.")
        if row["region"] in found:
            raise DataError(f"{where} names region {row['region']} a second time; keep one of the two lines.")
        found[row["region"]] = Region(
            row["region"],
            row["name"],
            row["parent"],
            _number(row["lat"], where, "lat", lambda x: -90 <= x <= 90),
            _number(row["lon"], where, "lon", lambda x: -180 <= x <= 180),
            int(_number(row["population"], where, "population", lambda x: x >= 0)),
        )
    if not found:
        raise DataError(f"{path} holds no region; it needs at least one line below the header.")
    if not any(region.population for region in found.values()):
        raise DataError(f"{path} gives no region a population; what is usual is shared out by it, so fill it in.")
    return list(found.values())


def read_counts(path: Path, regions: Sequence[Region]) -> Counts:
    """Read a table of counts. Times are labels, ordered as numbers if all are, else as text."""
    place = {region.id: number for number, region in enumerate(regions)}
    cells: dict[tuple[int, str], tuple[float, float]] = {}
    for where, row in _rows(path, COUNT_COLUMNS):
        if row["region"] not in place:
            raise DataError(f"{where} names region {row['region']!r}, which the regions file lacks; add it.")
        cell = place[row["region"]], row["time"]
        if cell in cells:
            raise DataError(f"{where} gives region {row['region']} at {row['time']} a second time; keep one line.")
        count = _number(row["count"], where, "count", lambda x: x >= 0)
        cells[cell] = count, _number(row["baseline"], where, "baseline", lambda x: x >= 0)
    if not any(baseline for _, baseline in cells.values()):
        raise DataError(f"{path} expects no report at all (the column baseline adds up to 0); fill it in.")
    times = _in_order({time for _, time in cells})
    column = {time: number for number, time in enumerate(times)}
    table = np.zeros((2, len(regions), len(times)))
    for (region, time), pair in cells.items():
        table[:, region, column[time]] = pair
    return Counts(times, table[0], table[1])


def _in_order(times: set[str]) -> tuple[str, ...]:
    try:
        return tuple(sorted(times, key=float))
    except ValueError:
        return tuple(sorted(times))


def _rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield (where, row) for each line below the header; surplus columns are left out."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in columns if name not in (reader.fieldnames or ())]
            if missing:
                raise DataError(f"{path} lacks the column {', '.join(missing)}; it needs {', '.join(columns)}.")
            for row in reader:
                where = f"{path} line {reader.line_num}"
                if any(row[name] is None for name in columns):
                    raise DataError(f"{where} is cut off; it needs all of {', '.join(columns)}.")
                yield where, {name: row[name].strip() for name in columns}
    except UnicodeDecodeError:
        raise DataError(f"{path} is not UTF-8 text; save it as UTF-8.") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); check the path.") from None
    except csv.Error as error:
        raise DataError(f"{path} is not a CSV table ({error}); save it as comma-separated text.") from None


def _number(text: str, where: str, column: str, fits: Callable[[float], bool]) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or not fits(number):
        raise DataError(f"{where} has {column} = {text!r}, which is not a possible number there; correct it.")
    return number
