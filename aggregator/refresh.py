"""Stored counts -> hotspots -> incidents, stored: one detection pass. Joins the pure look and the store. I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from aggregator.clock import floor_to
from aggregator.detect.calibrate import SHIPPED, Calibration
from aggregator.detect.coverage import cover
from aggregator.detect.cube import bucket_number, by_stream, to_timedelta
from aggregator.detect.span import LONGEST
from aggregator.detect.tick import HISTORY, Country, Learned, Sight, learn, look, looks_back_to
from aggregator.detect.zones import make_zones
from aggregator.frames import BUCKET
from aggregator.freeze import freeze
from aggregator.instance import Instance
from aggregator.model import Filter, Incident
from aggregator.store import Connection, baselines, calibrations, crowds, cube, evidence, incidents, sources
from aggregator.store.crowds import Crowd
from aggregator.witnesses import Usual, see, without

HEARTBEAT = timedelta(minutes=10)  # a longer gap between two passes means that the site was not listening
OWN_DOORS = ("form", "api")  # sources that are heard whenever we run
DAY = timedelta(days=1)
STILL_MATTERS = timedelta(days=2)  # how long an incident that ended can have to do with what happens now


class Detection:
    """Detection passes over one store; keeps the zones and the baseline of the day between them."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        regions = list(instance.catalogue.regions.values())
        self.country = Country(regions, instance.catalogue.providers, make_zones(regions))
        self._usual = Usual(datetime(1970, 1, 1, tzinfo=UTC))
        self._learned: tuple[datetime, datetime | None, Learned] | None = None  # day, known by, what

    def refresh(self, as_of: datetime | None = None) -> list[Incident]:
        """Look once, at the last full five minutes, and return the incidents that are not over, the unlikeliest first.

        as_of: look at that time, with what was known by then; then nothing is stored unless it is later than
        every look before. Looking twice at the same time changes nothing.
        """
        at = floor_to(as_of or self._instance.clock.now(), BUCKET)
        with self._instance.store.read() as connection:
            # now: a look of a clock that has been set back since lies ahead, and is not the last one
            last, _ = incidents.hotspots(connection, at if as_of is None else None)
            known = incidents.find(connection, Filter(since=at - STILL_MATTERS, until=at, as_of=as_of))
        self._keep_heartbeat(last, at, as_of)
        with self._instance.store.read() as connection:
            seen, floods = self._see(connection, at, as_of, known)
            hotspots, advanced, transitions = look(seen, known)
            frozen = freeze(seen, hotspots, advanced, known)
        if as_of is None or last is None or at > last:
            with self._instance.store.write() as connection:
                incidents.save(connection, advanced, transitions)
                incidents.save_hotspots(connection, at, hotspots)
                evidence.save(connection, frozen)
                crowds.save(connection, at, floods)
        return sorted((i for i in advanced if i.ended_at is None), key=lambda i: i.rank)

    def replay(self, steps: Iterable[datetime], *, keep: bool = True) -> list[Incident]:
        """Look as of each of `steps` (ascending), with what was known by then; return the incidents by first alarm.

        The looks build on each other and on what was shown before the first. A look is stored if it is later than
        every look before: what readers have seen stays as it was. keep False: none is.
        """
        shown: dict[str, Incident] | None = None
        found: set[str] = set()
        for at in steps:
            with self._instance.store.read() as connection:
                last, _ = incidents.hotspots(connection)
                if shown is None:
                    f = Filter(since=at - STILL_MATTERS, until=at, as_of=at - BUCKET)
                    shown = {i.incident_id: i for i in incidents.find(connection, f)}
                known = [i for i in shown.values() if i.ended_at is None or at - i.ended_at <= STILL_MATTERS]
                seen, floods = self._see(connection, at, at, known)
                hotspots, advanced, transitions = look(seen, known)
                frozen = freeze(seen, hotspots, advanced, known)
            if keep and (last is None or at > last):
                with self._instance.store.write() as connection:
                    incidents.save(connection, advanced, transitions)
                    incidents.save_hotspots(connection, at, hotspots)
                    evidence.save(connection, frozen)
                    crowds.save(connection, at, floods)
            shown |= {i.incident_id: i for i in advanced}
            found |= {i.incident_id for i in advanced}
        return sorted((i for i in (shown or {}).values() if i.incident_id in found), key=_by_alarm)

    def limits(self, connection: Connection, at: datetime) -> Calibration:
        """Return how scores were judged at `at`, by the budget of the settings."""
        found = calibrations.load(connection, at) or SHIPPED
        return replace(found, budget=self._instance.settings.false_alarms_per_week)

    def _keep_heartbeat(self, last: datetime | None, at: datetime, as_of: datetime | None) -> None:
        if as_of is not None or last is None or not timedelta(0) < at - last <= HEARTBEAT:
            return
        with self._instance.store.write() as connection:
            for door in OWN_DOORS:
                cube.listen(connection, door, last, at)

    def _see(
        self, connection: Connection, at: datetime, as_of: datetime | None, known: Sequence[Incident]
    ) -> tuple[Sight, list[Crowd]]:
        learned = self.learned(connection, at, as_of)
        day_before = at - to_timedelta(LONGEST)
        counts = cube.cells(connection, Filter(since=day_before, until=at, as_of=as_of))
        witnesses = see(connection, day_before, at, as_of, self._usual_on(at))
        floods = witnesses.floods(counts, day_before, at)
        gone = witnesses.members(floods, day_before, at)
        if gone:
            counts = without(counts, gone)
            witnesses = see(connection, day_before, at, as_of, self._usual_on(at), sorted(gone))
        since = looks_back_to(at, known)
        listening = cube.listening(connection, since, at, as_of)
        told = sources.covers(connection)
        coverage = cover(listening, learned.usual, bucket_number(since), bucket_number(at), covers=told)
        streams = by_stream(counts, self.country.zones.regions)
        return Sight(at, learned, coverage, streams, witnesses, self.limits(connection, at), counts), floods

    def _usual_on(self, at: datetime) -> Usual:
        """Return what is usual of address blocks on the day of `at`, asked once a day."""
        day = floor_to(at, DAY)
        if self._usual.day != day:
            self._usual = Usual(day)
        return self._usual

    def learned(self, connection: Connection, at: datetime, as_of: datetime | None = None) -> Learned:
        """Return what is learned from the 28 days before the day (UTC) of `at`; fitted once a day, then kept.

        as_of: learned from what was known when that day began.
        """
        until = datetime.combine(at.astimezone(UTC).date(), time(), UTC)
        known_by = until if as_of else None
        if self._learned and self._learned[:2] == (until, known_by):
            return self._learned[2]
        whole = Filter(since=until - HISTORY, until=until, as_of=known_by)
        counts = cube.cells(connection, whole)
        usual = counts.groupby(["provider", "source"], observed=True)["count"].sum().reset_index()
        listening = cube.listening(connection, until - HISTORY, until, known_by)
        told = sources.covers(connection)
        coverage = cover(listening, usual, bucket_number(until - HISTORY), bucket_number(until), covers=told)
        cells = by_stream(counts, self.country.zones.regions)
        past = incidents.find(connection, whole)
        learned = learn(self.country, cells, usual, coverage, past, until=until)
        self._learned = until, known_by, learned
        if as_of is None:
            with self._instance.store.write() as writing:
                baselines.save(writing, until.date(), learned.baseline.to_bytes())
        return learned


def _by_alarm(incident: Incident) -> tuple[datetime, str]:
    return incident.first_alarm_at, incident.incident_id
