"""How fast outages are found, and how often chance alone gives an alarm: `python -m tests.benchmarks.detection`.

Every detector gets the same budget, one false alarm a week in the whole country: its threshold is set on null weeks,
other null weeks are counted. Then outages are laid into fresh chance. See --help for smaller runs.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache, partial

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2

from aggregator.detect.calendar import BUCKET_SECONDS
from aggregator.detect.calibrate import CROSSINGS, Calibration
from aggregator.detect.coverage import Coverage
from aggregator.detect.cube import Cells, merged
from aggregator.detect.hotspot import scan_stream
from aggregator.detect.nullweeks import DAY, MONDAY, RUN, WEEK, calibrate_baseline
from aggregator.detect.onset import find_onset
from aggregator.detect.scan import scan
from aggregator.detect.span import Prepared, Span, at, field_of
from aggregator.detect.tail import BLOCK, FOOT, calibrate, gumbel
from aggregator.detect.zones import LEVELS
from aggregator.model import ALL
from tests.benchmarks.chance import OUTAGES, SHARES, TRIAL, TWELVE_WEAK, Outage, World, stream
from tests.benchmarks.rivals import BEFORE, RIVALS, Oracle, Run, all_rivals

Floats = npt.NDArray[np.float64]
BUDGET = 1.0  # false alarms a week
HOUR = 12  # ticks
OVERLAP = (OUTAGES[2], TWELVE_WEAK, OUTAGES[1])  # rows whose footprint is looked at, with what is asked of them
ASKED = (0.90, 0.75, 0.90)
NEAR = 10 * 60  # seconds: an onset this close is right
Says = dict[str, Floats]  # detector -> a number a tick; "Netzlage" -> (ticks, levels)


@dataclass(frozen=True, slots=True)
class Contest:
    """Who runs beside Netzlage, and in which rows; no rivals: no oracle either."""

    rivals: tuple[str, ...]
    rows: tuple[Outage, ...]

    @property
    def names(self) -> list[str]:
        """Return the columns of the table."""
        return ["Netzlage", *self.rivals, *(["oracle"] if self.rivals else [])]


@lru_cache(maxsize=1)
def world_of(kind: str) -> tuple[World, Prepared]:
    """Return the world and the baseline learned in it."""
    world = World(kind)
    return world, world.learn()


def levels_of(prepared: Prepared, provider: int, cells: Cells, first: int, ticks: int) -> Floats:
    """Return Netzlage's highest score per tick and level."""
    heard = Coverage(first - DAY, DAY + ticks, {ALL: np.ones(DAY + ticks)})
    found = scan(field_of(Span(first, ticks, prepared, heard), stream(provider), cells), np.full(len(LEVELS), FOOT))
    highest = np.full((ticks, len(LEVELS)), FOOT)
    np.maximum.at(highest, (found.tick, prepared.zones.level[found.zone]), found.score)
    return highest


def quiet_week(kind: str, contest: Contest, job: tuple[int, int]) -> Says:
    """Return what all detectors say in a null week, the highest over all providers. job: set of weeks, number."""
    world, prepared = world_of(kind)
    says: Says = {}
    for provider in range(len(SHARES)):
        rng = np.random.default_rng([23, *job, provider])
        cells = world.quiet(provider, MONDAY - BEFORE, BEFORE + WEEK, rng)
        halves = [levels_of(prepared, provider, cells, MONDAY + half, RUN) for half in range(0, WEEK, RUN)]
        own: Says = {"Netzlage": np.concatenate(halves)}
        if contest.rivals:
            run = Run(world, prepared, provider, MONDAY, WEEK, cells)
            own |= all_rivals(run, contest.rivals)
            own |= {f"oracle: {o.label}": Oracle(world, prepared, o).score(run) for o in contest.rows if job[0] == 0}
        says = {name: np.maximum(says[name], own[name]) if says else own[name] for name in own}
    return {name: values.astype(np.float32) for name, values in says.items()}


@dataclass(frozen=True, slots=True)
class Trial:
    """What the detectors say in the two hours of one outage; Netzlage's footprint after an hour and its onset."""

    says: Says
    overlap: float | None = None
    onset_error: float | None = None  # seconds


def trial(kind: str, limits: Calibration | None, rivals: Sequence[str], job: tuple[Outage, int]) -> Trial:
    """Lay an outage into fresh chance: the provider drawn by share, the district by population."""
    world, prepared = world_of(kind)
    outage, number = job
    rng = np.random.default_rng([31, outage.districts, int(outage.more), int(outage.times), number])
    provider = int(rng.choice(len(SHARES), p=np.array(SHARES) / sum(SHARES)))
    onset = MONDAY + int(rng.integers(0, WEEK))
    inside = world.place(outage, rng)
    quiet = world.quiet(provider, onset - BEFORE, BEFORE + TRIAL, rng)
    cells = merged([quiet, world.outage(outage, provider, inside, onset, rng)])
    says: Says = {"Netzlage": levels_of(prepared, provider, cells, onset + 1, TRIAL)}
    if rivals:
        run = Run(world, prepared, provider, onset + 1, TRIAL, cells)
        says |= all_rivals(run, rivals) | {"oracle": Oracle(world, prepared, outage).score(run)}
    if limits is None:
        return Trial(says)
    return Trial(says, *look_closely(prepared, limits, provider, cells, onset, inside, rng))


