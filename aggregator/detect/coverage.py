"""Who was listening: of what a provider's reports usually come from, the share that was heard in each bucket. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from aggregator.detect.calendar import BUCKET_SECONDS
from aggregator.frames import COVERAGE, conform, empty
from aggregator.model import ALL

Floats = npt.NDArray[np.float64]
BLIND_BELOW = 0.5


@dataclass(frozen=True, slots=True)
class Coverage:
    """Shares heard in the buckets [start, start + n); `of` gives the array of one provider."""

    start: int
    buckets: int
    shares: Mapping[str, Floats]  # provider -> (buckets,), ALL always among them

    def of(self, provider: str) -> Floats:
        """Return the shares heard of `provider` (one that is not known: as for all together)."""
        return self.shares.get(provider, self.shares[ALL])

    def heard(self, provider: str, start: int, end: int) -> Floats:
        """Return the shares in the buckets [start, end), blind ones (below 0.5) and those outside the table as 0."""
        shares = np.zeros(end - start)
        low, high = max(start, self.start), min(end, self.start + self.buckets)
        if low < high:
            shares[low - start : high - start] = self.of(provider)[low - self.start : high - self.start]
        return np.where(shares < BLIND_BELOW, 0.0, shares)

    def frame(self) -> pd.DataFrame:
        """Return the table as COVERAGE, the wider stream left out."""
        times = pd.to_datetime(np.arange(self.start, self.start + self.buckets) * BUCKET_SECONDS, unit="s", utc=True)
        parts = [
            pd.DataFrame({"provider": name, "bucket": times, "share": values})
            for name, values in self.shares.items()
            if name != ALL
        ]
        return conform(pd.concat(parts), COVERAGE) if parts else empty(COVERAGE)


Covers = Mapping[str, Sequence[str]]  # source -> the providers about whom its silence says something


def cover(
    listening: pd.DataFrame, usual: pd.DataFrame, start: int, end: int, *, covers: Covers | None = None
) -> Coverage:
    """Weigh what each source heard by what it usually brings of each provider.

    listening: LISTENING; usual: columns provider, source, count (reports of the history). A provider of whom
    nothing came yet is judged as all together; with no history at all one listening source is enough. covers: where a
    source names providers, its silence says nothing about others; one of whom only such sources tell is never heard.
    """
    heard = _heard_by_source(listening, start, end)
    shares = {
        name: _of_provider(name, heard, weight, covers or {}, end - start) for name, weight in _weights(usual).items()
    }
    return Coverage(start, end - start, shares)


def _weights(usual: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Return how many reports of each provider, and of all, came from each source; sources in their order."""
    found: dict[str, dict[str, int]] = {ALL: {}}
    rows = zip(usual["source"].tolist(), usual["provider"].tolist(), usual["count"].tolist(), strict=True)
    for source, provider, count in sorted(rows):
        for name in (ALL, provider):
            of = found.setdefault(name, {})
            of[source] = of.get(source, 0) + count
    return found


def _of_provider(
    name: str, heard: Mapping[str, Floats], weight: Mapping[str, int], covers: Covers, buckets: int
) -> Floats:
    telling = {source: shares for source, shares in heard.items() if _tells(covers, source, name)}
    of_them = {source: count for source, count in weight.items() if _tells(covers, source, name)}
    return np.zeros(buckets) if weight and not of_them else _weigh(telling, of_them, buckets)


def _tells(covers: Covers, source: str, provider: str) -> bool:
    named = covers.get(source)
    return named is None or (bool(named) if provider == ALL else provider in named)


def _heard_by_source(listening: pd.DataFrame, start: int, end: int) -> dict[str, Floats]:
    heard: dict[str, Floats] = {}
    numbers = listening["bucket"].astype("int64").to_numpy(np.int64) // (BUCKET_SECONDS * 1_000_000) - start
    shares = listening["share"].to_numpy(np.float64)
    names = listening["source"].to_numpy(str)
    inside = (numbers >= 0) & (numbers < end - start)
    for name in np.unique(names):
        rows = inside & (names == name)
        heard[str(name)] = np.bincount(numbers[rows], weights=shares[rows], minlength=end - start).clip(max=1.0)
    return heard


def _weigh(heard: Mapping[str, Floats], weight: Mapping[str, int], buckets: int) -> Floats:
    total = sum(weight.values())
    if total <= 0:
        return np.max(list(heard.values()), axis=0) if heard else np.zeros(buckets)
    shares = np.zeros(buckets)
    for source, count in weight.items():
        shares += heard.get(source, 0.0) * (count / total)
    return shares
