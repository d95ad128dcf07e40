"""The lists of the API: rows of each, with the columns that they have, and pages of them. I/O."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby, islice
from operator import itemgetter
from typing import Any, Final

from aggregator.balance import rows as record
from aggregator.clock import floor_to
from aggregator.detect.cube import bucket_number
from aggregator.downloads import public
from aggregator.downloads import rows as table_rows
from aggregator.export import Column, Row
from aggregator.export.listed import EVERY
from aggregator.export.table import iso
from aggregator.frames import BUCKET
from aggregator.instance import Instance
from aggregator.model import ALL, Filter
from aggregator.store import incidents, names, reports, runs
from aggregator.web.params import USUAL, Params, bad_cursor

DAY: Final = timedelta(days=1)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
NUMBER: Final = r"\d{1,9}"
Sources = Sequence[str] | None


@dataclass(frozen=True, slots=True)
class Page:
    """Some items of a list, and where the next begin (None: there are no more)."""

    rows: Sequence[Row]
    next: str | None


def by_number(listed: List, instance: Instance, params: Params, sources: Sources) -> Page:
    """Return a page of a list that is short: its cursor says how many items come before."""
    skip, limit = int(params.cursor or 0), params.limit or USUAL
    found = list(islice(listed.rows(instance, params.filter, sources), skip, skip + limit + 1))
    return Page(found[:limit], str(skip + limit) if len(found) > limit else None)


@dataclass(frozen=True, slots=True)
class List:
    """A list of the API: its columns, all its rows, and a page of them."""

    columns: Sequence[Column]
    rows: Callable[[Instance, Filter, Sources], Iterable[Row]]
    paged: Callable[[List, Instance, Params, Sources], Page] = by_number
    cursor: str = NUMBER  # what its cursors look like

    def page(self, instance: Instance, params: Params, sources: Sources) -> Page:
        """Return the page that is asked for; Invalid where its cursor belongs to another list or none."""
        if params.cursor and not re.fullmatch(self.cursor, params.cursor, re.ASCII):
            raise bad_cursor(params.cursor)
        return self.paged(self, instance, params, sources)


def item(row: Row, columns: Sequence[Column]) -> dict[str, Any]:
    """Return the row as JSON has it: times as text with Z, lists as lists."""
    return {column.name: _value(row[column.name]) for column in columns}


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value)
    return list(value) if isinstance(value, tuple) else value


def _page_of_reports(_listed: List, instance: Instance, params: Params, sources: Sources) -> Page:
    """The cursor is the five minutes of the last one and its id: nobody reads a finer time from it.

    In their five minutes reports come by id: so the next page is known also when the last report is gone by then.
    """
    limit, asked = params.limit or USUAL, params.filter
    bucket, last = _bucket_of(params.cursor)
    if bucket is not None:
        asked = replace(asked, since=max(bucket, asked.since) if asked.since else bucket)
    with instance.store.read() as connection:
        found = _by_bucket(reports.rows(connection, asked, sources=sources))
        some = list(islice((row for at, row in found if (at, row["report_id"]) > (bucket or EPOCH, last)), limit + 1))
    shown = [{**public(row), "simulated": instance.clock.simulated} for row in some[:limit]]
    return Page(shown, _cursor(shown[-1]) if len(some) > limit else None)


def _by_bucket(rows: Iterable[Row]) -> Iterator[tuple[datetime, Row]]:
    """Yield each row with its five minutes, in these by id; the rows come in order of time."""
    for bucket, some in groupby(rows, key=lambda row: floor_to(row["observed_at"], BUCKET)):
        for row in sorted(some, key=itemgetter("report_id")):
            yield bucket, row


def _cursor(row: Row) -> str:
    return f"{bucket_number(row['observed_at'])}-{row['report_id']}"


def _bucket_of(cursor: str) -> tuple[datetime | None, str]:
    number, _, last = cursor.partition("-")
    return (EPOCH + int(number) * BUCKET, last) if cursor else (None, "")


def _page_of_incidents(_listed: List, instance: Instance, params: Params, _sources: Sources) -> Page:
    """The cursor is the onset of the last one (seconds) and its id: new incidents come before it and move nothing."""
    found, limit = list(table_rows(instance, "incidents", params.filter)), params.limit or USUAL
    if params.cursor:
        second, _, last = params.cursor.partition("-")
        found = [row for row in found if (-_second(row["onset"]), row["incident_id"]) > (-int(second), last)]
    shown = found[:limit]
    more = f"{_second(shown[-1]['onset'])}-{shown[-1]['incident_id']}" if len(found) > limit else None
    return Page(shown, more)


def _second(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(seconds=1)


def _page_of_cube(_listed: List, instance: Instance, params: Params, _sources: Sources) -> Page:
    """The cursor is a day (UTC, as days since the epoch) and how many of its rows come before."""
    since, skip = _day_of(params.cursor)
    asked, limit = params.filter, params.limit or USUAL
    if since is not None:
        asked = replace(asked, since=max(since, asked.since) if asked.since else since)
    found: list[Row] = []
    place = (since, skip)
    for row, at in _numbered(table_rows(instance, "cube", asked)):
        if since is not None and at[0] == since and at[1] < skip:
            continue
        if len(found) == limit:
            return Page(found, f"{(place[0] - EPOCH).days if place[0] else 0}-{place[1]}")
        found.append(row)
        place = (at[0], at[1] + 1)
    return Page(found, None)


def _numbered(rows: Iterable[Row]) -> Iterator[tuple[Row, tuple[datetime, int]]]:
    """Yield each row with its day and its number in that day; the rows come day by day."""
    day, number = EPOCH, 0
    for row in rows:
        its_day = floor_to(row["bucket"].to_pydatetime(), DAY)
        number = number + 1 if its_day == day else 0
        day = its_day
        yield row, (day, number)


def _day_of(cursor: str) -> tuple[datetime | None, int]:
    day, _, number = cursor.partition("-")
    return (EPOCH + int(day) * DAY, int(number)) if cursor else (None, 0)


def _hotspots(instance: Instance, f: Filter, _sources: Sources) -> Iterator[Row]:
    with instance.store.read() as connection:
        at, found = incidents.hotspots(connection, f.as_of or instance.clock.now())
    for hotspot in found:
        stream = hotspot.stream
        row = {**_fields(hotspot), "at": at, "provider": stream.provider, "service": stream.service}
        if _fits(row, f):
            zone_name = instance.catalogue.region_name(hotspot.zone)
            yield {**row, "zone_name": zone_name, "simulated": instance.clock.simulated}


def _fields(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__slots__}


def _fits(row: Row, f: Filter) -> bool:
    return (
        (f.provider in {"", ALL, row["provider"]})
        and (f.service in {"", ALL, row["service"]})
        and (not f.region or any(region.startswith(f.region) for region in row["regions"]))
        and (f.since is None or row["end"] > f.since)
        and (f.until is None or row["start"] < f.until)
    )


def _providers(instance: Instance, f: Filter, _sources: Sources) -> Iterator[Row]:
    with instance.store.read() as connection:
        others = names.all(connection)
    known = dict(instance.catalogue.providers)
    listed = [*known.values(), *(replace(instance.catalogue.provider(i), name=n) for i, n in others.items())]
    for provider in listed:
        if f.provider in {"", ALL, provider.id} and (f.service in {"", ALL} or f.service in provider.services):
            asns = tuple(map(str, provider.asns))
            yield {**asdict(provider), "asns": asns, "simulated": instance.clock.simulated}


def _services(instance: Instance, f: Filter, _sources: Sources) -> Iterator[Row]:
    for service in instance.catalogue.services.values():
        if f.service in {"", ALL, service.id}:
            row = {"id": service.id, "name_de": service.name_de, "name_en": service.name_en}
            yield {**row, "symptoms": tuple(service.symptoms), "simulated": instance.clock.simulated}


def _regions(instance: Instance, f: Filter, _sources: Sources) -> Iterator[Row]:
    for region in (*instance.catalogue.laender.values(), *instance.catalogue.regions.values()):
        if region.id.startswith(f.region):
            yield {**asdict(region), "region": region.id, "simulated": instance.clock.simulated}


def _feeds(instance: Instance, _f: Filter, _sources: Sources) -> Iterator[Row]:
    with instance.store.read() as connection:
        latest, last_ok = runs.latest(connection), runs.last_ok(connection)
    for source, run in latest.items():
        rejected = sum(run.rejected.values())
        row = {**_fields(run), "rejected": rejected, "last_ok": last_ok.get(source)}
        yield {**row, "simulated": instance.clock.simulated}


def _record(instance: Instance, f: Filter, _sources: Sources) -> Iterator[Row]:
    for row in record(instance, f):
        yield {**row, "simulated": instance.clock.simulated}


def _of_table(table: str) -> Callable[[Instance, Filter, Sources], Iterable[Row]]:
    return lambda instance, f, _sources: table_rows(instance, table, f)


LISTS: Final[Mapping[str, List]] = {
    "incidents": List(EVERY["incidents"], _of_table("incidents"), _page_of_incidents, r"\d{1,11}-[a-z0-9_.-]{1,120}"),
    "hotspots": List(EVERY["hotspots"], _hotspots),
    "reports": List(EVERY["reports"], _of_table("reports"), _page_of_reports, r"\d{1,8}-[A-Za-z0-9_.-]{1,64}"),
    "cube": List(EVERY["cube"], _of_table("cube"), _page_of_cube, r"\d{1,5}-\d{1,9}"),
    "statements": List(EVERY["statements"], _of_table("statements")),
    "providers": List(EVERY["providers"], _providers),
    "services": List(EVERY["services"], _services),
    "regions": List(EVERY["regions"], _regions),
    "feeds": List(EVERY["feeds"], _feeds),
    "record": List(EVERY["record"], _record),
}