def look_closely(  # noqa: PLR0917
    prepared: Prepared,
    limits: Calibration,
    provider: int,
    cells: Cells,
    onset: int,
    inside: npt.NDArray[np.int64],
    rng: np.random.Generator,
) -> tuple[float | None, float | None]:
    """Return the overlap (Jaccard) of Netzlage's footprint after an hour with the truth, and the error of its onset."""
    end = onset + HOUR
    heard = Coverage(end - DAY, DAY, {ALL: np.ones(DAY)})
    found = scan_stream(at(end, prepared, heard), stream(provider), cells, limits)
    regions = prepared.zones.regions
    truth = {regions[i] for i in inside}
    best = next((h for h in found if truth & set(h.regions)), None)
    if best is None:
        return (0.0 if found else None), None
    overlap = len(truth & set(best.regions)) / len(truth | set(best.regions))
    places = np.flatnonzero(np.isin(regions, best.regions))
    since = end - 4 * HOUR
    own = cells.between(since, end).where(np.isin(cells.between(since, end).region, places))
    times = np.repeat(own.bucket * float(BUCKET_SECONDS), own.count.astype(np.int64))
    times = np.sort(times + rng.uniform(0, BUCKET_SECONDS, len(times)))
    baseline, name = prepared.baseline, stream(provider)
    expected = baseline.expected(name, best.regions, np.arange(since, end))
    level = baseline.of(name)
    guess = find_onset(times, expected, since, phi=level.phi, inverse_r=baseline.inverse_r(name, best.regions))
    return overlap, guess.start.timestamp() - onset * BUCKET_SECONDS if guess else None


def first_alarm(trial: Trial, name: str, threshold: float, limits: Calibration) -> float:
    """Return the minutes from onset to alarm, inf if there is none in two hours."""
    values = standard(trial.says[name], limits) if name == "Netzlage" else trial.says[name]
    over = values >= threshold
    return 5.0 * (int(np.argmax(over)) + 1) if over.any() else np.inf


def standard(highest: Floats, limits: Calibration) -> Floats:
    """Return S per tick."""
    best: Floats = limits.standard(highest, np.arange(len(LEVELS))).max(axis=1)
    return best


def episodes(values: Floats, threshold: float) -> int:
    """Count alarms: crossings less than three hours apart are one."""
    crossed = np.flatnonzero(values >= threshold)
    return int(bool(len(crossed))) + int((np.diff(crossed) >= BLOCK).sum())


def threshold_of(weeks: Sequence[Floats]) -> float:
    """Return the value that chance reaches BUDGET times a week, by the tail of the highest of each three hours."""
    blocks = np.concatenate([week.reshape(-1, BLOCK).max(axis=1) for week in weeks])
    height, spread = gumbel(blocks.astype(np.float64))
    return height + spread * float(np.log(CROSSINGS / BUDGET))


def alarms_line(name: str, counted: int, weeks: int) -> str:
    """Return a row: false alarms a week with their 95 % interval (Garwood)."""
    low = chi2.ppf(0.025, 2 * counted) / 2 / weeks if counted else 0.0
    high = chi2.ppf(0.975, 2 * counted + 2) / 2 / weeks
    return f"| {name} | {counted} | {counted / weeks:.2f} | {low:.2f} to {high:.2f} |"


def one_world(kind: str, asked: argparse.Namespace, pool: ProcessPoolExecutor) -> None:
    """Print the tables of one world."""
    began = time.perf_counter()
    world, prepared = world_of(kind)
    print(f"\n### World {kind} (φ of the counts {world.phi:.2f})\n")
    own = calibrate_baseline(prepared, asked.weeks) if asked.own or "footprints" in asked.parts else None
    if "alarms" in asked.parts or "outages" in asked.parts:
        thresholds, limits = alarms_table(kind, asked, own, pool)
        if "outages" in asked.parts:
            outages_table(kind, asked.trials, limits, thresholds, contest(kind, asked), pool)
    if own and "footprints" in asked.parts:
        footprints_table(kind, asked.trials, own, pool)
    print(f"\n{(time.perf_counter() - began) / 60:.1f} minutes", flush=True)


def contest(kind: str, asked: argparse.Namespace) -> Contest:
    """Return who runs in that world, and the rows."""
    rows = tuple(outage for outage in OUTAGES if outage.label.startswith(tuple(asked.rows)))
    return Contest(tuple(asked.rivals) if kind in asked.compare else (), rows)


