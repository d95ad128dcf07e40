"""Twelve days of a small country with a fault over midnight, as a table and as day files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from aggregator.clock import BERLIN
from aggregator.detect.backtest import Plan, backtest, read_past
from aggregator.detect.calibrate import SHIPPED
from aggregator.detect.tick import Country
from aggregator.frames import BUCKET, REPORTS, TIME, conform
from aggregator.history.counts import count_days
from aggregator.history.files import REPORT_COLUMNS
from aggregator.history.folder import DayFile, described, keep_index, known, whole
from aggregator.history.hands import Alone, Hands
from aggregator.history.kept import Steps
from aggregator.history.replay import Task, Watch, replay
from aggregator.history.tables import parquet
from aggregator.model import Incident
from tests.detect.world import REGIONS, zones

HISTORY: Final = timedelta(days=7)
BEGIN: Final = datetime(2017, 4, 3, tzinfo=UTC)
FAULT: Final = BEGIN + timedelta(days=8, hours=22)
END: Final = BEGIN + timedelta(days=11)
COUNTRY: Final = Country(REGIONS, {}, zones())
PLAN: Final = Plan(HISTORY, 6 * BUCKET, lambda prepared: SHIPPED)


def table(*, late: bool = False) -> pd.DataFrame:
    """Return the reports in order of arrival; late: each is known ten minutes after it was made, some hours after."""
    rng = np.random.default_rng(7)
    usual = rng.uniform(0, (END - BEGIN).total_seconds(), 4000)
    faulty = (FAULT - BEGIN).total_seconds() + rng.uniform(0, 4 * 3600, 90)
    where = np.concatenate([rng.integers(0, len(REGIONS), len(usual)), np.full(len(faulty), 14)])
    seconds = np.concatenate([[1.0], usual, faulty, [(END - BEGIN).total_seconds() - 1]]).astype(np.int64)
    observed = pd.to_datetime(BEGIN.timestamp() + seconds, unit="s", utc=True)
    waited = np.where(rng.random(len(seconds)) < 0.02, 9 * 3600, 600) if late else np.zeros(len(seconds))
    frame = pd.DataFrame(dict.fromkeys(REPORTS, ""), index=range(len(seconds)))
    frame["lat"] = frame["lon"] = None
    frame["region"] = [REGIONS[i].id for i in [0, *where, 0]]
    frame["provider"] = np.where(rng.random(len(seconds)) < 0.8, "x", "y")
    frame.loc[len(usual) + 1 : len(usual) + len(faulty), "provider"] = "x"
    frame = frame.assign(
        service="mobile",
        source="feed",
        counted=True,
        observed_at=observed,
        began_at=pd.Series(pd.NaT, index=frame.index, dtype=TIME),
    )
    frame = frame.assign(received_at=observed + pd.to_timedelta(waited, unit="s"))
    return conform(frame.sort_values(["received_at", "observed_at"], ignore_index=True), REPORTS)


def write(folder: Path, reports: pd.DataFrame, hands: Hands | None = None) -> Path:
    """Write the day files of the reports and count them."""
    files = {}
    for day, some in reports.groupby(reports["observed_at"].dt.tz_convert(BERLIN).dt.date):
        path = folder / f"reports-{day}.parquet"
        with whole(path) as file:
            file.writelines(parquet([some.sort_values(list(REPORT_COLUMNS))], {c: REPORTS[c] for c in REPORT_COLUMNS}))
            files[path.name] = described(file, DayFile(path.name, "reports", "parquet", str(day), 0, "", "made"))
    keep_index(folder, known(folder) | files)
    count_days(folder, hands or Alone())
    return folder


def task(folder: Path) -> Task:
    """Return the look back at all of the days."""
    found: dict[object, dict[str, DayFile]] = {}
    for file in known(folder).values():
        found.setdefault(datetime.fromisoformat(file.day).date(), {})[file.table] = file
    files = {day: found[day] for day in sorted(found, key=str)}
    return Task(folder, files, BEGIN, END, PLAN, folder / "calibrations", 1.0, {})  # type: ignore[arg-type]


def look_back(folder: Path, hands: Hands, watch: Watch | None = None, *, how: str = "") -> list[Incident]:
    """Look back over the files of `folder`; what was found so far is kept in it."""
    return replay(task(folder), COUNTRY, hands, Steps(folder / "steps", how), watch or Watch())


def plainly(reports: pd.DataFrame) -> list[Incident]:
    """Return what one process finds that has the whole table in its memory."""
    return backtest(COUNTRY, read_past(reports, [region.id for region in REGIONS]), PLAN)
