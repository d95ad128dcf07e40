"""The static scan on the New Mexico brain cancer counts, 1986-1989, against published values to 1e-9."""

from __future__ import annotations

from pathlib import Path

import pytest

from aggregator.detect.static import Window, scan_table, without_overlap
from aggregator.tables import read_counts, read_regions

HERE = Path(__file__).parent / "new_mexico"
PAIR = ("losalamos", "santafe")


def run(statistic: str, max_neighbours: int = 15) -> list[Window]:
    regions = read_regions(HERE / "regions.csv")
    table = read_counts(HERE / "counts.csv", regions)
    return scan_table(
        table.count, table.baseline, regions, table.times, statistic=statistic, max_neighbours=max_neighbours
    )


@pytest.mark.parametrize("statistic", ["ebp", "nb1"])
def test_the_best_windows_are_the_published_ones(statistic: str) -> None:
    windows = run(statistic)
    best = windows[0]
    assert (best.regions, best.start, best.end, best.observed) == (PAIR, "1986", "1989", 43)
    assert best.expected == pytest.approx(20.658530631, abs=1e-9)
    assert best.relative_risk == pytest.approx(2.08146459, abs=1e-8)
    expected = [9.18061699783, 9.17769937882, 8.99750334044, 8.99569188888, 8.79171777544]
    assert [w.score for w in windows[:5]] == pytest.approx(expected, abs=1e-9)


def test_kulldorff_gives_the_published_values() -> None:
    windows = run("kulldorff")
    assert windows[0].score == pytest.approx(7.45399530347, abs=1e-9)
    pair = next(w for w in windows if w.regions == PAIR and w.start == "1986")
    assert pair.score == pytest.approx(6.86714564173, abs=1e-9)


def test_with_one_neighbour_a_zone_is_one_region() -> None:
    assert all(len(window.regions) == 1 for window in run("ebp", 1))


def test_without_overlap_no_region_is_named_twice() -> None:
    kept = without_overlap(run("ebp"))
    named = [region for window in kept for region in window.regions]
    assert kept[0].regions == PAIR
    assert len(named) == len(set(named))
