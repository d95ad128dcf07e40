"""Incidents and every version of them that was shown, their changes of state, and the hotspots of each look. I/O."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, and_, case, delete, func, insert, or_, select

from aggregator.model import ALL, Filter, Hotspot, Incident, Stream, Transition
from aggregator.store import outbox
from aggregator.store.schema import hotspots as hotspots_table
from aggregator.store.schema import incident_versions, incidents, ticks
from aggregator.store.schema import transitions as transitions_table
from aggregator.store.select import any_of, upsert

OPEN: Final = ("suspected", "strong", "easing")
LISTS: Final = ("providers", "regions")


def save(connection: Connection, given: Sequence[Incident], transitions: Sequence[Transition]) -> None:
    """Keep the incidents as they are now, each also as the version of its `updated_at`, and add the transitions.

    What a person has withdrawn stays so, also when it was withdrawn while a detection pass was looking. With the
    transitions goes word of them into the outbox: they are told, or nothing of them was stored.
    """
    final = _withdrawn(connection, [incident.incident_id for incident in given])
    rows = [_row_of(incident) for incident in given if incident.incident_id not in final]
    transitions = [transition for transition in transitions if transition.incident_id not in final]
    if rows:
        _replace(connection, incidents, ["incident_id"], rows)
        _replace(connection, incident_versions, ["incident_id", "updated_at"], rows)
    if transitions:
        outbox.put(connection, transitions)
        connection.execute(insert(transitions_table), [_values(transition) for transition in transitions])


def _withdrawn(connection: Connection, ids: Sequence[str]) -> set[str]:
    """Return which of `ids` are withdrawn; their rows wait for us, or we for them, until the transaction ends."""
    if not ids:
        return set()
    query = select(incidents.c.incident_id, incidents.c.state).where(incidents.c.incident_id.in_(ids))
    return {row.incident_id for row in connection.execute(query.with_for_update()) if row.state == "withdrawn"}


def _replace(connection: Connection, table: Table, key: list[str], rows: list[dict[str, Any]]) -> None:
    new = upsert(connection, table)
    rest = {c.name: new.excluded[c.name] for c in table.c if c.name not in key}
    connection.execute(new.on_conflict_do_update(index_elements=key, set_=rest), rows)


def _values(item: Incident | Transition) -> dict[str, Any]:
    return {field.name: getattr(item, field.name) for field in fields(item)}


def _row_of(incident: Incident) -> dict[str, Any]:
    values = _values(incident)
    return {**values, **{name: json.dumps(list(values[name])) for name in LISTS}}


def _incident(row: Row[Any]) -> Incident:
    values = dict(row._mapping)
    return Incident(**{**values, **{name: tuple(json.loads(values[name])) for name in LISTS}})


def find(connection: Connection, f: Filter, *, open_only: bool = False, limit: int | None = None) -> list[Incident]:
    """Return the incidents that fit `f`, the latest onset first.

    since, until: the time from onset to end touches [since, until). region: a district of its footprint or a Land that
    has one; a national incident has no districts and does not fit any region. service and provider: of its stream, or
    one of `providers`. as_of: each as it was shown then. open_only: neither over nor withdrawn.
    """
    query, table = _known(f.as_of)
    query = query.where(*_conditions(table, f)).order_by(table.c.onset.desc(), table.c.incident_id)
    if open_only:
        query = query.where(table.c.state.in_(OPEN))
    if limit is not None:
        query = query.limit(limit)
    return [_incident(row) for row in connection.execute(query)]


def _known(as_of: datetime | None) -> tuple[Select[Any], Table]:
    """Return the query for the incidents as they stood at `as_of` (None: now) and the table that it reads."""
    if as_of is None:
        return select(*incidents.c), incidents
    c = incident_versions.c
    newest = (
        select(c.incident_id, func.max(c.updated_at).label("updated_at"))
        .where(c.updated_at <= as_of)
        .group_by(c.incident_id)
        .subquery()
    )
    same = and_(c.incident_id == newest.c.incident_id, c.updated_at == newest.c.updated_at)
    return select(*c).join_from(incident_versions, newest, same), incident_versions


def _conditions(table: Table, f: Filter) -> list[ColumnElement[bool]]:
    c = table.c
    found: list[ColumnElement[bool]] = []
    if f.provider and f.provider != ALL:
        found.append(or_(c.provider == f.provider, c.providers.contains(f'"{f.provider}"', autoescape=True)))
    if f.service and f.service != ALL:
        found.append(c.service == f.service)
    if f.region:
        closing = "" if len(f.region) == 2 else '"'
        found.append(c.regions.contains(f'"{f.region}{closing}', autoescape=True))
    if f.since is not None:
        found.append(or_(c.ended_at.is_(None), c.ended_at >= f.since))
    if f.until is not None:
        found.append(c.onset < f.until)
    return found


def get(connection: Connection, incident_id: str, as_of: datetime | None = None) -> Incident | None:
    """Return the incident, as it is or as it was shown at `as_of`; None if there is (or was) none of that id."""
    query, table = _known(as_of)
    row = connection.execute(query.where(table.c.incident_id == incident_id)).first()
    return _incident(row) if row else None


def transitions(connection: Connection, incident_id: str, as_of: datetime | None = None) -> list[Transition]:
    """Return the incident's changes, oldest first; as_of: those known by then."""
    c = transitions_table.c
    query = select(*(c[field.name] for field in fields(Transition))).where(c.incident_id == incident_id)
    if as_of is not None:
        query = query.where(c.at <= as_of)
    return [Transition(**row._mapping) for row in connection.execute(query.order_by(c.at, c.id))]


