"""The published limits hold: faults of that size reach the threshold within an hour as often as is said."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from aggregator.detect import span
from aggregator.detect.baseline import Baseline
from aggregator.detect.calibrate import SHIPPED
from aggregator.detect.coverage import Coverage
from aggregator.detect.cube import Cells, bucket_number
from aggregator.detect.effective import worth
from aggregator.detect.limits import LEVEL_OF, Limit, find_limits
from aggregator.detect.scan import figures
from aggregator.detect.span import DURATIONS, SHORT
from aggregator.detect.zones import LEVELS
from aggregator.model import ALL
from tests.detect.world import LOUD, NOW, REGIONS, learn, usual, zones

END = bucket_number(NOW)
TRIALS = 600
HOUR = DURATIONS.index(12)
BUCKETS = 120


@lru_cache(maxsize=4)
def world(phi: float) -> span.Prepared:
    """The small country's baseline, as if its reports clumped by phi."""
    made = learn(usual())
    level = made.of(LOUD)
    each = worth(level.rate / 12, phi)
    nation_worth = float(each @ level.rate / level.rate.sum())
    level = replace(level, phi=phi, worth=each, nation_worth=nation_worth)
    return span.prepare(replace(made, streams={**made.streams, LOUD: level}), zones())


def fault(prepared: span.Prepared, limit: Limit, rate: float, rng: np.random.Generator) -> Cells:
    """Ten usual hours, clumped, and in the last of them `rate` more reports an hour from the limit's regions."""
    level = prepared.baseline.of(LOUD)
    lands = sorted(set(prepared.baseline.lands))
    hours = prepared.baseline.hourly(LOUD, np.arange(END - BUCKETS, END))
    mean = level.rate[:, None] * hours[[lands.index(land) for land in prepared.baseline.lands]]
    k = level.phi - 1
    counts = rng.negative_binomial(mean / k, 1 / level.phi) if k > 0 else rng.poisson(mean)
    inside = np.isin(prepared.zones.regions, limit.regions) if limit.regions else np.ones(len(REGIONS), bool)
    share = np.where(inside, level.rate, 0.0) / level.rate[inside].sum()
    counts[:, -12:] += rng.poisson(rate * share / 12, size=(12, len(share))).T
    bucket, region = np.nonzero(counts.T)
    return Cells(region.astype(np.int64), bucket + END - BUCKETS, counts.T[bucket, region].astype(np.float64))


def found_in_an_hour(phi: float, limit: Limit, rate: float, columns: tuple[int, ...]) -> float:
    """Return the share of faults that figures() puts above the threshold, in windows of these columns."""
    prepared = world(phi)
    look = span.at(END, prepared, Coverage(END - 400, 400, {ALL: np.ones(400)}))
    places = np.flatnonzero(np.isin(prepared.zones.regions, limit.regions)) if limit.regions else None
    low = SHIPPED.floor(SHIPPED.suspected)[LEVELS.index(LEVEL_OF[limit.kind])]
    rng = np.random.default_rng(7)
    hits = 0
    for _ in range(TRIALS):
        field = span.field_of(look, LOUD, fault(prepared, limit, rate, rng))
        hits += any(figures(field, column, places).score >= low for column in columns)
    return hits / TRIALS


def limits(baseline: Baseline) -> dict[str, Limit]:
    found = find_limits(baseline, REGIONS, SHIPPED, END)
    assert found
    assert found.stream == LOUD
    return {limit.kind: limit for limit in found.found}


@pytest.mark.parametrize("phi", [1.0, 1.6])
@pytest.mark.parametrize("kind", ["district", "region", "nation"])
def test_half_and_95_of_100_faults_of_that_size_are_found_within_the_hour(phi: float, kind: str) -> None:
    limit = limits(world(phi).baseline)[kind]
    # The limits leave out the chance of the rest of the nation, by which a region is measured (next to nothing in
    # Germany, but here the region is a third of the country), and that of the hours before, by which the nation is.
    drifting = 0.01 if kind == "district" else 0.04
    for rate, chance in ((limit.half, 0.5), (limit.nearly_all, 0.95)):
        off = 3 * (chance * (1 - chance) / TRIALS) ** 0.5 + drifting
        assert found_in_an_hour(phi, limit, rate, (HOUR,)) == pytest.approx(chance, abs=off)


def test_looking_at_shorter_windows_too_finds_no_fewer() -> None:
    limit = limits(world(1.6).baseline)["district"]
    every = tuple(range(len([d for d in SHORT if d <= 12])))
    assert found_in_an_hour(1.6, limit, limit.half, every) >= found_in_an_hour(1.6, limit, limit.half, (HOUR,))


def test_a_larger_area_needs_more_and_clumps_need_more() -> None:
    plain, clumped = limits(world(1.0).baseline), limits(world(1.6).baseline)
    for found in (plain, clumped):
        assert found["district"].half < found["region"].half < found["nation"].half
        assert all(limit.half < limit.nearly_all for limit in found.values())
    assert clumped["district"].half > plain["district"].half
    assert len(plain["region"].regions) == 12
    assert plain["nation"].regions == ()


def test_without_a_basis_for_comparison_nothing_is_promised() -> None:
    assert find_limits(replace(world(1.0).baseline, hours=20.0), REGIONS, SHIPPED, END) is None


def test_a_stricter_budget_needs_more_reports() -> None:
    made = world(1.0).baseline
    strict = find_limits(made, REGIONS, replace(SHIPPED, budget=0.1), END)
    assert strict
    assert all(a.half > b.half for a, b in zip(strict.found, limits(made).values(), strict=True))
