"""A list of stoerungsauskunft.de: `usernotification` -> raw reports, `outages` -> statements of the operators. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from aggregator.clock import BERLIN
from aggregator.model import ALL, RawReport, Rejected, Statement
from ingest.parsers import read
from ingest.parsers.base import Feed, Hints, Parsed, collect

DATE: Final = "%m/%d/%Y %H:%M:%S"  # month first, German local time, no zone
PLANNED: Final = "2"
SERVICES: Final[Mapping[str, str]] = {"1": "power", "10": "other"}  # type -> ours; 10 is street lamps
Pair = tuple[str, str]


def parse(payload: bytes, feed: Feed, _hints: Hints) -> Parsed:
    """Read the list; `kind` of the feed says which of the two it is. Raises FeedChanged where the form is another."""
    items = read.list_at(read.json_of(payload, feed.encoding), feed.records)
    read.expect(items, "when it began", "dateStart")
    read.expect(items, "its number", "id")
    read_one = _statement if feed.kind == "statements" else _report
    return collect(items, lambda item, where: read_one(item, feed, where))


def _report(item: Mapping[str, Any], feed: Feed, where: str) -> RawReport | Rejected:
    """Read what one person reported. Its dateEnd is when the site forgets it (a month on), not an end."""
    kind, start = read.text(item.get("type")), _time(item.get("dateStart"), feed)
    if kind == PLANNED:
        return _planned(where)
    if start is None:
        return _bad_time(item, where)
    lon, lat = _coordinates(item.get("coordinates"))
    return RawReport(
        source=feed.name,
        provider=read.text(item.get("operatorName")) or feed.provider,
        service=feed.services.get(kind) or feed.service or SERVICES.get(kind, "power"),
        symptom=feed.symptom,
        key=read.text(item.get("id")),
        observed_at=start,
        ended_at=_end(item, start, feed) if item.get("isFixed") is True else None,
        plz=read.postcode(item.get("postalCode")),
        place=read.text(item.get("city")),
        lat=read.number(lat),
        lon=read.number(lon),
        comment=read.text(item.get("liveInfo")),
        open_provider=feed.open_providers,
        where=where,
    )


def _end(item: Mapping[str, Any], start: datetime, feed: Feed) -> datetime:
    """Return when a fixed fault was told to be so: its last update, which clocks let lie a little before its start."""
    return max(start, _time(item.get("lastUpdate"), feed) or start)


def _statement(item: Mapping[str, Any], feed: Feed, where: str) -> Statement | Rejected:
    """Read what an operator says of its own network. One that says something else later is a statement of its own."""
    kind, start = read.text(item.get("type")), _time(item.get("dateStart"), feed)
    if kind == PLANNED:
        return _planned(where)
    if start is None:
        return _bad_time(item, where)
    provider = read.text(item.get("operatorName")) or feed.provider
    if not provider:
        return Rejected("missing_field", "The outage names no operator.", "operatorName", where)
    end = _time(item.get("dateEnd"), feed)
    expected = end if end and end > start else None  # some end before they begin: then nothing is said of an end
    fixed = item.get("isFixed") is True
    quote = _quote(item, start, expected, fixed=fixed)
    return Statement(
        statement_id=read.digest("statement", feed.name, provider, start.isoformat(), quote),
        provider=provider,
        service=feed.services.get(kind) or feed.service or SERVICES.get(kind, ALL),
        said_at=max(start, _time(item.get("lastUpdate"), feed) or start),
        quote=quote,
        stance="resolved" if fixed else "acknowledged",
        channel=feed.channel or "official",
        source=feed.name,
        link=read.link(item.get("link")),
        own_words=True,
        expected_end=None if fixed else expected,
    )


def _quote(item: Mapping[str, Any], start: datetime, end: datetime | None, *, fixed: bool) -> str:
    """Retell the record in a sentence; only `liveInfo` is the operator's wording."""
    place = " ".join(filter(None, (read.postcode(item.get("postalCode")), read.text(item.get("city")))))
    said = f"{place or 'Ohne Ortsangabe'}: Störung seit {_shown(start)}"
    said += ", behoben" if fixed else f", voraussichtlich bis {_shown(end)}" if end else ""
    live = read.text(item.get("liveInfo"))
    return f"{said}. „{live}“" if live else f"{said}."


def _shown(moment: datetime) -> str:
    return moment.astimezone(BERLIN).strftime("%d.%m.%Y %H:%M Uhr")


def _time(value: Any, feed: Feed) -> datetime | None:
    return read.aware(value, DATE if feed.date_format == "iso" else feed.date_format, feed.tz)


def _coordinates(value: Any) -> Pair:
    """Return lon and lat of "lon,lat" or, from citizens, "lon;lat"; of anything else it whole, to be rejected."""
    said = read.text(value)
    if not said:
        return "", ""
    parts = [part.strip() for part in said.replace(";", ",").split(",")]
    return (parts[0], parts[1]) if len(parts) == 2 else (said, said)


def _planned(where: str) -> Rejected:
    return Rejected("planned_work", "It is planned work, announced before: no fault.", "type", where)


def _bad_time(item: Mapping[str, Any], where: str) -> Rejected:
    said = read.text(item.get("dateStart"))[:40]
    return Rejected(
        "bad_time", f'dateStart "{said}" is not a time of the form MM/DD/YYYY HH:MM:SS.', "dateStart", where
    )