def alarms_table(
    kind: str, asked: argparse.Namespace, own: Calibration | None, pool: ProcessPoolExecutor
) -> tuple[dict[str, float], Calibration]:
    """Print the false alarms in weeks that set no threshold; return each detector's threshold."""
    rivals = contest(kind, asked)
    look = partial(quiet_week, kind, rivals)
    first, second = (list(pool.map(look, [(part, w) for w in range(asked.weeks)])) for part in (0, 1))
    blocks = [week["Netzlage"].reshape(-1, BLOCK, len(LEVELS)).max(axis=1) for week in first]
    limits = calibrate(np.concatenate(blocks).astype(np.float64))
    thresholds = {n: threshold_of([week[n] for week in first]) for n in first[0] if n != "Netzlage"}
    thresholds["Netzlage"] = limits.suspected
    print(f"| {asked.weeks} null weeks set the threshold, {asked.weeks} others are counted | alarms | a week | 95 % |")
    print("|---|---|---|---|")
    for name in ["Netzlage", *rivals.rivals]:
        seen = [standard(week[name], limits) if name == "Netzlage" else week[name] for week in second]
        counted = sum(episodes(values, thresholds[name]) for values in seen)
        print(alarms_line(name, counted, asked.weeks), flush=True)
    if own:
        counted = sum(episodes(standard(week["Netzlage"], own), own.suspected) for week in second)
        print(alarms_line("Netzlage, its null weeks drawn from the learned baseline", counted, asked.weeks))
    return thresholds, limits


def outages_table(  # noqa: PLR0917
    kind: str,
    trials: int,
    limits: Calibration,
    thresholds: Mapping[str, float],
    contest: Contest,
    pool: ProcessPoolExecutor,
) -> None:
    """Print median minutes and the share found within an hour, a row an outage; the lead is over the best rival."""
    more = ["lead, points", "share of the oracle"] if contest.rivals else []
    print(f"\n| outage ({trials} trials) | " + " | ".join([*contest.names, *more]) + " |")
    print("|---" * (len(contest.names) + 1 + len(more)) + "|")
    for outage in contest.rows:
        jobs = [(outage, i) for i in range(trials)]
        found = list(pool.map(partial(trial, kind, None, contest.rivals), jobs, chunksize=20))
        cells, share, hits = [], {}, {}
        for name in contest.names:
            limit = thresholds[f"oracle: {outage.label}" if name == "oracle" else name]
            minutes = np.array([first_alarm(t, name, limit, limits) for t in found])
            hits[name] = minutes <= 60
            share[name] = float(hits[name].mean())
            median = np.median(minutes)
            error = 100 * np.sqrt(share[name] * (1 - share[name]) / trials)
            cells.append(f"{f'{median:.0f}' if np.isfinite(median) else '–'} / {100 * share[name]:.0f} ± {error:.1f} %")
        if contest.rivals:
            best = max(contest.rivals, key=lambda name: share[name])
            ahead = hits["Netzlage"].astype(np.float64) - hits[best]
            cells.append(f"{100 * ahead.mean():.1f} ± {100 * ahead.std() / np.sqrt(trials):.1f}")
            cells.append(f"{share['Netzlage'] / max(share['oracle'], 1e-9):.2f}")
        print(f"| {outage.label} | " + " | ".join(cells) + " |", flush=True)


def footprints_table(kind: str, trials: int, limits: Calibration, pool: ProcessPoolExecutor) -> None:
    """Print how well the place after an hour and the onset are told, where the outage was found."""
    print("\n| outage | found in an hour | overlap (Jaccard) | asked | onset within ±10 min |\n|---|---|---|---|---|")
    for outage, asked in zip(OVERLAP, ASKED, strict=True):
        closely = partial(trial, kind, replace(limits, budget=BUDGET), ())
        found = list(pool.map(closely, [(outage, i) for i in range(trials)], chunksize=20))
        overlap = [t.overlap for t in found if t.overlap is not None]
        onset = [t.onset_error for t in found if t.onset_error is not None]
        near = float((np.abs(onset) <= NEAR).mean()) if onset else np.nan
        print(f"| {outage.label} | {len(overlap)} | {np.mean(overlap):.2f} | {asked:.2f} | {100 * near:.0f} % |")


def main() -> None:
    """Run the worlds that are asked for."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--worlds", nargs="*", default=["1.0", "1.4", "2.0", "heavy"])
    options.add_argument("--compare", nargs="*", default=["1.4"], help="worlds in which the rivals run too")
    options.add_argument("--rivals", nargs="*", choices=tuple(RIVALS), default=tuple(RIVALS))
    options.add_argument("--rows", nargs="*", default=[""], help="beginnings of the labels of the outages")
    options.add_argument("--weeks", type=int, default=52)
    options.add_argument("--trials", type=int, default=400)
    parts = ("alarms", "outages", "footprints")
    options.add_argument("--parts", nargs="*", choices=parts, default=parts)
    options.add_argument("--own", action="store_true", help="calibrate on weeks drawn from the learned baseline too")
    options.add_argument("--processes", type=int, default=2)
    asked = options.parse_args()
    with ProcessPoolExecutor(asked.processes) as pool:
        for kind in asked.worlds:
            one_world(kind, asked, pool)


if __name__ == "__main__":
    main()
