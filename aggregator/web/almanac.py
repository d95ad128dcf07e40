"""A year of incidents -> twelve months of days, each as unusual as its most unusual incident. I/O."""

from __future__ import annotations

from calendar import Calendar
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from flask_babel import format_date

from aggregator.clock import BERLIN
from aggregator.draw.map import Value
from aggregator.store import Connection, looks

A_DAY: Final = timedelta(days=1)
Known = tuple[date, date, bool]  # first and last day of an incident (German time), and whether it was strong
Link = Callable[[date, date], str]  # from, until before -> where the incidents of these days are listed


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the calendar. value None: still to come; "blind": nobody looked; "nothing": looked, and no incident."""

    day: date
    value: Value | None
    incidents: int
    link: str


@dataclass(frozen=True, slots=True)
class Month:
    """A month in weeks from Monday to Sunday; None where a week has days of another month."""

    name: str
    link: str
    weeks: Sequence[Sequence[Day | None]]


@dataclass(frozen=True, slots=True)
class Year:
    """What the days of a year are made from: its incidents, the days on which somebody looked."""

    known: Sequence[Known]
    looked: set[date]
    today: date
    link: Link


def months(connection: Connection, year: int, known: Sequence[Known], today: date, *, link: Link) -> list[Month]:
    """Return the months of `year`, of the present one those until now."""
    year_of = Year(known, _looked(connection, year), today, link)
    last = today.month if year == today.year else 12
    return [_month(year_of, date(year, number, 1)) for number in range(1, last + 1)]


def _looked(connection: Connection, year: int) -> set[date]:
    first, last = (datetime(y, 1, 1, tzinfo=BERLIN) for y in (year, year + 1))
    return {hour.astimezone(BERLIN).date() for hour in looks.hours(connection, first, last)}


def _month(year: Year, first: date) -> Month:
    after = (first + timedelta(days=32)).replace(day=1)
    weeks = [
        [_day(year, day) if day.month == first.month else None for day in week]
        for week in Calendar().monthdatescalendar(first.year, first.month)
    ]
    return Month(str(format_date(first, "LLLL")), year.link(first, after), weeks)


def _day(year: Year, day: date) -> Day:
    strength = [strong for first, last, strong in year.known if first <= day <= last]
    if day > year.today:
        return Day(day, None, 0, "")
    quiet: Value = "nothing" if day in year.looked else "blind"
    value: Value = "strong" if any(strength) else "suspected" if strength else quiet
    return Day(day, value, len(strength), year.link(day, day + A_DAY) if strength else "")
