"""Effective counts: what clumped reports are worth as evidence."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.detect.effective import effective_counts, worth

MEANS = st.floats(1e-6, 50.0)


def one(count: float, mean: float, phi: float) -> float:
    return float(effective_counts(np.array([count]), np.array([mean]), phi)[0])


@given(MEANS, st.floats(1.0, 20.0))
def test_a_single_report_is_always_one(mean: float, phi: float) -> None:
    assert one(1.0, mean, phi) == pytest.approx(1.0)


@given(st.integers(1, 300), MEANS)
def test_without_clumping_every_report_counts_in_full(count: int, mean: float) -> None:
    assert one(float(count), mean, 1.0) == count


@given(st.integers(1, 300), MEANS, st.floats(1.01, 20.0))
def test_every_further_report_adds_something_and_less_than_the_one_before(count: int, mean: float, phi: float) -> None:
    here, more, still = (one(float(count + n), mean, phi) for n in (0, 1, 2))
    assert here < more < still
    assert still - more <= more - here + 1e-9
    assert here <= count + 1e-9


def test_the_formula_of_its_docstring() -> None:
    mean, k, count = 0.3, 0.4, 5
    terms = [np.log((mean + 1 + j * k) / (mean + j * k)) for j in range(count)]
    assert one(count, mean, 1 + k) == pytest.approx(sum(terms) / np.log((mean + 1) / mean))


def test_a_large_clump_where_nothing_is_usual_is_worth_little() -> None:
    assert one(50.0, 0.001, 1.4) < 4
    assert one(50.0, 20.0, 1.4) > 25


@pytest.mark.parametrize("phi", [1.4, 2.5])
@pytest.mark.parametrize("mean", [1e-4, 0.05, 1.0, 8.0])
def test_the_worth_of_a_report_is_what_chance_gives_on_average(mean: float, phi: float) -> None:
    rng = np.random.default_rng(1)
    chance = phi - 1
    drawn = rng.negative_binomial(max(mean, 0.05) / chance, 1 / phi, 200_000).astype(float)
    some = drawn[drawn > 0]
    measured = effective_counts(some, np.full(len(some), max(mean, 0.05)), phi).sum() / drawn.sum()
    assert worth(np.array([max(mean, 0.05)]), phi)[0] == pytest.approx(measured, rel=0.02)
