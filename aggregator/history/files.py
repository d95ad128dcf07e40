"""The operator's own day files: all sources, exact times, one day a file; checked by checksum when read. I/O.

They hold nothing by which a person could be known: no id of a report, no reporter, address block, postcode, coordinate
or comment. But their times are exact and sources are among them that must not be given on, so they lie in a folder of
their own, which the site does not serve; what anyone may have lies beside it (aggregator.dayfiles).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

import pandas as pd

from aggregator.dayfiles import Shelf, closed, folder_of
from aggregator.frames import LISTENING, REPORTS
from aggregator.history.folder import whole
from aggregator.history.tables import Frame, parquet
from aggregator.instance import Instance
from aggregator.model import Filter
from aggregator.store import cube, reports, sources

REPORT_COLUMNS: Final = (
    "observed_at", "received_at", "began_at", "provider", "service", "region", "source", "symptom", "place_source",
    "counted",
)  # fmt: skip
SLICE: Final = timedelta(minutes=15)  # read at once from the store: 2,000 reports a second are two million then
GROUP: Final = 500_000  # rows of a row group, at least
ABOUT: Final = "about.json"
VERSION: Final = 1
REPORT_FRAME: Final[Frame] = {name: REPORTS[name] for name in REPORT_COLUMNS}


def _make(instance: Instance, table: str, _kind: str, f: Filter) -> Iterator[bytes]:
    return WRITERS[table](instance, f)


def _rules(instance: Instance) -> object:
    return [VERSION, instance.clock.simulated]


OWN: Final = Shelf("history", (("reports", "parquet"), ("listening", "parquet")), _make, _rules)


def keep_about(instance: Instance) -> None:
    """Write beside the files what a look back must know of their sources: about whom each one's silence speaks."""
    with instance.store.read() as connection:
        covers = sources.covers(connection)
    text = json.dumps({"covers": covers, "simulated": instance.clock.simulated}, sort_keys=True)
    with whole(folder_of(instance, OWN) / ABOUT) as file:
        file.write(text.encode())


def covers_of(folder: Path) -> dict[str, tuple[str, ...]]:
    """Return what `keep_about` wrote of the sources; without it every source speaks of all that it names."""
    try:
        told = json.loads((folder / ABOUT).read_text("utf-8"))["covers"]
        return {source: tuple(providers) for source, providers in told.items()}
    except (OSError, ValueError, KeyError):
        return {}


def days_of(instance: Instance) -> list[date]:
    """Return the closed days of the store, the newest first."""
    return list(closed(instance))


def _reports(instance: Instance, f: Filter) -> Iterator[bytes]:
    return parquet(_slices(instance, f), REPORT_FRAME)


def _slices(instance: Instance, f: Filter) -> Iterator[pd.DataFrame]:
    """Yield the reports in order of their columns, some hundred thousand at a time."""
    some: list[pd.DataFrame] = []
    for since, until in _quarters(f):
        with instance.store.read() as connection:
            frame = reports.frame(connection, Filter(since=since, until=until))
        some.append(frame[list(REPORT_COLUMNS)].sort_values(list(REPORT_COLUMNS), ignore_index=True))
        if sum(map(len, some)) >= GROUP:
            yield pd.concat(some, ignore_index=True)
            some = []
    if some:
        yield pd.concat(some, ignore_index=True)


def _quarters(f: Filter) -> Iterator[tuple[datetime, datetime]]:
    if f.since is None or f.until is None:
        raise ValueError("a day has two ends")
    since, end = f.since.astimezone(UTC), f.until.astimezone(UTC)  # a day may have 23 hours
    while since < end:
        until = min(since + SLICE, end)
        yield since, until
        since = until


def _listening(instance: Instance, f: Filter) -> Iterator[bytes]:
    if f.since is None or f.until is None:
        raise ValueError("a day has two ends")
    with instance.store.read() as connection:
        heard = cube.listening(connection, f.since, f.until)
    return parquet([heard], LISTENING)


WRITERS: Final[Mapping[str, Callable[[Instance, Filter], Iterator[bytes]]]] = {
    "reports": _reports,
    "listening": _listening,
}
