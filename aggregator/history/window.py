"""Day files -> what a look back sees of some days: the pieces of a `Past`, read once and laid side by side. I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from aggregator.detect.backtest import Log, Past, ReportLog, logs
from aggregator.detect.coverage import Coverage, cover
from aggregator.detect.cube import NO_CELLS, Cells, bucket_number, by_stream, joined
from aggregator.frames import BUCKET, CUBE, LISTENING, conform, empty
from aggregator.history.folder import DayFile, bounds
from aggregator.history.tables import read
from aggregator.model import ALL, Stream

READ: Final = ("observed_at", "received_at", "provider", "service", "region", "counted")
NOTHING: Final = ReportLog(np.empty(0), np.empty(0), np.empty(0, np.int32))
Logs = Mapping[Stream, ReportLog]
Files = Mapping[str, DayFile]  # of one day, by table


@dataclass(frozen=True, slots=True)
class Part:
    """A German day: its counts, the reports that were known only after it, who brought them and who was heard."""

    day: date
    cells: Mapping[Stream, Cells]
    behind: Logs
    usual: pd.DataFrame
    listening: pd.DataFrame | None


@dataclass(frozen=True, slots=True)
class Whole:
    """What all days of a look back share: its ends, its regions, every stream that is ever heard of, late reports.

    covers: about whom the silence of a source says something; heard: somebody noted who was listening.
    """

    begin: datetime
    end: datetime
    regions: tuple[str, ...]
    streams: tuple[Stream, ...]
    late: bool
    covers: Mapping[str, tuple[str, ...]]
    heard: bool


def read_part(folder: Path, files: Files, regions: Sequence[str]) -> Part:
    """Read a day without its single reports."""
    day = date.fromisoformat(files["cube"].day)
    counts = conform(read(folder, files["cube"]), CUBE)
    listening = conform(read(folder, files["listening"]), LISTENING) if "listening" in files else None
    all_logs = read_logs(folder, files, regions)
    end = bounds(day)[1].timestamp()
    behind = {stream: log.where(log.received > end) for stream, log in all_logs.items()}
    usual = counts.groupby(["provider", "source"], observed=True)["count"].sum().reset_index()
    return Part(day, by_stream(counts, regions), behind, usual, listening)


def summary(folder: Path, files: Files) -> tuple[set[Stream], bool]:
    """Return the streams of a day, and whether some report was known later than the end of its five minutes."""
    counts = read(folder, files["cube"], ("provider", "service")).drop_duplicates()
    narrow = {Stream(str(provider), str(service)) for provider, service in counts.itertuples(index=False)}
    wide = {Stream(name, ALL) for name in (ALL, *(stream.provider for stream in narrow))} if narrow else set()
    times = read(folder, files["reports"], ("observed_at", "received_at", "counted"))
    in_time = times["received_at"] <= times["observed_at"].dt.floor(BUCKET) + BUCKET
    return narrow | wide, bool((times["counted"] & ~in_time).any())


def read_logs(folder: Path, files: Files, regions: Sequence[str]) -> Logs:
    """Read the counted reports of a day."""
    table = read(folder, files["reports"], READ)
    counted = table[table["counted"]]
    return dict(logs(counted, {name: number for number, name in enumerate(regions)})) if len(counted) else {}


def past_of(whole: Whole, parts: Sequence[Part], near: Mapping[date, Logs], at: datetime) -> Past:
    """Lay days side by side, as a look from the day of `at` on sees them. near: all reports of the days next to it."""
    found = [near.get(part.day, part.behind) for part in parts]
    cells = {
        stream: joined([NO_CELLS, *(part.cells.get(stream, NO_CELLS) for part in parts)]) for stream in whole.streams
    }
    all_logs = {stream: _after([some.get(stream, NOTHING) for some in found]) for stream in whole.streams}
    usual = _usual([part for part in parts if bounds(part.day)[1] <= at])
    place = {name: number for number, name in enumerate(whole.regions)}
    return Past(cells, Log(place, all_logs), _coverage(whole, parts, usual), usual, whole.begin, whole.end, whole.late)


def _after(found: Sequence[ReportLog]) -> ReportLog:
    return ReportLog(
        np.concatenate([NOTHING.observed, *(one.observed for one in found)]),
        np.concatenate([NOTHING.received, *(one.received for one in found)]),
        np.concatenate([NOTHING.region, *(one.region for one in found)]),
    )


def _usual(parts: Sequence[Part]) -> pd.DataFrame:
    counts = pd.concat([empty(CUBE)[["provider", "source", "count"]], *(part.usual for part in parts)])
    return counts.groupby(["provider", "source"], observed=True)["count"].sum().reset_index()


def _coverage(whole: Whole, parts: Sequence[Part], usual: pd.DataFrame) -> Coverage:
    """Return who was heard; where nobody noted it, everybody was from the first to the last moment."""
    if not whole.heard or not parts:
        buckets = (whole.end - whole.begin) // BUCKET
        return Coverage(bucket_number(whole.begin), buckets, {ALL: np.ones(buckets)})
    heard = pd.concat([part.listening for part in parts if part.listening is not None])
    first, last = bounds(parts[0].day)[0], bounds(parts[-1].day)[1]
    return cover(heard, usual, bucket_number(first), bucket_number(last), covers=whole.covers)
