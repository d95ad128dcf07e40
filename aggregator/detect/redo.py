"""What a score stands on -> the score, the ratio and the recurrence again, from nothing else. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from aggregator.detect.calendar import PER_HOUR
from aggregator.detect.drift import LAG, ahead, follow
from aggregator.detect.effective import effective_counts
from aggregator.detect.proof import Claim, Proof
from aggregator.detect.scan import DRIFT_PRIOR, MIN_REPORTS, ROUNDING
from aggregator.detect.score import clumping, nb1
from aggregator.detect.span import TINY
from aggregator.detect.zones import LEVELS

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
SCORE_OFF = 0.01  # nats: the scan adds up in 32 bits, the sum here in 64
SHARE_OFF = 0.01  # of S, ratio and recurrence


@dataclass(frozen=True, slots=True)
class _Sums:
    """Some districts in the window: reports, effective ones, and the effective ones expected before drift."""

    reports: float
    effective: float
    expected: float


def redo(proof: Proof) -> Claim:
    """Do the sum again: effective counts, drift, score, ratio, recurrence."""
    cells = _cells(proof)
    zone, footprint = (proof.districts[name].to_numpy(bool) for name in ("zone", "footprint"))
    score = _score(proof, cells, zone)
    standard = float(proof.limits.standard(score, LEVELS.index(proof.level)))
    return Claim(score, _ratio(proof, cells, footprint), standard, proof.limits.recurrence_weeks(standard))


def differing(published: Claim, redone: Claim) -> list[str]:
    """Return which of the published figures are not those that were computed again."""
    found = [] if abs(published.score - redone.score) <= SCORE_OFF else ["score"]
    for name in ("ratio", "standard", "recurrence_weeks"):
        said, done = getattr(published, name), getattr(redone, name)
        if not abs(said - done) <= SHARE_OFF * max(abs(said), 1.0):
            found.append(name)
    return found


def _cells(proof: Proof) -> pd.DataFrame:
    """Return region, bucket, count, effective: sources added up, blind buckets and districts taken out left away."""
    deaf = proof.buckets["bucket"][proof.buckets["blind"]]
    gone = proof.districts["region"][proof.districts["taken_out"]]
    counts = proof.counts
    counts = counts[~counts["bucket"].isin(deaf) & ~counts["region"].isin(gone)]
    cells = counts.groupby(["region", "bucket"])["count"].sum().reset_index()
    usual = proof.districts.set_index("region")["usual"]
    elsewhere = max(proof.model.nation_usual - float(usual.sum()), 0.0)
    mean = cells["region"].map(usual).fillna(elsewhere).to_numpy(np.float64) / PER_HOUR
    count = cells["count"].to_numpy(np.float64)
    return cells.assign(effective=effective_counts(count, mean, proof.model.phi))


def _rates(proof: Proof) -> Floats:
    """Return the effective reports an hour at h = 1 of each district, 0 where it was taken out."""
    d = proof.districts
    return np.asarray(np.where(d["taken_out"], 0.0, d["usual"] * d["worth"]), dtype=np.float64)


def _sums(proof: Proof, cells: pd.DataFrame, inside: Bools) -> _Sums:
    d = proof.districts
    own = cells[(cells["bucket"] >= proof.start) & cells["region"].isin(d["region"][inside])]
    worth = dict(zip(d["region"], np.where(d["taken_out"], 0.0, d["worth"]), strict=True))
    rows = proof.expected[proof.expected["region"].isin(d["region"][inside])]
    expected = float(rows["expected"].to_numpy(np.float64) @ np.array([worth[r] for r in rows["region"]], np.float64))
    return _Sums(float(own["count"].sum()), float(own["effective"].sum()), expected)


def _of_nation(proof: Proof, cells: pd.DataFrame) -> _Sums:
    own = cells[cells["bucket"] >= proof.start]
    expected = float(proof.expected["expected"].sum()) * proof.model.nation_worth
    return _Sums(float(own["count"].sum()), float(own["effective"].sum()), expected)


def _of_late(proof: Proof, cells: pd.DataFrame) -> tuple[float, float]:
    """Return how the nation did before the window, in times the usual, and 1/r: see drift.py."""
    buckets = proof.buckets["bucket"].to_numpy(np.int64)
    effective = cells.groupby("bucket")["effective"].sum().reindex(buckets, fill_value=0.0).to_numpy(np.float64)
    located = proof.buckets["expected_effective"].to_numpy(np.float64)
    inside = buckets >= proof.start
    together = _of_nation(proof, cells).expected / max(float(located[inside].sum()), TINY)
    r = proof.model.r_nation
    known = max(proof.start - LAG - int(buckets[0]), 0)
    path = follow(effective, located * together, proof.model.phi_effective, r)
    level, uncertain = (of[known : known + 1] for of in path)
    mean, inverse_r = ahead(level, uncertain, np.array([proof.end - proof.start]), r)
    return float(mean[0]), float(inverse_r[0])


def _factor(proof: Proof, cells: pd.DataFrame, sums: _Sums) -> float:
    """Return what the expected reports are multiplied by: how the rest of the located nation does, or all of it."""
    start = proof.start if proof.by_share else int(proof.buckets["bucket"].min())
    located = cells[(cells["bucket"] >= start) & (cells["region"] != "")]
    counted = float(located["effective"].sum())
    usual = float(proof.buckets["expected_effective"][proof.buckets["bucket"] >= start].sum())
    if proof.by_share:
        return counted / max(usual, TINY)
    return (max(counted - sums.effective, 0.0) + DRIFT_PRIOR) / (max(usual - sums.expected, 0.0) + DRIFT_PRIOR)


def _score(proof: Proof, cells: pd.DataFrame, zone: Bools) -> float:
    if proof.national:
        sums = _of_nation(proof, cells)
        factor, inverse_r = _of_late(proof, cells)
    else:
        sums = _sums(proof, cells, zone)
        factor, inverse_r = _factor(proof, cells, sums), _inverse_r(proof, zone)
    c, b = sums.effective, max(sums.expected * factor, TINY)
    if c < MIN_REPORTS - ROUNDING or c <= b:
        return 0.0
    one = np.array([c]), np.array([b])
    return float(nb1(*one, k=clumping(proof.model.phi_effective, one[1], inverse_r))[0])


def _inverse_r(proof: Proof, zone: Bools) -> float:
    """Return 1/r: how uncertain the zone's level is; see span.zone_level."""
    rate = _rates(proof)
    total, own = float(rate[zone].sum()), rate[zone] ** 2 / proof.districts["shape"].to_numpy(np.float64)[zone]
    share = total / max(float(rate.sum()), TINY)
    local = float(own.sum()) / total**2 if total > 0 else 0.0
    return (1 - share) / proof.model.r_local + share / proof.model.r_nation + local


def _ratio(proof: Proof, cells: pd.DataFrame, footprint: Bools) -> float:
    """Return the reports of the footprint over those expected there, in the window."""
    if proof.national:
        sums = _of_nation(proof, cells)
        expected = sums.expected * _of_late(proof, cells)[0] / proof.model.nation_worth
    else:
        sums = _sums(proof, cells, footprint)
        plain = float(proof.districts["usual"].to_numpy(np.float64)[footprint].sum())
        worth = max(float(_rates(proof)[footprint].sum()) / max(plain, TINY), TINY)
        expected = sums.expected * _factor(proof, cells, sums) / worth
    return max(round(sums.reports) / max(expected, 1e-9), 1.0 + 1e-9)
