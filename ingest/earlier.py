"""A scenario's earlier year -> the store: its reports through the one door, detection on the days it names. I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Final

import numpy as np

from aggregator.clock import BERLIN, SimulatedClock
from aggregator.feedmodel import Source
from aggregator.instance import Instance
from aggregator.model import RawReport
from aggregator.pipeline import accept
from aggregator.store import cube, sources
from ingest.events import Day, Events
from ingest.replay import steps

SOURCE: Final = "demo-archiv"
NOTE: Final = "SIMULATION: Meldungen früherer Monate, von diesem Programm erfunden"
A_DAY: Final = timedelta(days=1)


def bring_in(
    instance: Instance, clock: SimulatedClock, events: Events, refresh: Callable[[], object]
) -> Iterator[datetime]:
    """Accept what was reported up to each step of the scenario, look where it says so, and yield the time of the step.

    clock: the instance's; it is set to each step.
    """
    with instance.store.write() as connection:
        sources.keep(connection, [Source(SOURCE, republish="rows", note=NOTE)])
    since = events.scenario.start
    for at, look in steps(events.scenario):
        clock.set(at)
        accept(instance, list(_reported(events, since, at)))
        with instance.store.write() as connection:
            cube.listen(connection, SOURCE, since, at)
        if look:
            refresh()
        since = at
        yield at


def _reported(events: Events, since: datetime, until: datetime) -> Iterator[RawReport]:
    """Yield the reports of [since, until)."""
    day = since.astimezone(BERLIN).date()
    while day <= until.astimezone(BERLIN).date():
        found = events.day(day)
        for index in np.flatnonzero((found.at >= since.timestamp()) & (found.at < until.timestamp())):
            yield _report(events, day, found, int(index))
        day += A_DAY


def _report(events: Events, day: date, found: Day, index: int) -> RawReport:
    point = events.world.points[found.point[index]]
    return RawReport(
        SOURCE,
        events.providers[found.provider[index]],
        events.services[found.service[index]],
        key=f"{day:%Y%m%d}-{index}",
        observed_at=datetime.fromtimestamp(int(found.at[index]), BERLIN),
        lat=point.lat,
        lon=point.lon,
        place_source="ip" if found.by_ip[index] else "coords",
    )
