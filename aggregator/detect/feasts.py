"""The public holidays of each German Land since 1995, as its law has them. Pure.

A library of the whole world's holidays takes 8 MB and most of a second of every process that wants Germany's.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from dateutil.easter import easter

ALL: Final = "01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16"
ALWAYS: Final = (1995, 9999)
# Month and day, the Länder (AGS), the first and the last year.
FIXED: Final = (
    ((1, 1), ALL, ALWAYS),
    ((1, 6), "08 09 15", ALWAYS),
    ((3, 8), "11", (2019, 9999)),
    ((3, 8), "13", (2023, 9999)),
    ((5, 1), ALL, ALWAYS),
    ((5, 8), "11", (2020, 2020)),  # 75 years after the war
    ((5, 8), "11", (2025, 2025)),
    ((6, 17), "11", (2028, 2028)),  # 75 years after the rising
    ((8, 15), "10", ALWAYS),
    ((9, 20), "16", (2019, 9999)),
    ((10, 3), ALL, ALWAYS),
    ((10, 31), "12 13 14 15 16", ALWAYS),
    ((10, 31), ALL, (2017, 2017)),  # 500 years of the Reformation
    ((10, 31), "01 02 03 04", (2018, 9999)),
    ((11, 1), "05 07 08 09 10", ALWAYS),
    ((12, 25), ALL, ALWAYS),
    ((12, 26), ALL, ALWAYS),
)
# Days after Easter Sunday, the Länder.
MOVED: Final = ((-2, ALL), (0, "12"), (1, ALL), (39, ALL), (49, "12"), (50, ALL), (60, "05 06 07 08 09 10"))
SAXONY: Final = "14"


def feasts(land: str, year: int) -> Iterator[date]:
    """Yield the public holidays of a Land (AGS) that hold in all of it, two on one day twice; none of no such Land."""
    for (month, day), lands, (first, last) in FIXED:
        if land in lands.split() and first <= year <= last:
            yield date(year, month, day)
    for days, lands in MOVED:
        if land in lands.split():
            yield easter(year) + timedelta(days)
    if land == SAXONY:
        yield _repentance(year)


def _repentance(year: int) -> date:
    """Return the Wednesday before 23 November."""
    last = date(year, 11, 22)
    return last - timedelta((last.weekday() - 2) % 7)
