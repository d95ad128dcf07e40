"""One window of one provider, 400 districts × 36 buckets: `python -m tests.benchmarks.scan`, as ratios in one run.

All zones and all durations up to three hours, against a plain form of the same scan and, where they are installed
(`pip install scikit-learn esda libpysal`), against clustering of the same reports and a map of local G statistics.
Other software answers a smaller question: no baseline, one duration, no threshold that is comparable over time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec

import numpy as np
import numpy.typing as npt

from aggregator.detect.coverage import Coverage
from aggregator.detect.nullweeks import DAY, MONDAY
from aggregator.detect.scan import scan
from aggregator.detect.score import ebp
from aggregator.detect.span import DURATIONS, SHORT, Field, at, field_of
from aggregator.detect.zones import LEVELS
from aggregator.model import ALL
from tests.benchmarks.chance import World, stream

Floats = npt.NDArray[np.float64]
LIMIT = 0.005  # seconds for one window, all zones and durations
TIMES = 60
NOON = MONDAY + 3 * DAY - 5 * 12 + 1  # not a full hour: the slow windows stay out
FLOOR = np.full(len(LEVELS), 9.0)


def median_seconds(work: Callable[[], object], times: int = TIMES) -> float:
    """Return the median time of a run."""
    work()
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return float(np.median(taken))


def plain(field: Field) -> float:
    """Return the best EBP score, zone by zone and duration by duration, as one would write it down."""
    table = np.zeros((len(field.rate), max(SHORT)))
    window = field.cells.between(field.span.end - max(SHORT), field.span.end)
    np.add.at(table, (window.region, window.bucket - (field.span.end - max(SHORT))), window.count)
    best = 0.0
    hours = np.diff(field.hourly[0])[-max(SHORT) :]
    for zone in range(len(field.span.zones.level)):
        inside = field.span.zones.indices(zone)
        for duration in SHORT:
            count, expected = table[inside, -duration:].sum(), field.rate[inside].sum() * hours[-duration:].sum()
            best = max(best, float(ebp(np.array([count]), np.array([expected]))[0]))
    return best


def others(world: World, field: Field) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield other software at work on the same window, where it is installed."""
    window = field.cells.between(field.span.end - max(SHORT), field.span.end)
    place = np.array([[r.lat, r.lon] for r in world.regions])
    rows = np.repeat(np.arange(len(window.count)), window.count.astype(np.int64))
    points = np.column_stack([place[window.region[rows]], (window.bucket[rows] - field.span.end) / 12])
    if find_spec("sklearn"):
        cluster = import_module("sklearn.cluster")
        yield "scikit-learn DBSCAN", lambda: cluster.DBSCAN(eps=0.3, min_samples=5).fit(points)
        yield "scikit-learn HDBSCAN", lambda: cluster.HDBSCAN(min_cluster_size=5, copy=True).fit(points)
    if find_spec("esda"):
        g_local, weights = import_module("esda").G_Local, import_module("libpysal.weights")
        near = weights.KNN.from_array(place, k=6)
        counts = np.bincount(window.region, weights=window.count, minlength=len(place))
        yield "esda Gi*, 999 permutations", lambda: g_local(counts, near, star=True, n_jobs=1)
        yield "esda Gi*, no permutations", lambda: g_local(counts, near, star=True, permutations=0)


def main() -> None:
    """Print the table."""
    world = World("1.4")
    prepared = world.learn()
    cells = world.quiet(0, NOON - DAY, DAY, np.random.default_rng(3))
    span = at(NOON, prepared, Coverage(NOON - DAY, DAY, {ALL: np.ones(DAY)}))

    def netzlage() -> object:
        return scan(field_of(span, stream(0), cells), FLOOR)

    own = median_seconds(netzlage)
    field = field_of(span, stream(0), cells)
    count = int(cells.between(NOON - max(SHORT), NOON).count.sum())
    print(f"{count} reports, {len(prepared.zones.level):,} zones, {len(SHORT)} of {len(DURATIONS)} durations\n")
    print("| | ms | times Netzlage's |\n|---|---|---|")
    print(f"| Netzlage, all zones and durations | {1000 * own:.2f} | 1 |")
    print(f"| limit | {1000 * LIMIT:.2f} | {LIMIT / own:.1f} |")
    print(f"| EBP, plain numpy | {1000 * (slow := median_seconds(lambda: plain(field), 1)):.0f} | {slow / own:,.0f} |")
    for name, work in others(world, field):
        seconds = median_seconds(work, 5)
        print(f"| {name} | {1000 * seconds:.2f} | {seconds / own:.1f} |")


if __name__ == "__main__":
    main()
