"""A small country for the detection tests: 36 districts in three Länder, one loud provider and a quiet one."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd

from aggregator.detect import span
from aggregator.detect.baseline import Baseline
from aggregator.detect.coverage import Coverage, cover
from aggregator.detect.cube import bucket_number, by_stream
from aggregator.detect.fit import History, fit
from aggregator.detect.zones import Zones, make_zones
from aggregator.frames import CUBE, LISTENING, conform
from aggregator.model import Provider, Region, Stream

DAY = datetime(2017, 5, 12, tzinfo=UTC)  # the baseline ends here, the live day begins
NOW = DAY + timedelta(hours=12)
HISTORY = timedelta(days=28)
LOUD = Stream("loud", "mobile")
PROVIDERS = {p: Provider(p, p, services=("mobile", "tv"), share=0.5) for p in ("loud", "quiet")}
REGIONS = [
    Region(f"0{1 + i // 12}{i:03d}", f"District {i}", f"0{1 + i // 12}", 50 + i // 6 * 0.5, 9 + i % 6 * 0.7, 100_000)
    for i in range(36)
]
IDS = [r.id for r in REGIONS]


def reports(
    stream: Stream, since: datetime, hours: float, per_hour: float, *, seed: int, where: list[str]
) -> pd.DataFrame:
    """Poisson reports of a stream, evenly over `where` and the time, as rows of CUBE with count 1."""
    rng = np.random.default_rng(seed)
    n = int(rng.poisson(per_hour * hours))
    moments = pd.to_datetime(since.timestamp() + rng.uniform(0, hours * 3600, n), unit="s", utc=True)
    rows = {"provider": stream.provider, "service": stream.service, "region": rng.choice(where, n), "source": "feed"}
    frame = pd.DataFrame({**rows, "bucket": moments.floor("5min"), "count": 1})
    return conform(frame, CUBE)


def usual(seed: int = 1, per_hour: float = 30.0) -> pd.DataFrame:
    """Four quiet weeks and the live day of both providers."""
    hours = HISTORY / timedelta(hours=1) + 12
    loud = reports(LOUD, DAY - HISTORY, hours, per_hour, seed=seed, where=IDS)
    quiet = reports(Stream("quiet", "tv"), DAY - HISTORY, hours, 3.0, seed=seed + 1, where=IDS)
    return pd.concat([loud, quiet])


def listened(since: datetime, until: datetime) -> pd.DataFrame:
    """The one feed, heard all the time."""
    buckets = pd.date_range(since, until, freq="5min", inclusive="left", tz=UTC)
    return conform(pd.DataFrame({"source": "feed", "bucket": buckets, "share": 1.0}), LISTENING)


def learn(cube: pd.DataFrame, listening: pd.DataFrame | None = None) -> Baseline:
    """Fit the baseline of DAY."""
    before = cube[cube["bucket"] < DAY]
    start, end = bucket_number(DAY - HISTORY), bucket_number(DAY)
    coverage = cover(listened(DAY - HISTORY, DAY) if listening is None else listening, weights(cube), start, end)
    history = History(start, end, by_stream(before, IDS), coverage, {})
    return fit(history, REGIONS, PROVIDERS, date(2017, 5, 12), [])


def weights(cube: pd.DataFrame) -> pd.DataFrame:
    """What each source usually brings."""
    return cube.groupby(["provider", "source"])["count"].sum().reset_index()


def zones() -> Zones:
    """The zones of the small country."""
    return make_zones(REGIONS)


def look(cube: pd.DataFrame, at: datetime = NOW, listening: pd.DataFrame | None = None) -> span.Span:
    """The moment of a tick at `at` (not a full hour: no slow windows unless asked for)."""
    heard = listened(DAY - timedelta(days=2), at) if listening is None else listening
    coverage: Coverage = cover(heard, weights(cube), bucket_number(DAY - timedelta(days=2)), bucket_number(at))
    return span.at(bucket_number(at), span.prepare(learn(cube), zones()), coverage)
