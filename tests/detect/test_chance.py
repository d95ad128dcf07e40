"""The laws of counts are those of scipy.stats, which is too large to be loaded where it is not needed."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from aggregator.detect import chance

COUNTS = np.arange(60)
shapes, shares = st.floats(1e-6, 1e4), st.floats(0.01, 0.99)


@given(st.floats(1e-9, 1e3))
def test_a_poisson_count_is_as_likely(mean: float) -> None:
    np.testing.assert_allclose(
        chance.poisson(COUNTS, np.array([mean])), stats.poisson.pmf(COUNTS, mean), rtol=1e-9, atol=1e-300
    )


@given(shapes, shares)
def test_a_count_that_clumps_is_as_likely(shape: float, share: float) -> None:
    found = chance.negative_binomial(COUNTS, np.array([shape]), share)
    np.testing.assert_allclose(found, stats.nbinom.pmf(COUNTS, shape, share), rtol=1e-8, atol=1e-300)


@given(st.floats(0.01, 1e4), shares, st.sampled_from([0.025, 0.5, 0.975]))
def test_the_quantile_is_the_first_count_that_has_the_share(shape: float, share: float, wanted: float) -> None:
    [found] = chance.negative_binomial_quantile(wanted, np.array([shape]), np.array([share]))
    assert stats.nbinom.cdf(found, shape, share) >= wanted - 1e-12
    assert stats.nbinom.cdf(found - 1, shape, share) < wanted + 1e-12


@given(st.floats(-10, 1e3), st.floats(1e-3, 1e3))
def test_what_lies_beyond_a_value_of_a_gamma(value: float, shape: float) -> None:
    np.testing.assert_allclose(chance.gamma_beyond(value, shape), stats.gamma.sf(value, shape), rtol=1e-9, atol=1e-300)


def test_detection_and_the_site_do_without_the_large_package() -> None:
    code = "import sys, aggregator.cli; sys.exit('scipy.stats' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
