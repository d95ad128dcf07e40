"""Who stands behind an incident: its counted reports by source and place, and how many persons per PLZ. I/O."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Connection, select

from aggregator.frames import BUCKET
from aggregator.model import ALL, Filter, Incident
from aggregator.persons import FORGOTTEN
from aggregator.store.incidents import find
from aggregator.store.schema import postcodes, reports
from aggregator.store.select import any_of, conditions, upsert

STEP: Final = 3  # persons that must stand behind a PLZ, and in steps of which they are told
SAME_PERSON: Final = timedelta(hours=6)  # as long is a person known again
NONE: Final = ""  # the PLZ of the row that says: this incident's totals are kept for good


@dataclass(frozen=True, slots=True)
class Behind:
    """What stands behind an incident: reports by source, district ("" = not located) and way of locating; persons.

    persons: how many different ones, None where it lasted or is past too long to know them again; unknown: reports of
    them whose source says nothing of who it was, each taken for a person. postcodes: PLZ -> persons, in steps, the
    most first.
    """

    reports: int
    sources: Mapping[str, int]
    regions: Mapping[str, int]
    by_ip: int
    persons: int | None
    unknown: int
    postcodes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _One:
    source: str
    region: str
    place_source: str
    plz: str
    reporter: str
    day: date  # of the key with which the reporter was hashed


def behind(connection: Connection, incident: Incident, as_of: datetime | None = None) -> Behind:
    """Return what stands behind `incident` as it was at `as_of` (None: now): the reports that were known to it."""
    rows = list(_rows(connection, incident, known_by(incident, as_of)))
    known = not any(row.reporter == FORGOTTEN for row in rows)
    short = (incident.ended_at or as_of or incident.updated_at) - incident.onset <= SAME_PERSON
    return Behind(
        reports=len(rows),
        sources=dict(Counter(row.source for row in rows).most_common()),
        regions=dict(Counter(row.region for row in rows).most_common()),
        by_ip=sum(row.place_source == "ip" for row in rows),
        persons=_persons(rows) if short and known else None,
        unknown=sum(not row.reporter for row in rows),
        postcodes=_ranked(_together(in_steps(rows), _kept(connection, incident, as_of))),
    )


def known_by(incident: Incident, as_of: datetime | None = None) -> datetime:
    """Return until when reports may have come that the last look at `incident` counted (none after `as_of`).

    A look is at a full five minutes, and made before the next: a report of before, brought in between, counts.
    """
    last = incident.updated_at + BUCKET
    return min(as_of, last) if as_of else last


def _rows(connection: Connection, incident: Incident, as_of: datetime | None) -> Iterable[_One]:
    c = reports.c
    end = incident.ended_at or (as_of and incident.updated_at)
    f = Filter(incident.provider, incident.service, since=incident.onset, until=end, as_of=as_of)
    asked: list[ColumnElement[bool]] = [c.counted, *conditions(reports, f, "observed_at", "received_at")]
    if incident.provider == ALL:
        asked.append(any_of(connection, c.provider, list(incident.providers)))
    if incident.regions:
        asked.append(any_of(connection, c.region, list(incident.regions)))
    query = select(c.source, c.region, c.place_source, c.plz, c.reporter, c.received_at).where(*asked)
    return (_One(*row[:5], row.received_at.date()) for row in connection.execute(query))


def _persons(rows: Iterable[_One]) -> int:
    known, unknown = set(), 0
    for row in rows:
        known.add(row.reporter)
        unknown += not row.reporter
    return len(known - {""}) + unknown


def in_steps(rows: Iterable[_One]) -> dict[str, int]:
    """Return PLZ -> persons, down to a multiple of three, from three on.

    Of each PLZ the day with most persons counts: with another day's key the same person has another name. All that are
    forgotten are taken for one.
    """
    days: dict[tuple[str, date], list[_One]] = defaultdict(list)
    for row in rows:
        if row.plz:
            days[row.plz, row.day].append(row)
    most: dict[str, int] = {}
    for (plz, _day), of_day in days.items():
        most[plz] = max(most.get(plz, 0), _persons(of_day))
    return {plz: persons // STEP * STEP for plz, persons in most.items() if persons >= STEP}


def _kept(connection: Connection, incident: Incident, as_of: datetime | None) -> dict[str, int]:
    """Return what was kept of an incident; nothing where the asked moment lies before its end."""
    if as_of is not None and (incident.ended_at is None or as_of < incident.ended_at):
        return {}
    c = postcodes.c
    query = select(c.plz, c.persons).where(c.incident_id == incident.incident_id, c.plz != NONE)
    return {row.plz: row.persons for row in connection.execute(query)}


def _together(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {plz: max(one.get(plz, 0), other.get(plz, 0)) for plz in {*one, *other}}


def _ranked(totals: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(totals.items(), key=lambda item: (-item[1], item[0])))


def keep(connection: Connection, before: datetime) -> int:
    """Keep the totals per PLZ of incidents that began before `before`; return how many incidents these are.

    To be called ahead of what takes reporter or PLZ out of the reports received before `before`. An
    incident that goes on is kept again each time; one that ended before `before` for good.
    """
    c = postcodes.c
    done = set(connection.execute(select(c.incident_id).where(c.plz == NONE)).scalars())
    found = [i for i in find(connection, Filter(until=before)) if i.incident_id not in done]
    for incident in found:
        totals = _together(in_steps(_rows(connection, incident, None)), _kept(connection, incident, None))
        if incident.ended_at is not None and incident.ended_at < before:
            totals[NONE] = 0
        _save(connection, incident.incident_id, totals)
    return len(found)


def _save(connection: Connection, incident_id: str, totals: Mapping[str, int]) -> None:
    rows = [{"incident_id": incident_id, "plz": plz, "persons": persons} for plz, persons in totals.items()]
    if rows:
        new = upsert(connection, postcodes)
        told = {"persons": new.excluded.persons}
        connection.execute(new.on_conflict_do_update(index_elements=["incident_id", "plz"], set_=told), rows)
