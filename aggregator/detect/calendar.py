"""Buckets -> hour of the week in each Land, public holidays counting as Sundays. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import lru_cache

import holidays
import numpy as np
import numpy.typing as npt
import pandas as pd

BUCKET_SECONDS = 300
PER_HOUR = 3600 // BUCKET_SECONDS
WEEK_HOURS = 168
SUNDAY = 6
# AGS of a Land -> the subdivision code of the library `holidays`
SUBDIVISION = {
    "01": "SH", "02": "HH", "03": "NI", "04": "HB", "05": "NW", "06": "HE", "07": "RP", "08": "BW",
    "09": "BY", "10": "SL", "11": "BE", "12": "BB", "13": "MV", "14": "SN", "15": "ST", "16": "TH",
}  # fmt: skip

Ints = npt.NDArray[np.int64]


def hours_of_week(buckets: Ints, lands: Sequence[str], timezone: str = "Europe/Berlin") -> Ints:
    """Return the hour of the week (0 = Monday 00:00 local) of each bucket in each Land, shape (lands, buckets).

    buckets: numbers of 5-minute buckets since the epoch, UTC. A Land that is not a German AGS has no holidays.
    """
    local = pd.DatetimeIndex(pd.to_datetime(buckets * BUCKET_SECONDS, unit="s", utc=True)).tz_convert(timezone)
    hour = np.asarray(local.hour, dtype=np.int64)
    weekday = np.asarray(local.day_of_week, dtype=np.int64)
    days = np.asarray(local.tz_localize(None).to_numpy(), dtype="datetime64[D]")
    rows = [np.where(_is_holiday(days, land), SUNDAY, weekday) * 24 + hour for land in lands]
    return np.array(rows, dtype=np.int64).reshape(len(lands), len(buckets))


def _is_holiday(days: npt.NDArray[np.datetime64], land: str) -> npt.NDArray[np.bool_]:
    unique, inverse = np.unique(days, return_inverse=True)
    return np.array([day in _holidays(land, day.year) for day in unique.tolist()], dtype=bool)[inverse]


@lru_cache(maxsize=512)
def _holidays(land: str, year: int) -> frozenset[date]:
    code = SUBDIVISION.get(land)
    return frozenset(holidays.country_holidays("DE", subdiv=code, years=year)) if code else frozenset()