@dataclass(frozen=True, slots=True)
class Turns:
    """When an incident first was strong (None: never), and when it last changed."""

    strong_at: datetime | None = None
    last_at: datetime | None = None


def turns(connection: Connection, ids: Sequence[str]) -> dict[str, Turns]:
    """Return the turns of each incident of `ids`."""
    c = transitions_table.c
    strong = func.min(case((c.state == "strong", c.at)))
    query = select(c.incident_id, strong.label("strong_at"), func.max(c.at).label("last_at"))
    rows = connection.execute(query.where(any_of(connection, c.incident_id, ids)).group_by(c.incident_id))
    found = {row.incident_id: Turns(row.strong_at, row.last_at) for row in rows}
    return {incident_id: found.get(incident_id, Turns()) for incident_id in ids}


def save_hotspots(connection: Connection, at: datetime, found: Sequence[Hotspot]) -> None:
    """Keep what the look of `at` found, best first as given; a second look of the same moment replaces the first."""
    connection.execute(upsert(connection, ticks).on_conflict_do_nothing(), {"at": at})
    connection.execute(delete(hotspots_table).where(hotspots_table.c.at == at))
    rows = [_hotspot_row(at, rank, hotspot) for rank, hotspot in enumerate(found)]
    if rows:
        connection.execute(insert(hotspots_table), rows)


def _hotspot_row(at: datetime, rank: int, hotspot: Hotspot) -> dict[str, Any]:
    return {
        "at": at,
        "rank": rank,
        "provider": hotspot.stream.provider,
        "service": hotspot.stream.service,
        "zone": hotspot.zone,
        "regions": json.dumps(list(hotspot.regions)),
        "start_at": hotspot.start,
        "end_at": hotspot.end,
        "observed": hotspot.observed,
        "expected": hotspot.expected,
        "score": hotspot.score,
        "standard": hotspot.standard,
        "level": hotspot.level,
    }


def last_look(connection: Connection, as_of: datetime | None = None) -> datetime | None:
    """Return when we last looked (at or before `as_of`), None: never."""
    query = select(ticks.c.at).order_by(ticks.c.at.desc()).limit(1)
    return connection.execute(query if as_of is None else query.where(ticks.c.at <= as_of)).scalar()


def hotspots(connection: Connection, as_of: datetime | None = None) -> tuple[datetime | None, list[Hotspot]]:
    """Return when we last looked (at or before `as_of`; None: never) and what that look found, best first."""
    at = last_look(connection, as_of)
    if at is None:
        return None, []
    c = hotspots_table.c
    rows = connection.execute(select(*c).where(c.at == at).order_by(c.rank))
    return at, [_hotspot(row) for row in rows]


def _hotspot(row: Row[Any]) -> Hotspot:
    return Hotspot(
        stream=Stream(row.provider, row.service),
        zone=row.zone,
        regions=tuple(json.loads(row.regions)),
        start=row.start_at,
        end=row.end_at,
        observed=row.observed,
        expected=row.expected,
        score=row.score,
        standard=row.standard,
        level=row.level,
    )
