"""Closed days as ready files: written once, again only when something of that day has changed; with checksums. I/O.

There are two shelves of them. What lies on PUBLIC is what anyone may have: of sources that let it be given on, times to
five minutes, places no finer than the district; the site serves that folder and no other. The operator's own shelf
(aggregator.history.files) holds every source and the exact times, for looking back; it never leaves the house.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Final

from aggregator.clock import BERLIN
from aggregator.downloads import download
from aggregator.export import FORMATS, TABLES
from aggregator.history.folder import DayFile, bounds, described, keep_index, known, whole
from aggregator.instance import Instance
from aggregator.model import Filter
from aggregator.store import days, sources
from aggregator.store.watermark import settled

FOLDER: Final = "days"
KINDS: Final = ("csv", "parquet")
OFFERED: Final = ("reports", "cube")
LATE: Final = timedelta(hours=1)  # after midnight: until then most of what comes late has come
AT_ONCE: Final = 40  # days of one run: a store with years behind it is not at work for hours


@dataclass(frozen=True, slots=True)
class Shelf:
    """A folder of day files: the (table, kind) of each day, who makes one, and what they hang on beside that day."""

    folder: str
    offered: tuple[tuple[str, str], ...]
    make: Callable[[Instance, str, str, Filter], Iterable[bytes]]
    rules: Callable[[Instance], object]


def _download(instance: Instance, table: str, kind: str, f: Filter) -> Iterator[bytes]:
    return download(instance, table, kind, f)


def _given_on(instance: Instance) -> object:
    with instance.store.read() as connection:
        given = [sources.given_on(connection, table) for table in OFFERED]
    return [given, [column.name for table in OFFERED for column in TABLES[table]], instance.clock.simulated]


PUBLIC: Final = Shelf(FOLDER, tuple((table, kind) for table in OFFERED for kind in KINDS), _download, _given_on)


def folder_of(instance: Instance, shelf: Shelf = PUBLIC) -> Path:
    """Return where the files lie."""
    return instance.settings.home / shelf.folder


def close_days(instance: Instance, *, at_once: int = AT_ONCE) -> list[DayFile]:
    """Write the public files of closed days that are not there or no longer true, of `at_once` days, newest first.

    A day is closed an hour after its midnight in Germany. Returns what was written. Raises StoreError.
    """
    written, busy = [], 0
    for day in closed(instance):
        if busy == at_once:
            break
        made = close_day(instance, day)
        busy += bool(made)
        written += made
    return written


def close_day(instance: Instance, day: date, shelf: Shelf = PUBLIC) -> list[DayFile]:
    """Write the files of one closed day that are not there or no longer true, and return them."""
    folder = folder_of(instance, shelf)
    have, state = known(folder), _state(instance, day, shelf)
    made = [
        _write(instance, table, kind, day, shelf=shelf, state=state) for table, kind in shelf.offered
        if state and not _is_true(folder, have.get(name_of(table, kind, day)), state)
    ]  # fmt: skip
    if made:
        keep_index(folder, have | {one.name: one for one in made})
    return made


def name_of(table: str, kind: str, day: date) -> str:
    """Return the name of a file; a CSV is packed."""
    return f"{table}-{day.isoformat()}{FORMATS[kind].suffix}{'.gz' if kind == 'csv' else ''}"


def closed(instance: Instance) -> Iterator[date]:
    """Yield the closed days of which something is stored, the newest first."""
    with instance.store.read() as connection:
        seen_until = settled(connection, instance.clock.now())
        span = days.span(connection)
    if span is None:
        return
    day = min((seen_until - LATE).astimezone(BERLIN).date() - timedelta(days=1), _day(span[1]))
    while day >= _day(span[0]):
        yield day
        day -= timedelta(days=1)


def _day(moment: datetime) -> date:
    return moment.astimezone(BERLIN).date()


def _state(instance: Instance, day: date, shelf: Shelf) -> str:
    """Return the word for all that the files of `day` depend on, "" where there is nothing to write."""
    with instance.store.read() as connection:
        found = days.state(connection, *bounds(day))
    rules = sha256(json.dumps(shelf.rules(instance)).encode()).hexdigest()[:12]
    return f"{found}-{rules}" if found else ""


def _is_true(folder: Path, file: DayFile | None, state: str) -> bool:
    return file is not None and file.state == state and (folder / file.name).is_file()


def _write(instance: Instance, table: str, kind: str, day: date, *, shelf: Shelf, state: str) -> DayFile:
    start, end = bounds(day)
    path = folder_of(instance, shelf) / name_of(table, kind, day)
    with whole(path) as file:
        _fill(file, shelf.make(instance, table, kind, Filter(since=start, until=end)), packed=kind == "csv")
        return described(file, DayFile(path.name, table, kind, day.isoformat(), 0, "", state))


def _fill(file: BinaryIO, pieces: Iterable[bytes], *, packed: bool) -> None:
    if not packed:
        file.writelines(pieces)
        return
    with gzip.GzipFile(fileobj=file, mode="wb", filename="", mtime=0) as packer:  # the same rows are the same bytes
        for piece in pieces:
            packer.write(piece)
