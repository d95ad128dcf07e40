"""Reports as the database holds them -> CSV, a million in seconds: each distinct cell is written once. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from aggregator.export.columns import REPORTS
from aggregator.export.guard import guarded
from aggregator.export.table import iso, truth
from aggregator.frames import BUCKET

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
STEP: Final = BUCKET // timedelta(microseconds=1)
MOST: Final = 50_000  # cells remembered of a kind: a source that writes sentences does not fill the memory
END: Final = "\r\n"

# The reports of a page, as store.outgoing has them, and report_id -> since when it works again, in microseconds.
Page = tuple[Sequence[tuple[Any, ...]], Mapping[str, int]]


class Written(dict[Any, str]):
    """Values with their cells, each written by `write` when it is first met."""

    def __init__(self, write: Callable[[Any], str]) -> None:
        super().__init__()
        self._write = write

    def __missing__(self, value: Any) -> str:
        """Write a cell and remember it."""
        if len(self) >= MOST:
            self.clear()
        cell = self[value] = self._write(value)
        return cell


def write_reports(pages: Iterable[Page], *, sources: Collection[str], simulated: bool) -> Iterator[bytes]:
    """Yield the file that `write_csv` makes of the same reports as anyone may see them; only those of `sources`.

    Times are cut to five minutes.
    """
    yield (",".join(column.name for column in REPORTS) + END).encode()
    text, time, given = Written(_text), Written(_time), frozenset(sources)
    marks = [f"{truth(counted)},{truth(simulated)}" for counted in (False, True)]
    for page, over in pages:
        lines = [
            f"{one if one.isalnum() else text[one]},{text[source]},{text[provider]},{text[service]},{text[symptom]},"
            f"{text[region]},{text[place]},{time[observed // STEP]},"
            f"{time[began // STEP] if began is not None else ''},"
            f"{time[over[one] // STEP] if one in over else ''},{time[received // STEP]},{marks[counted]}"
            for one, source, provider, service, symptom, region, place, observed, began, received, counted in page
            if source in given
        ]
        if lines:
            lines.append("")
            yield END.join(lines).encode()


def _time(number: int) -> str:
    """Return the beginning of the five minutes of that number since the epoch."""
    return iso(EPOCH + number * BUCKET)


def _text(text: str) -> str:
    """Return the cell as Python's csv writes it, guarded."""
    if not text:
        return ""
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator=END).writerow([guarded(text)])
    return buffer.getvalue().removesuffix(END)
