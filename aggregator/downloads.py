"""The tables that leave the house: store -> rows -> pieces of a file, for the command and the site alike. I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, cast

import pandas as pd

from aggregator.clock import floor_to
from aggregator.detect.baseline import MODEL
from aggregator.detect.coverage import BLIND_BELOW, cover
from aggregator.detect.cube import bucket_number
from aggregator.detect.usual import expect, read_baseline
from aggregator.export import FORMATS, TABLES, Column, Row
from aggregator.export.columns import REGION_NAME
from aggregator.export.reportcsv import write_reports
from aggregator.export.table import iso
from aggregator.frames import BUCKET
from aggregator.instance import Instance
from aggregator.model import Filter, Incident
from aggregator.record import Correction
from aggregator.store import Connection, baselines, corrections, cube, incidents, outgoing, reports, statements
from aggregator.store import sources as stored

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
DAY: Final = timedelta(days=1)
NO_MODEL: Final = {"expected": None, "variance": None, "model": ""}
REPORT_TIMES: Final = ("observed_at", "began_at", "ended_at", "received_at")
Rows = Iterator[dict[str, Any]]
Sources = Sequence[str] | None  # None: all


def download(instance: Instance, table: str, kind: str, f: Filter) -> Iterator[bytes]:
    """Yield the file of `table` (a key of export.TABLES) in the format `kind` (of export.FORMATS), filtered by `f`.

    Of reports and counts only what their sources let us give on. Raises StoreError while it is read.
    """
    if (table, kind) == ("reports", "csv") and outgoing.suits(instance.store):
        return _reports_at_once(instance, f)
    columns, found = TABLES[table], rows(instance, table, f)
    if kind == "excel":
        columns, found = with_names(columns), _named(instance, found)
    return FORMATS[kind].write(found, columns)


def _reports_at_once(instance: Instance, f: Filter) -> Iterator[bytes]:
    """Yield the same file as from `rows`, without a dict and a datetime for each of a million reports."""
    with instance.store.read() as connection:
        sources = stored.given_on(connection, "reports") or ()
    pages = ((page.reports, page.ended) for page in outgoing.pages(instance.store, f))
    return write_reports(pages, sources=sources, simulated=instance.clock.simulated)


def with_names(columns: Sequence[Column]) -> tuple[Column, ...]:
    """Return the columns for a spreadsheet: beside each district its name, for 02000 becomes the number 2000 there."""
    return tuple(one for column in columns for one in ((column, REGION_NAME) if column.name == "region" else (column,)))


def _named(instance: Instance, found: Iterable[Row]) -> Iterator[Row]:
    names = {region.id: region.name for region in instance.catalogue.regions.values()}
    return ({**row, "region_name": names.get(row.get("region", ""), "")} for row in found)


def rows(instance: Instance, table: str, f: Filter) -> Iterator[Row]:
    """Yield the rows of `table` with `simulated` and, where it has a place, the points at which it is drawn."""
    simulated = instance.clock.simulated
    with instance.store.read() as connection:
        sources = stored.given_on(connection, table)
    return ({**row, "simulated": simulated} for row in READERS[table](instance, f, sources))


def _reports(instance: Instance, f: Filter, sources: Sources) -> Rows:
    for row in reports.stream(instance.store, f, sources=sources):
        yield {**public(row), "points": _middles(instance, (row["region"],))}


def public(row: Mapping[Any, Any]) -> dict[str, Any]:
    """Return a report as anyone may see it: its times to five minutes, its place no finer than the district."""
    times = {name: row[name] and floor_to(row[name], BUCKET) for name in REPORT_TIMES}
    return {column.name: row[column.name] for column in TABLES["reports"] if column.name in row} | times


def _incidents(instance: Instance, f: Filter, _sources: Sources) -> Rows:
    with instance.store.read() as connection:
        found = incidents.find(connection, f)
        corrected = corrections.find(connection, [incident.incident_id for incident in found], f.as_of)
    for incident in found:
        with instance.store.read() as connection:
            told_by = sources_of(connection, incident, f.as_of)
        told = corrected_in_words(corrected.get(incident.incident_id, ()))
        points = _middles(instance, incident.regions)
        yield {**asdict(incident), "sources": told_by, "corrections": told, "points": points}


def sources_of(connection: Connection, incident: Incident, as_of: datetime | None) -> tuple[str, ...]:
    """Return the sources of the reports on an incident's provider and service while it went on, the most first."""
    f = Filter(incident.provider, incident.service, since=incident.onset, until=incident.ended_at, as_of=as_of)
    counts = cube.totals(connection, f).groupby("source")["count"].sum()
    return tuple(counts.sort_values(ascending=False, kind="stable").index)


