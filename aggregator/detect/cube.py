"""Reports -> count cube -> the sparse cells of each stream. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from aggregator.detect.calendar import BUCKET_SECONDS
from aggregator.frames import CUBE, TIME, conform, empty
from aggregator.model import ALL, Stream

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
NOT_LOCATED = -1
NEAR = 8  # numbers that there could be for each that is there
KEYS = ("region", "provider", "service", "source")


@dataclass(frozen=True, slots=True)
class Cells:
    """The non-empty cells of one stream, ordered by bucket then region; three arrays of one length.

    region: place in the list of regions, -1 = not located; bucket: number since the epoch; count: reports.
    """

    region: Ints
    bucket: Ints
    count: Floats

    def between(self, start: int, end: int) -> Cells:
        """Return the cells with start <= bucket < end."""
        low, high = np.searchsorted(self.bucket, [start, end])
        return Cells(self.region[low:high], self.bucket[low:high], self.count[low:high])

    def where(self, keep: npt.NDArray[np.bool_]) -> Cells:
        """Return the cells marked in `keep`."""
        return Cells(self.region[keep], self.bucket[keep], self.count[keep])


NO_CELLS = Cells(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))


def bucket_number(moment: datetime) -> int:
    """Return the number of the 5-minute bucket that holds `moment` (aware)."""
    return int(moment.timestamp()) // BUCKET_SECONDS


def bucket_start(number: int) -> datetime:
    """Return the beginning (UTC) of the bucket of that number."""
    return datetime.fromtimestamp(number * BUCKET_SECONDS, UTC)


def count_cube(reports: pd.DataFrame) -> pd.DataFrame:
    """Count the counted rows of REPORTS into CUBE (sparse; the sum of `count` is the number of counted rows)."""
    return conform(tally(reports), CUBE)


def tally(reports: pd.DataFrame) -> pd.DataFrame:
    """Return the CUBE of REPORTS in order of bucket and KEYS, its texts as categories: millions of rows stay small.

    A row's bucket and places in the lists of texts make one whole number; numbers are counted, not texts.
    """
    counted = reports[reports["counted"]]
    if counted.empty:
        return empty(CUBE)
    texts = {name: _alphabetic(counted[name]) for name in KEYS}
    key = np.asarray(counted["observed_at"].astype("int64"), dtype=np.int64) // (BUCKET_SECONDS * 1_000_000)
    for text in texts.values():
        key = key * len(text.categories) + text.codes
    key, count = _numbers(key)
    columns: dict[str, object] = {"count": pd.array(count, dtype="Int64")}
    for name, text in reversed(texts.items()):
        key, code = np.divmod(key, len(text.categories))
        columns[name] = pd.Categorical.from_codes(code, dtype=text.dtype)
    columns["bucket"] = pd.to_datetime(key * BUCKET_SECONDS, unit="s", utc=True).astype(TIME)
    return pd.DataFrame(columns)[list(CUBE)]


def _numbers(found: Ints) -> tuple[Ints, Ints]:
    """Return the different numbers in ascending order and how often each is there; without sorting if they are near."""
    low, high = int(found.min()), int(found.max())
    if high - low > NEAR * len(found):
        numbers, count = np.unique(found, return_counts=True)
        return numbers, count.astype(np.int64)
    every = np.bincount(found - low)
    there = np.flatnonzero(every)
    return there + low, every[there].astype(np.int64)


def _alphabetic(texts: pd.Series) -> pd.Categorical:
    """Return texts of which none is missing as categories in the order of the alphabet, only those that occur."""
    found = pd.Categorical(texts.array)
    used = np.flatnonzero(np.bincount(found.codes, minlength=len(found.categories)))
    used = used[np.argsort(found.categories[used].to_numpy(object))]
    place = np.zeros(len(found.categories), dtype=np.int32)
    place[used] = np.arange(len(used))
    return pd.Categorical.from_codes(place[found.codes], found.categories[used])


def by_stream(cube: pd.DataFrame, regions: Sequence[str]) -> dict[Stream, Cells]:
    """Split a CUBE into the cells of each (provider, service), (provider, all) and (all, all), sources added up.

    Regions that are not in `regions` count as not located. Streams without a report are absent.
    """
    if cube.empty:
        return {}
    places = {name: number for number, name in enumerate(regions)}
    named = _alphabetic(cube["region"])
    region = np.array([places.get(name, NOT_LOCATED) for name in named.categories], dtype=np.int64)[named.codes]
    bucket = np.asarray(cube["bucket"].astype("int64"), dtype=np.int64) // (BUCKET_SECONDS * 1_000_000)
    count: Floats = cube["count"].to_numpy(np.float64)
    provider, service = _alphabetic(cube["provider"]), _alphabetic(cube["service"])
    streams = {Stream(ALL, ALL): _merge(region, bucket, count)}
    for code, name in enumerate(provider.categories):
        own: Ints = np.flatnonzero(provider.codes == code).astype(np.int64)
        streams[Stream(str(name), ALL)] = _merge(region[own], bucket[own], count[own])
        for kind in np.unique(service.codes[own]):
            rows = own[service.codes[own] == kind]
            stream = Stream(str(name), str(service.categories[kind]))
            streams[stream] = _merge(region[rows], bucket[rows], count[rows])
    return streams


def _merge(region: Ints, bucket: Ints, count: Floats) -> Cells:
    width = int(region.max()) + 2
    key = bucket * width + region + 1
    low = int(key.min())
    if int(key.max()) - low > NEAR * len(key):
        there, inverse = np.unique(key, return_inverse=True)
        total = np.bincount(inverse, weights=count)
    else:
        there = np.flatnonzero(np.bincount(key - low))
        total = np.bincount(key - low, weights=count)[there]
        there += low
    return Cells(there % width - 1, there // width, total.astype(np.float64))


def merged(parts: Sequence[Cells]) -> Cells:
    """Return the cells of several streams, or several of one cell, added up."""
    if not sum(len(part.bucket) for part in parts):
        return NO_CELLS
    together = joined(parts)
    return _merge(together.region, together.bucket, together.count)


def joined(parts: Sequence[Cells]) -> Cells:
    """Return the cells of stretches of time that follow each other."""
    return Cells(
        np.concatenate([part.region for part in parts]),
        np.concatenate([part.bucket for part in parts]),
        np.concatenate([part.count for part in parts]),
    )


def narrower(wide: Stream, streams: Mapping[Stream, Cells]) -> list[Stream]:
    """Return the streams that `wide` contains one level down to the bottom: those whose reports it counts too."""
    if wide.service != ALL:
        return []
    return [s for s in streams if s.service != ALL and wide.provider in (ALL, s.provider)]


def to_timedelta(buckets: int) -> timedelta:
    """Return the length of that many buckets."""
    return timedelta(seconds=buckets * BUCKET_SECONDS)
