"""A hotspot and its look -> everything that its score stands on. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from aggregator.detect.baseline import MODEL
from aggregator.detect.calendar import BUCKET_SECONDS
from aggregator.detect.calibrate import Calibration
from aggregator.detect.cube import Cells, bucket_number
from aggregator.detect.drift import LAG, LONGEST_FOLLOWED, REACH
from aggregator.detect.span import DRIFT_BUCKETS, Field, Span, field_of
from aggregator.detect.zones import LEVELS
from aggregator.model import ALL, Basis, Hotspot, Stream

Floats = npt.NDArray[np.float64]
OTHERS = "other"  # stands for the sources that do not let their counts be given on


@dataclass(frozen=True, slots=True)
class Claim:
    """A score in nats, the reports over the expected in its window, S, and the weeks between two such by chance."""

    score: float
    ratio: float
    standard: float
    recurrence_weeks: float


@dataclass(frozen=True, slots=True)
class Model:
    """The numbers of the stream's model that are no table: see StreamBaseline and Baseline."""

    version: str
    phi: float
    phi_effective: float
    nation_usual: float  # reports an hour at h = 1, those not located among them
    nation_worth: float
    r_local: float
    r_nation: float


@dataclass(frozen=True, slots=True)
class Proof:
    """What a score stands on; the window is the buckets [start, end), numbered since the epoch. Frames:

    counts: region ("" = not located), bucket, source, count, over the window and at least 3 hours; for the nation as
    far back as tells its drift.
    expected: region, bucket, expected, variance, in the zone and the window; the nation is one row a bucket.
    buckets: bucket, heard, blind, expected, expected_effective: of the located nation, as long as the counts.
    districts: region, usual (reports an hour at h = 1), shape, worth; zone, footprint, taken_out: true or false.
    """

    stream: Stream
    start: int
    end: int
    level: str
    by_share: bool
    model: Model
    limits: Calibration
    published: Claim
    counts: pd.DataFrame
    expected: pd.DataFrame
    buckets: pd.DataFrame
    districts: pd.DataFrame

    @property
    def national(self) -> bool:
        """Say whether the zone is the nation."""
        return self.level == LEVELS[-1]


def prove(span: Span, hotspot: Hotspot, cells: Cells, limits: Calibration, counts: pd.DataFrame) -> Proof:
    """Gather what the score of `hotspot` stands on; it is fresh from its look, so that it has its basis.

    cells: of its stream; counts: CUBE that holds its stream and time.
    """
    basis = hotspot.basis or Basis()
    names = span.zones.regions
    field = field_of(span, hotspot.stream, cells).without(np.flatnonzero(np.isin(names, list(basis.taken_out))))
    start, end = bucket_number(hotspot.start), bucket_number(hotspot.end)
    level = field.level
    first = min(start, end - DRIFT_BUCKETS)
    if hotspot.level == LEVELS[-1] and end - start <= LONGEST_FOLLOWED:
        first = min(first, start - LAG - REACH)
    ratio = max(hotspot.observed / max(hotspot.expected, 1e-9), 1.0 + 1e-9)
    return Proof(
        stream=hotspot.stream,
        start=start,
        end=end,
        level=hotspot.level,
        by_share=basis.by_share,
        model=Model(
            MODEL,
            level.phi,
            level.phi_effective,
            level.nation_rate,
            level.nation_worth,
            level.r_local,
            level.r_nation,
        ),
        limits=limits,
        published=Claim(hotspot.score, ratio, hotspot.standard, limits.recurrence_weeks(hotspot.standard)),
        counts=_counts(counts, hotspot.stream, names, range(first, end)),
        expected=_of_nation(field, start) if hotspot.level == LEVELS[-1] else _of_zone(field, basis.zone, start),
        buckets=_buckets(field, hotspot.stream, first),
        districts=_districts(field, hotspot, basis),
    )


def _counts(cube: pd.DataFrame, stream: Stream, names: Collection[str], buckets: range) -> pd.DataFrame:
    bucket = cube["bucket"].astype("int64") // (BUCKET_SECONDS * 1_000_000)
    own = bucket.between(buckets[0], buckets[-1])
    if stream.provider != ALL:
        own &= cube["provider"] == stream.provider
    if stream.service != ALL:
        own &= cube["service"] == stream.service
    rows = cube.loc[own, ["region", "source", "count"]].astype({"region": "str", "source": "str"})
    region = rows["region"].where(rows["region"].isin(list(names)), "")
    return _summed(rows.assign(region=region, bucket=bucket[own]))


def _summed(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.groupby(["bucket", "region", "source"], sort=True)["count"].sum().reset_index()


def fold_sources(proof: Proof, given_on: Collection[str]) -> Proof:
    """Return the proof with the counts of all sources but those `given_on` added up: the score needs only the sum."""
    counts = proof.counts
    named = counts.assign(source=counts["source"].where(counts["source"].isin(list(given_on)), OTHERS))
    return replace(proof, counts=_summed(named))


def _hours(field: Field, start: int) -> Floats:
    """Return the hours' worth at h = 1 heard in each bucket from `start` on, per Land: shape (Länder, buckets)."""
    before = field.hourly[:, start - (field.span.first - field.span.back) :]
    hours: Floats = np.diff(before, axis=1)
    return hours


def _of_zone(field: Field, zone: Sequence[str], start: int) -> pd.DataFrame:
    names = field.span.zones.regions
    places = np.flatnonzero(np.isin(names, list(zone)))
    level = field.level
    expected = level.rate[places, None] * _hours(field, start)[field.span.land_of[places]]
    spread = level.phi + expected * (1 / level.r_local + 1 / level.shape[places, None])
    return _by_bucket([names[i] for i in places], start, expected, expected * spread)


def _of_nation(field: Field, start: int) -> pd.DataFrame:
    usual = field.land_rate @ _hours(field, start)
    expected = (usual * field.nation_factor / field.level.nation_worth)[None, :]
    return _by_bucket([""], start, expected, expected * (field.level.phi + expected / field.level.r_nation))


def _by_bucket(names: Sequence[str], start: int, expected: Floats, variance: Floats) -> pd.DataFrame:
    buckets = expected.shape[1]
    return pd.DataFrame(
        {
            "region": np.repeat(np.array(names, dtype=object), buckets),
            "bucket": np.tile(np.arange(start, start + buckets), len(names)),
            "expected": expected.ravel(),
            "variance": variance.ravel(),
        }
    )


def _buckets(field: Field, stream: Stream, first: int) -> pd.DataFrame:
    span, hours = field.span, _hours(field, first)
    plain = np.bincount(
        span.land_of, weights=np.where(field.rate > 0, field.level.rate, 0.0), minlength=len(field.hourly)
    )
    bucket = np.arange(first, span.end)
    share = span.coverage.heard(stream.provider, first, span.end)
    return pd.DataFrame(
        {
            "bucket": bucket,
            "heard": share,
            "blind": share == 0,
            "expected": plain @ hours,
            "expected_effective": field.land_rate @ hours,
        }
    )


def _districts(field: Field, hotspot: Hotspot, basis: Basis) -> pd.DataFrame:
    names, level = field.span.zones.regions, field.level
    everywhere = hotspot.level == LEVELS[-1]
    return pd.DataFrame(
        {
            "region": list(names),
            "usual": level.rate,
            "shape": level.shape,
            "worth": level.worth,
            "zone": np.isin(names, list(basis.zone)) | everywhere,
            "footprint": np.isin(names, list(hotspot.regions)) | (not hotspot.regions),
            "taken_out": np.isin(names, list(basis.taken_out)),
        }
    )
