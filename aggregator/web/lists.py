"""The lists of the API: rows of each, with the columns that they have, and pages of them. I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final

from aggregator.balance import rows as record
from aggregator.clock import floor_to
from aggregator.detect.cube import bucket_number
from aggregator.downloads import public
from aggregator.downloads import rows as table_rows
from aggregator.export import TABLES, Column, Row
from aggregator.export.columns import PROVIDER, RECORD, REGION, SERVICE, SIMULATED
from aggregator.export.table import iso
from aggregator.frames import BUCKET
from aggregator.instance import Instance
from aggregator.model import ALL, Filter
from aggregator.store import incidents, names, reports, runs
from aggregator.web.params import USUAL, Params, bad_cursor

DAY: Final = timedelta(days=1)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
Sources = Sequence[str] | None


def _text(name: str, de: str, en: str) -> Column:
    return Column(name, "text", de, en)


PROVIDERS: Final = (
    _text("id", "Kennung", "id"),
    _text("name", "Name", "name"),
    Column("services", "list", "Dienste, die er anbietet", "services that it sells"),
    Column("footprint", "list", "Anfänge der AGS, wo er anbietet; leer: überall", "where it sells (AGS); empty: all"),
    Column("asns", "list", "Autonome Systeme", "autonomous systems"),
    _text("website", "Website", "website"),
    _text("fault_line", "Störungsnummer", "fault line"),
    _text("press_contact", "Pressestelle", "press contact"),
    Column("listed", "truth", "Wahr: im Verzeichnis", "true: in the catalogue"),
    Column("fictitious", "truth", "Wahr: erfunden", "true: invented"),
    SIMULATED,
)
SERVICES: Final = (
    _text("id", "Kennung", "id"),
    _text("name_de", "Name", "German name"),
    _text("name_en", "Name (englisch)", "English name"),
    Column("symptoms", "list", "Kennungen der Symptome", "ids of the symptoms"),
    SIMULATED,
)
REGIONS: Final = (
    _text("region", "AGS: Kreis fünf Stellen, Land zwei", "AGS: district five digits, Land two"),
    _text("name", "Name", "name"),
    _text("parent", "Land; leer: ist selbst eines", "Land; empty: is one itself"),
    Column("lat", "number", "Geografische Breite der Mitte", "latitude of its middle"),
    Column("lon", "number", "Geografische Länge der Mitte", "longitude of its middle"),
    Column("population", "integer", "Einwohner", "population"),
    SIMULATED,
)
FEEDS: Final = (
    _text("source", "Quelle", "source"),
    _text("kind", "Art", "kind"),
    _text("outcome", "Ergebnis des letzten Abrufs", "outcome of the last run"),
    Column("started_at", "time", "Beginn des letzten Abrufs (UTC)", "start of the last run (UTC)"),
    Column("finished_at", "time", "Ende des letzten Abrufs (UTC)", "end of the last run (UTC)"),
    Column("last_ok", "time", "Zuletzt gehört (UTC)", "last heard (UTC)"),
    Column("listened_until", "time", "Gehört bis (UTC)", "listened until (UTC)"),
    Column("fetched", "integer", "Geholt", "fetched"),
    Column("kept", "integer", "Behalten", "kept"),
    Column("duplicate", "integer", "Schon bekannt", "known already"),
    Column("rejected", "integer", "Abgelehnt", "rejected"),
    SIMULATED,
)
HOTSPOTS: Final = (
    Column("at", "time", "Zeit der Auswertung (UTC)", "time of the look (UTC)"),
    PROVIDER,
    SERVICE,
    replace(REGION, name="zone"),
    _text("zone_name", "Name", "name"),
    Column("regions", "list", "Kreise (AGS); leer: bundesweit", "districts (AGS); empty: national"),
    Column("start", "time", "Beginn (UTC)", "start (UTC)"),
    Column("end", "time", "Ende (UTC)", "end (UTC)"),
    Column("observed", "integer", "Meldungen", "reports"),
    Column("expected", "number", "Übliche Meldungen", "reports usual in that time"),
    Column("score", "number", "Wertung", "score"),
    SIMULATED,
)


@dataclass(frozen=True, slots=True)
class Page:
    """Some items of a list, and where the next begin (None: there are no more)."""

    rows: Sequence[Row]
    next: str | None


@dataclass(frozen=True, slots=True)
class List:
    """A list of the API: its columns, all its rows, and a page of them."""

    columns: Sequence[Column]
    rows: Callable[[Instance, Filter, Sources], Iterable[Row]]
    page: Callable[[List, Instance, Params, Sources], Page]


def item(row: Row, columns: Sequence[Column]) -> dict[str, Any]:
    """Return the row as JSON has it: times as text with Z, lists as lists."""
    return {column.name: _value(row[column.name]) for column in columns}


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value)
    return list(value) if isinstance(value, tuple) else value


def by_number(listed: List, instance: Instance, params: Params, sources: Sources) -> Page:
    """Return a page of a list that is short: its cursor says how many items come before."""
    skip, limit = _whole(params.cursor), params.limit or USUAL
    found = list(islice(listed.rows(instance, params.filter, sources), skip, skip + limit + 1))
    return Page(found[:limit], str(skip + limit) if len(found) > limit else None)


def _whole(cursor: str) -> int:
    if not cursor:
        return 0
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 10):
        raise bad_cursor(cursor)
    return int(cursor)


def _page_of_reports(_listed: List, instance: Instance, params: Params, sources: Sources) -> Page:
    """The cursor is the five minutes of the last one and its id: nobody reads a finer time from it."""
    limit, asked = params.limit or USUAL, params.filter
    bucket, last = _bucket_of(params.cursor)
    if bucket is not None:
        asked = replace(asked, since=max(bucket, asked.since) if asked.since else bucket)
    with instance.store.read() as connection:
        found = reports.rows(connection, asked, sources=sources)
        if bucket is not None:
            _pass(found, bucket, last, params.cursor)
        some = list(islice(found, limit + 1))
    shown = [{**public(row), "simulated": instance.clock.simulated} for row in some[:limit]]
    return Page(shown, _cursor(shown[-1]) if len(some) > limit else None)


def _cursor(row: Row) -> str:
    return f"{bucket_number(row['observed_at'])}-{row['report_id']}"


def _bucket_of(cursor: str) -> tuple[datetime | None, str]:
    if not cursor:
        return None, ""
    number, _, last = cursor.partition("-")
    if not last or not number.isascii() or not number.isdigit() or len(number) > 8:
        raise bad_cursor(cursor)
    return EPOCH + int(number) * BUCKET, last


def _pass(rows: Iterator[Row], bucket: datetime, last: str, cursor: str) -> None:
    """Go on in `rows` until after the report `last`, which lies in `bucket`."""
    for row in rows:
        if row["observed_at"] >= bucket + BUCKET:
            break
        if row["report_id"] == last:
            return
    raise bad_cursor(cursor)


def _page_of_incidents(_listed: List, instance: Instance, params: Params, _sources: Sources) -> Page:
    """The cursor is the id of the last one: new incidents come before it and move nothing."""
    found = list(table_rows(instance, "incidents", params.filter))
    start = 0
    if params.cursor:
        ids = [row["incident_id"] for row in found]
        if params.cursor not in ids:
            raise bad_cursor(params.cursor)
        start = ids.index(params.cursor) + 1
    end = start + (params.limit or USUAL)
    return Page(found[start:end], found[end - 1]["incident_id"] if end < len(found) else None)


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
    if not cursor:
        return None, 0
    day, _, number = cursor.partition("-")
    if not all(part.isascii() and part.isdigit() and len(part) < 10 for part in (day, number)) or int(day) > 100_000:
        raise bad_cursor(cursor)
    return EPOCH + int(day) * DAY, int(number)


def _hotspots(instance: Instance, f: Filter, _sources: Sources) -> Iterator[Row]:
    with instance.store.read() as connection:
        at, found = incidents.hotspots(connection, f.as_of)
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
    "incidents": List(TABLES["incidents"], _of_table("incidents"), _page_of_incidents),
    "hotspots": List(HOTSPOTS, _hotspots, by_number),
    "reports": List(TABLES["reports"], _of_table("reports"), _page_of_reports),
    "cube": List(TABLES["cube"], _of_table("cube"), _page_of_cube),
    "statements": List(TABLES["statements"], _of_table("statements"), by_number),
    "providers": List(PROVIDERS, _providers, by_number),
    "services": List(SERVICES, _services, by_number),
    "regions": List(REGIONS, _regions, by_number),
    "feeds": List(FEEDS, _feeds, by_number),
    "record": List(RECORD, _record, by_number),
}