def corrected_in_words(given: Iterable[Correction]) -> tuple[str, ...]:
    """Return corrections as a cell holds them: time, kind and text of each."""
    return tuple(f"{iso(one.at)} {one.kind}: {one.text}" for one in given)


def _statements(instance: Instance, f: Filter, _sources: Sources) -> Rows:
    with instance.store.read() as connection:
        found = statements.find(connection, f)
        gone = statements.find(connection, f, taken_back=True)
        why = statements.retractions(connection, f.as_of)
    for said in sorted((*found, *gone), key=lambda one: (one.said_at, one.statement_id)):
        back = why.get(said.statement_id)
        yield {**asdict(said), "taken_back": f"{iso(back.at)}: {back.text}" if back else ""}


def _cube(instance: Instance, f: Filter, sources: Sources) -> Rows:
    """Yield the counts day by day, each day's followed by its blind buckets, a row a provider, without a count."""
    nothing = {"service": "", "region": "", "source": "", "count": None, **NO_MODEL}
    for day, usual in _days(instance, f):
        with instance.store.read() as connection:
            shares = _shares(connection, usual, day)
            counts = cube.frame(connection, day, sources=sources)
            kept = baselines.load(connection, day.since or EPOCH)
        blind = shares[shares["blind"]][["provider", "bucket", "blind"]]
        counts = counts.merge(shares[["provider", "bucket", "share", "blind"]], on=["provider", "bucket"], how="left")
        counts["blind"] = counts["blind"].astype("boolean").fillna(False).astype(bool)
        for row in _records(_with_model(counts, kept, day)):
            yield {**row, "points": _middles(instance, (row["region"],))}
        yield from ({**row, **nothing} for row in _records(blind))


def _coverage(instance: Instance, f: Filter, _sources: Sources) -> Rows:
    for day, usual in _days(instance, f):
        with instance.store.read() as connection:
            shares = _shares(connection, usual, day)
        yield from _records(shares)


def _with_model(counts: pd.DataFrame, kept: tuple[date, bytes] | None, day: Filter) -> pd.DataFrame:
    """Add expected, variance and model by the baseline made for that day; None without one, and in blind rows."""
    made = read_baseline(kept[1]) if kept and day.since and kept[0] == day.since.astimezone(UTC).date() else None
    if made is None:
        return counts.assign(**NO_MODEL)
    found = expect(counts, made, counts["share"].fillna(1.0).to_numpy("float64"))
    known = {name: found[name].astype(object).where(~counts["blind"], None) for name in ("expected", "variance")}
    return counts.assign(**known, model=MODEL)


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", frame.to_dict("records"))


def _days(instance: Instance, f: Filter) -> Iterator[tuple[Filter, pd.DataFrame]]:
    """Yield each day (UTC) of which anything is known as a filter, with what sources usually bring of each provider.

    Each is read in a short transaction of its own.
    """
    with instance.store.read() as connection:
        usual = cube.totals(connection, Filter(provider=f.provider, as_of=f.as_of))
        span = cube.span(connection)
    if span is None or usual.empty:
        return
    start = floor_to(max(span[0], f.since or span[0]) + BUCKET - timedelta.resolution, BUCKET)
    last = min(span[1] + BUCKET, *(moment for moment in (f.until, f.as_of) if moment), span[1] + BUCKET)
    while start < last:
        end = min(floor_to(start, DAY) + DAY, last)
        yield replace(f, since=start, until=end), usual
        start = end


def _shares(connection: Connection, usual: pd.DataFrame, day: Filter) -> pd.DataFrame:
    """Return COVERAGE of the day, with the column blind."""
    start, end = day.since or EPOCH, day.until or EPOCH
    listening = cube.listening(connection, start, end, day.as_of)
    last = bucket_number(end - timedelta.resolution) + 1
    found = cover(listening, usual, bucket_number(start), last, covers=stored.covers(connection)).frame()
    found["blind"] = found["share"] < BLIND_BELOW
    return found.sort_values(["bucket", "provider"], ignore_index=True)


def _middles(instance: Instance, ids: Sequence[str]) -> list[tuple[float, float]]:
    regions = instance.catalogue.regions
    return [(regions[region].lon, regions[region].lat) for region in ids if region in regions]


READERS: Final[Mapping[str, Callable[[Instance, Filter, Sources], Rows]]] = {
    "reports": _reports,
    "cube": _cube,
    "coverage": _coverage,
    "incidents": _incidents,
    "statements": _statements,
}
