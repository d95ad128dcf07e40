"""IODA v2 `outages/events` or `outages/alerts` -> signals: drops in what its probes can reach. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from aggregator.errors import FeedChanged
from aggregator.model import Rejected, Signal
from ingest.parsers import read
from ingest.parsers.base import Feed, Hints, Parsed, collect

HOME: Final = "DE"
RECENT: Final = timedelta(minutes=30)  # an event that reached so near to the end of what was asked for goes on
LINK: Final = "https://ioda.inetintel.cc.gatech.edu/"


def parse(payload: bytes, feed: Feed, hints: Hints) -> Parsed:
    """Read events (with a duration) or alerts (a level at a time). Raises FeedChanged where the form is another.

    The region of a signal is a name, its provider "AS" and a number: the store's ids are found later. hints: names of
    the regions' codes, and up to when was asked for.
    """
    document = read.json_of(payload, feed.encoding)
    said = document.get("error") if isinstance(document, Mapping) else None
    if said:  # also with status 200
        raise FeedChanged(f'The answer is an error message: "{read.text(said)[:120]}".')
    items = read.list_at(document, "data")
    if any(isinstance(item, Mapping) and "entity" in item for item in items):
        read.expect(items, "the time of an alert", "time")
        return _joined(collect(items, lambda item, where: _alert(item, feed, hints, where)))
    read.expect(items, "when it began", "start")
    read.expect(items, "how long it lasted", "duration")
    return collect(items, lambda item, where: _event(item, feed, hints, where))


def _event(item: Mapping[str, Any], feed: Feed, hints: Hints, where: str) -> Signal | Rejected:
    kind, _, code = read.text(item.get("location")).partition("/")
    start, seconds = read.epoch(item.get("start")), read.number(item.get("duration"))
    if start is None or not isinstance(seconds, float) or not 0 <= seconds < 10**9:
        return Rejected("bad_time", "start and duration are not seconds since the epoch.", "start", where)
    end: datetime | None = start + timedelta(seconds=int(seconds))
    if end and hints.until and end >= hints.until - RECENT:
        end = None
    return _signal(item, feed, _Where(kind, code, _name(item.get("location_name"), code, hints)), (start, end), where)


def _alert(item: Mapping[str, Any], feed: Feed, hints: Hints, where: str) -> Signal | Rejected:
    at, entity = read.epoch(item.get("time")), item.get("entity")
    if at is None:
        return Rejected("bad_time", "time is not seconds since the epoch.", "time", where)
    if not isinstance(entity, Mapping):
        return Rejected("missing_field", "The alert names no entity.", "entity", where)
    kind, code = read.text(entity.get("type")), read.text(entity.get("code"))
    return _signal(item, feed, _Where(kind, code, _name(entity.get("name"), code, hints)), (at, None), where)


class _Where(NamedTuple):
    """What was measured."""

    kind: str
    code: str
    name: str


def _name(said: Any, code: str, hints: Hints) -> str:
    return read.text(said) or hints.places.get(code, "")


def _signal(
    item: Mapping[str, Any], feed: Feed, place: _Where, span: tuple[datetime, datetime | None], where: str
) -> Signal | Rejected:
    kind, code, name = place
    if kind not in {"region", "asn", "country"} or not code:
        return Rejected(
            "unknown_place", f'"{kind[:20]}/{code[:20]}" is no region, network or country.', "location", where
        )
    if kind == "country" and code != HOME:
        return Rejected("outside", f"Country {code[:20]} is not Germany.", "location", where)
    if kind == "region" and not name:
        return Rejected("unknown_place", f"Region {code[:20]} has no name.", "location", where)
    source, score = read.text(item.get("datasource")), read.number(item.get("score"))
    return Signal(
        signal_id=read.digest("signal", feed.name, source, kind, code, span[0].isoformat()),
        source=feed.name,
        region=name if kind == "region" else "",
        started_at=span[0],
        ended_at=span[1],
        what="drop",
        link=f"{LINK}{kind}/{code}",
        details={name: read.text(item.get(name)) for name in ("datasource", "level", "condition") if item.get(name)},
        provider=f"AS{code}" if kind == "asn" else "",
        value=score if isinstance(score, float) else None,
    )


def _joined(parsed: Parsed) -> Parsed:
    """Make drops of alerts: the first that is not normal opens one, the next normal one of the same kind ends it."""
    opened: dict[tuple[str, str], Signal] = {}
    drops: list[Signal] = []
    for alert in sorted(parsed.signals, key=lambda signal: signal.started_at):
        key = (alert.link, str(alert.details.get("datasource", "")))
        if alert.details.get("level") != "normal":
            opened.setdefault(key, alert)
        elif key in opened:
            drops.append(replace(opened.pop(key), ended_at=alert.started_at))
    return Parsed(rejected=parsed.rejected, signals=[*drops, *opened.values()])
