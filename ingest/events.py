"""A scenario in a world -> the events of any day, always the same ones. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from aggregator.clock import BERLIN
from aggregator.errors import DataError
from aggregator.model import Provider, Region
from ingest.scenario import Fault, Scenario

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
CLUMP_SECONDS: Final = 240  # a clump of reports (a house, a family, a thread) comes within so many seconds
EVERYWHERE: Final = "de"


class Point(NamedTuple):
    """A place where reports come from."""

    plz: str
    name: str
    lat: float
    lon: float
    region: str


@dataclass(frozen=True, slots=True)
class World:
    """The facts that a scenario plays in."""

    regions: Mapping[str, Region]
    providers: Mapping[str, Provider]
    points: Sequence[Point]


@dataclass(frozen=True, slots=True)
class Day:
    """The events of one German day in the order of their time; arrays of equal length."""

    at: Ints  # seconds since the epoch
    provider: Ints  # index into Events.providers
    service: Ints  # index into Events.services
    point: Ints  # index into World.points
    by_ip: NDArray[np.bool_]
    reporter: Ints  # 0: comes by the first feed; else a number of the reporter, by the second; -1, -2 …: a flood


@dataclass(frozen=True, slots=True)
class Drawn:
    """Events of one provider that have a district but no place yet; arrays of equal length."""

    at: Ints
    provider: int
    service: Ints
    district: Ints  # index into the regions
    reporter: Ints


class Events:
    """The events of a scenario in a world, made a day at a time from the seed and the date alone."""

    def __init__(self, scenario: Scenario, world: World) -> None:
        self.scenario, self.world = scenario, world
        self.providers, self.services = tuple(scenario.volumes), tuple(scenario.services)
        _check(scenario, world)
        self._regions = list(world.regions)
        order = {region: number for number, region in enumerate(self._regions)}
        of_points = np.array([order[point.region] for point in world.points])
        self._sorted_points = np.argsort(of_points, kind="stable")
        self._first = np.searchsorted(of_points[self._sorted_points], np.arange(len(order) + 1))
        self._where = {name: self._weights(name) for name in self.providers}
        self._what = {name: self._mix(name) for name in self.providers}
        self._week_mean = (5 * sum(scenario.weekday) + 2 * sum(scenario.weekend)) / 7

    def _weights(self, name: str) -> Floats:
        """Return the cumulated chance of each district: population in the footprint, times a provider's own taste."""
        rng = np.random.default_rng([self.scenario.seed, crc32(name.encode())])
        taste = np.exp(rng.normal(0, self.scenario.affinity, len(self._regions)))
        footprint = self.world.providers[name].footprint or ("",)
        population = [
            self.world.regions[region].population if region.startswith(footprint) else 0 for region in self._regions
        ]
        has_points = np.diff(self._first) > 0
        return _cumulated(np.array(population, dtype=float) * taste * has_points)

    def _mix(self, name: str) -> Floats:
        sold = self.world.providers[name].services or self.services
        return _cumulated(np.array([self.scenario.services[s] if s in sold else 0.0 for s in self.services]))

    def day(self, day: date) -> Day:
        """Return what is reported between midnight and midnight, German time."""
        rng = np.random.default_rng([self.scenario.seed, day.toordinal()])
        midnight = datetime(day.year, day.month, day.day, tzinfo=BERLIN)
        begins = int(midnight.timestamp())
        hours = self.scenario.weekend if day.weekday() >= 5 else self.scenario.weekday
        usual = [self._usual(rng, number, begins, hours) for number in range(len(self.providers))]
        faults = [self._fault(rng, fault, begins, hours) for fault in self.scenario.faults]
        floods = [self._flood(rng, number, begins) for number in range(len(self.scenario.floods))]
        return _joined([*usual, *faults, *floods])

    def _usual(self, rng: np.random.Generator, number: int, begins: int, hours: Sequence[float]) -> Day:
        """Draw a provider's usual reports: clumps by the hours, districts by the customers, sizes geometric."""
        name, q = self.providers[number], 2 / (1 + self.scenario.clumps)
        mean = self.scenario.volumes[name] * sum(hours) / self._week_mean
        clumps = rng.poisson(mean * q)
        hour = np.searchsorted(_cumulated(np.array(hours)), rng.random(clumps), side="right")
        start = begins + hour * 3600 + rng.integers(0, 3600, clumps)
        district = np.searchsorted(self._where[name], rng.random(clumps), side="right")
        service = np.searchsorted(self._what[name], rng.random(clumps), side="right")
        size = rng.geometric(q, clumps)
        first = np.repeat(np.cumsum(size) - size, size) == np.arange(size.sum())
        later = np.where(first, 0, rng.integers(0, CLUMP_SECONDS, size.sum()))
        at = np.minimum(np.repeat(start, size) + later, begins + 86_399)
        second = rng.random(len(at)) < self.scenario.second_feed
        reporter = np.where(second, rng.integers(1, 2**40, len(at)), 0)
        return self._made(rng, Drawn(at, number, np.repeat(service, size), np.repeat(district, size), reporter))

    def _fault(self, rng: np.random.Generator, fault: Fault, begins: int, hours: Sequence[float]) -> Day:
        minutes = begins + 60 * np.arange(1440) + 30
        day_course = np.repeat(np.array(hours) / max(hours), 60)
        counts = rng.poisson(strength(fault, minutes) * day_course / 60)
        at = np.repeat(minutes, counts) + rng.integers(-30, 30, counts.sum())
        number = self.providers.index(fault.provider)
        if fault.region == EVERYWHERE:
            district = np.searchsorted(self._where[fault.provider], rng.random(len(at)), side="right")
        else:
            district = np.full(len(at), self._regions.index(fault.region))
        service = np.full(len(at), self.services.index(fault.service))
        return self._made(rng, Drawn(at, number, service, district, np.zeros(len(at), dtype=np.int64)))

    def _flood(self, rng: np.random.Generator, which: int, begins: int) -> Day:
        flood = self.scenario.floods[which]
        since, until = (np.clip(int(t.timestamp()), begins, begins + 86_400) for t in (flood.start, flood.end))
        at = rng.integers(since, until, rng.poisson(flood.per_hour * (until - since) / 3600)) if until > since else []
        number, service = self.providers.index(flood.provider), self.services.index(flood.service)
        point = next(i for i, point in enumerate(self.world.points) if point.plz == flood.plz)
        return Day(
            at=np.asarray(at, dtype=np.int64),
            provider=np.full(len(at), number),
            service=np.full(len(at), service),
            point=np.full(len(at), point),
            by_ip=np.zeros(len(at), dtype=bool),
            reporter=np.full(len(at), -1 - which),
        )

    def _made(self, rng: np.random.Generator, drawn: Drawn) -> Day:
        """Put each event on one of its district's places."""
        first, many = self._first[drawn.district], np.diff(self._first)[drawn.district]
        count = len(drawn.at)
        return Day(
            at=drawn.at.astype(np.int64),
            provider=np.full(count, drawn.provider),
            service=drawn.service,
            point=self._sorted_points[first + (rng.random(count) * many).astype(np.int64)],
            by_ip=rng.random(count) < self.scenario.ip_share,
            reporter=drawn.reporter,
        )


