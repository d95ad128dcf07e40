"""Counts and the baseline of their day -> what was expected of each, and how far counts scatter about it. Pure."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import numpy.typing as npt
import pandas as pd

from aggregator.detect.baseline import MODEL, Baseline
from aggregator.detect.calendar import BUCKET_SECONDS
from aggregator.detect.cube import NOT_LOCATED
from aggregator.model import Stream

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def read_baseline(blob: bytes) -> Baseline | None:
    """Read a stored baseline; None: it is of another version of the method, whose figures these are not."""
    with zipfile.ZipFile(io.BytesIO(blob)) as pack:
        about = json.loads(pack.read("about.json"))
    return Baseline.from_bytes(blob) if about["model"] == MODEL else None


def expect(counts: pd.DataFrame, baseline: Baseline, heard: Floats) -> pd.DataFrame:
    """Return the columns expected and variance for the rows of a CUBE. heard: per row, the share listened to.

    They are of all sources of that provider, service, district and five minutes together, before drift. A row that is
    not located: of what usually comes without a place.
    """
    place = {region: number for number, region in enumerate(baseline.regions)}
    region = np.asarray(counts["region"].map(place).fillna(NOT_LOCATED), dtype=np.int64)
    bucket = np.asarray(counts["bucket"].astype("int64"), dtype=np.int64) // (BUCKET_SECONDS * 1_000_000)
    found = np.zeros((2, len(counts)))
    streams = pd.MultiIndex.from_frame(counts[["provider", "service"]])
    number, names = pd.factorize(streams)
    for code, (provider, service) in enumerate(names):
        rows = np.flatnonzero(number == code)
        found[:, rows] = _of_stream(baseline, Stream(provider, service), region[rows], bucket[rows], heard[rows])
    return pd.DataFrame({"expected": found[0], "variance": found[1]}, index=counts.index)


def _of_stream(baseline: Baseline, stream: Stream, region: Ints, bucket: Ints, heard: Floats) -> Floats:
    """Return expected and variance, shape (2, rows)."""
    level = baseline.of(stream)
    lands = sorted(set(baseline.lands))
    of_land = np.searchsorted(lands, baseline.lands)
    named, place = np.unique(bucket, return_inverse=True)
    hours = baseline.hourly(stream, named)
    nowhere = region == NOT_LOCATED
    located = max(float(level.rate.sum()), 1e-12)
    share = np.bincount(of_land, weights=level.rate, minlength=len(lands)) / located
    unplaced = max(level.nation_rate - located, 0.0) * (share @ hours)
    expected = np.where(nowhere, unplaced[place], level.rate[region] * hours[of_land[region], place]) * heard
    uncertain = np.where(nowhere, 1 / level.r_nation, 1 / level.r_local + 1 / level.shape[region])
    return np.array([expected, expected * (level.phi + expected * uncertain)])
