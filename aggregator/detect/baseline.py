"""What a stream normally sends: mu(stream, region, t) = lambda(stream, region) · h(hour of the week). Pure."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import numpy.typing as npt

from aggregator.detect.calendar import PER_HOUR, WEEK_HOURS, hours_of_week
from aggregator.detect.cube import Cells
from aggregator.detect.effective import effective_cells
from aggregator.model import Stream

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
MODEL = "nb1-3"  # changes whenever a figure would
LARGEST_CLUMP = 60  # reports: larger clumps count as this large
R_LOCAL, R_NATION = 60.0, 25.0  # starting values of r0


@dataclass(frozen=True, slots=True)
class StreamBaseline:
    """One stream's level. rate: located reports an hour per region at h = 1; shape: its gamma shape (certainty).

    worth: effective reports per report in each region (see effective.py), nation_worth: of all reports together.
    """

    rate: Floats
    shape: Floats
    nation_rate: float  # with the reports that could not be located
    phi: float  # variance over mean of the counts in 5 minutes: how much reports clump
    profile: Floats  # h: 168 factors, mean 1
    worth: Floats
    nation_worth: float = 1.0
    phi_effective: float = 1.0  # variance over mean that is left in the effective counts
    clumps: Floats = field(default_factory=lambda: np.eye(1, LARGEST_CLUMP)[0])  # chance of a clump of 1, 2, … reports
    r_local: float = R_LOCAL  # r0: how far a district's level may be off within hours, after drift
    r_nation: float = R_NATION  # the same of the nation's

    @property
    def effective_rate(self) -> Floats:
        """Return the effective reports an hour per region at h = 1."""
        return self.rate * self.worth

    @property
    def effective_nation(self) -> float:
        """Return the effective reports an hour of the nation at h = 1, those not located among them."""
        return self.nation_rate * self.nation_worth

    @property
    def scalars(self) -> Floats:
        """Return the values that are one number each."""
        return np.array(
            [self.nation_rate, self.phi, self.nation_worth, self.phi_effective, self.r_local, self.r_nation]
        )

    def effective(self, cells: Cells) -> Cells:
        """Return the cells with effective counts."""
        elsewhere = max(self.nation_rate - float(self.rate.sum()), 0.0) / PER_HOUR
        return effective_cells(cells, self.rate / PER_HOUR, elsewhere, self.phi)


@dataclass(frozen=True, slots=True)
class Baseline:
    """All streams' levels, learned from the days before `day`; `hours` is how long somebody listened."""

    day: date
    hours: float
    regions: tuple[str, ...]
    lands: tuple[str, ...]  # each region's Land
    streams: Mapping[Stream, StreamBaseline]
    fallback: StreamBaseline  # for a stream that was never heard of

    @property
    def cold(self) -> bool:
        """True with fewer than 7 days heard: no basis for comparison yet."""
        return self.hours < WEEK_HOURS

    def of(self, stream: Stream) -> StreamBaseline:
        """Return the level of `stream`."""
        return self.streams.get(stream, self.fallback)

    def hourly(self, stream: Stream, buckets: Ints, heard: Floats | float = 1.0) -> Floats:
        """Return per Land (rows, in order of their ids) and bucket the hours' worth at h = 1 that it stands for.

        buckets: numbers since the epoch; heard: share listened to in each. Multiplied by a rate: expected reports.
        """
        profile = self.of(stream).profile
        return profile[hours_of_week(buckets, sorted(set(self.lands)))] * (heard / PER_HOUR)

    def expected(
        self, stream: Stream, regions: Sequence[str] | None, buckets: Ints, heard: Floats | float = 1.0
    ) -> Floats:
        """Return the expected reports of each bucket in `regions` together (None: the nation), times `heard`."""
        level = self.of(stream)
        lands = sorted(set(self.lands))
        of_land = np.searchsorted(lands, self.lands)
        weight = np.bincount(of_land, weights=self._rates(level, regions), minlength=len(lands))
        expected: Floats = weight @ self.hourly(stream, buckets, heard)
        return expected

    def _rates(self, level: StreamBaseline, regions: Sequence[str] | None) -> Floats:
        if regions is None:
            located = level.rate.sum()
            return level.rate * (level.nation_rate / located) if located else level.rate
        return np.where(np.isin(self.regions, list(regions)), level.rate, 0.0)

    def spread(self, stream: Stream, expected: float | Floats, regions: Sequence[str] | None) -> Floats:
        """Return the ratio of variance to mean, 1 + k = φ + b/r, of a count that is expected to be `expected`."""
        return np.asarray(self.of(stream).phi + expected * self.inverse_r(stream, regions), dtype=np.float64)

    def inverse_r(self, stream: Stream, regions: Sequence[str] | None) -> float:
        """Return 1/r: how uncertain the level of those regions (None: the nation) is, as a share of its square."""
        if regions is None:
            return 1 / self.of(stream).r_nation
        level = self.of(stream)
        inside = np.isin(self.regions, list(regions))
        total = float(level.rate[inside].sum())
        own = float((level.rate[inside] ** 2 / level.shape[inside]).sum()) / total**2 if total else 0.0
        return 1 / level.r_local + own

    @property
    def hash(self) -> str:
        """Return the name of these values: the same for values that differ by rounding errors only."""
        digest = hashlib.sha256(repr((MODEL, self.regions, self.lands, self._order())).encode())
        for level in (*(self.streams[s] for s in self._order()), self.fallback):
            for values in (level.rate, level.shape, level.profile, level.worth, level.clumps, level.scalars):
                digest.update("".join(f"{value:.6g} " for value in values).encode())
        return digest.hexdigest()[:32]

    def _order(self) -> list[Stream]:
        return sorted(self.streams, key=lambda s: (s.provider, s.service))

    def to_bytes(self) -> bytes:
        """Return the baseline as a zip of numpy arrays, the same bytes for the same values."""
        streams = self._order()
        levels = [*(self.streams[s] for s in streams), self.fallback]
        about = {
            "model": MODEL,
            "day": self.day.isoformat(),
            "hours": self.hours,
            "regions": self.regions,
            "lands": self.lands,
            "streams": [(s.provider, s.service) for s in streams],
        }
        arrays = {
            "rate": np.array([level.rate for level in levels]),
            "shape": np.array([level.shape for level in levels]),
            "profile": np.array([level.profile for level in levels]),
            "worth": np.array([level.worth for level in levels]),
            "clumps": np.array([level.clumps for level in levels]),
            "scalars": np.array([level.scalars for level in levels]),
        }
        return _pack(json.dumps(about), arrays)

    @staticmethod
    def from_bytes(blob: bytes) -> Baseline:
        """Read what to_bytes wrote."""
        with zipfile.ZipFile(io.BytesIO(blob)) as pack:
            about = json.loads(pack.read("about.json"))
            names = ("rate", "shape", "profile", "worth", "clumps", "scalars")
            arrays = [np.load(io.BytesIO(pack.read(f"{name}.npy"))) for name in names]
        levels = [
            StreamBaseline(rate, shape, s[0], s[1], profile, worth, s[2], s[3], clumps, s[4], s[5])
            for rate, shape, profile, worth, clumps, s in zip(*arrays[:-1], arrays[-1].tolist(), strict=True)
        ]
        streams = {Stream(*pair): level for pair, level in zip(about["streams"], levels[:-1], strict=True)}
        day, regions, lands = date.fromisoformat(about["day"]), tuple(about["regions"]), tuple(about["lands"])
        return Baseline(day, about["hours"], regions, lands, streams, levels[-1])


def _pack(about: str, arrays: Mapping[str, Floats]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as pack:
        pack.writestr(_entry("about.json"), about)
        for name, array in arrays.items():
            raw = io.BytesIO()
            np.save(raw, array)
            pack.writestr(_entry(f"{name}.npy"), raw.getvalue())
    return out.getvalue()


def _entry(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))  # a fixed date: the same bytes for the same values
    info.compress_type = zipfile.ZIP_DEFLATED
    return info