def strength(fault: Fault, at: Ints) -> Floats:
    """Return a fault's reports per hour (at the busiest hour of a day) at times in seconds since the epoch."""
    since, until = at - fault.start.timestamp(), fault.end.timestamp() - at
    up = np.clip(since / max(fault.ramp, 1), 0, 1)
    down = np.clip(until / max(fault.fade, 1), 0, 1)
    return np.asarray(fault.per_hour * np.minimum(up, down))


def _cumulated(weights: Floats) -> Floats:
    total = np.cumsum(weights / weights.sum())
    total[np.flatnonzero(weights)[-1] :] = 1.0  # rounding must not lead behind the last that can be
    return total


def _joined(parts: Sequence[Day]) -> Day:
    columns = [np.concatenate([getattr(part, name) for part in parts]) for name in Day.__slots__]
    order = np.argsort(columns[0], kind="stable")
    return Day(*(column[order] for column in columns))


def _check(scenario: Scenario, world: World) -> None:
    """Refuse names that the facts do not know. Raises DataError."""
    named = [*scenario.volumes, *(said.provider for said in scenario.statements)]
    for name in named:
        if name not in world.providers:
            raise DataError(f"Scenario: provider {name} is not in the catalogue; mend its id.")
    faults = [(fault.provider, fault.service) for fault in scenario.faults]
    for provider, service in faults + [(flood.provider, flood.service) for flood in scenario.floods]:
        if provider not in scenario.volumes or service not in scenario.services:
            raise DataError(f"Scenario: {provider} {service} fails but has no place in volumes and services.")
    for fault in scenario.faults:
        if fault.region != EVERYWHERE and fault.region not in world.regions:
            raise DataError(f"Scenario: district {fault.region} of a fault is not known; write its AGS of five digits.")
    for flood in scenario.floods:
        if not any(point.plz == flood.plz for point in world.points):
            raise DataError(f"Scenario: PLZ {flood.plz} of a flood is not known.")
