"""What others report of the same provider in the same place: the answer to "is it only me?". I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from aggregator.instance import Instance
from aggregator.model import ALL, Filter, Incident, RawReport, Stream
from aggregator.store import incidents, reports
from aggregator.web.story import place_name

A_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Company:
    """`others` reports beside one's own since `since` in `place`; incident: the open one that it belongs to."""

    others: int
    since: datetime
    place: str
    national: bool
    incident: Incident | None


def company(instance: Instance, own: RawReport, *, counted: bool = True) -> Company:
    """Return who else reports own.provider in own.region: since the onset of the open incident, else for 24 hours.

    counted: one's own report is among those counted.
    """
    now = instance.clock.now()
    with instance.store.read() as connection:
        found = incidents.find(connection, Filter(), open_only=True)
        fitting = sorted((i for i in found if _fits(i, own)), key=lambda i: _closeness(i, own))
        incident = fitting[0] if fitting else None
        since = incident.onset if incident else now - A_DAY
        national = not own.region
        where = None if national else [r for r in instance.catalogue.regions if r.startswith(own.region)]
        stream = Stream(own.provider, incident.service if incident else ALL)
        number = len(reports.times(connection, stream, where, since, now + A_DAY))
    place = place_name(own.region, instance.catalogue)
    return Company(max(0, number - counted), since, place, national, incident)


def _fits(incident: Incident, own: RawReport) -> bool:
    return (
        own.provider in {incident.provider, *incident.providers}
        and incident.service in {ALL, own.service}
        and (not incident.regions or own.region in incident.regions)
    )


def _closeness(incident: Incident, own: RawReport) -> tuple[bool, bool, int]:
    """Order by how exactly the incident speaks of this report: its provider, its service, its place."""
    size = len(incident.regions) or 1000
    return incident.provider != own.provider, incident.service != own.service, size
