"""A scenario file -> what is to happen: volumes, faults, floods, statements. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from aggregator.clock import BERLIN
from aggregator.errors import DataError
from ingest.parsers.read import span


@dataclass(frozen=True, slots=True)
class Fault:
    """Additional reports of one provider's service in one place. Times aware UTC, lengths in seconds."""

    provider: str
    service: str
    region: str  # AGS5, or "de"
    per_hour: float
    start: datetime
    end: datetime
    ramp: float
    fade: float


@dataclass(frozen=True, slots=True)
class Flood:
    """Many reports from one reporter."""

    provider: str
    service: str
    plz: str
    place: str
    per_hour: float
    start: datetime
    end: datetime
    reporter: str
    address: str
    text: str


@dataclass(frozen=True, slots=True)
class Said:
    """A statement, in our own words."""

    at: datetime
    provider: str
    service: str
    channel: str
    stance: str
    text: str
    assumed: bool


@dataclass(frozen=True, slots=True)
class Leg:
    """A stretch of the past to catch up with, in steps."""

    until: datetime
    step: timedelta
    refresh: bool


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario file, read: who sends how much when, and what goes wrong."""

    title: str
    seed: int
    start: datetime
    show: datetime
    clumps: float
    affinity: float
    ip_share: float
    second_feed: float
    volumes: Mapping[str, float]
    services: Mapping[str, float]
    weekday: tuple[float, ...]
    weekend: tuple[float, ...]
    catch_up: tuple[Leg, ...]
    faults: tuple[Fault, ...]
    floods: tuple[Flood, ...]
    statements: tuple[Said, ...]
    earlier: str = ""  # the file, beside this one, of what happened before it


def read_scenario(text: str, name: str) -> Scenario:
    """Read the text of a scenario file. Raises DataError with the file's name and what is wrong."""
    try:
        return _scenario(tomllib.loads(text))
    except KeyError as error:
        raise DataError(f"Scenario {name}: {error.args[0]} is missing; add it.") from None
    except (tomllib.TOMLDecodeError, ValueError, TypeError, AttributeError) as error:
        raise DataError(f"Scenario {name} cannot be used: {error}.") from None


def _scenario(d: Mapping[str, Any]) -> Scenario:
    hours = d["hours"]
    if len(hours["weekday"]) != 24 or len(hours["weekend"]) != 24:
        raise ValueError("hours.weekday and hours.weekend need 24 numbers each")
    return Scenario(
        title=d["title"],
        seed=int(d["seed"]),
        start=_at(d["start"]),
        show=_at(d["show"]),
        clumps=float(d["clumps"]),
        affinity=float(d["affinity"]),
        ip_share=float(d["ip_share"]),
        second_feed=float(d["second_feed"]),
        volumes={name: float(number) for name, number in d["volumes"].items()},
        services={name: float(number) for name, number in d["services"].items()},
        weekday=tuple(map(float, hours["weekday"])),
        weekend=tuple(map(float, hours["weekend"])),
        catch_up=tuple(Leg(_at(leg["until"]), span(leg["step"]), bool(leg["refresh"])) for leg in d["catch_up"]),
        faults=tuple(fault for stanza in d.get("fault", []) for fault in _faults(stanza)),
        floods=tuple(_flood(stanza) for stanza in d.get("flood", [])),
        statements=tuple(_said(stanza) for stanza in d.get("statement", [])),
        earlier=str(d.get("earlier", "")),
    )


def _at(value: Any) -> datetime:
    if not isinstance(value, datetime):
        raise ValueError(f"{value!r} is not a time such as 2017-05-13T09:40:00")
    return (value if value.tzinfo else value.replace(tzinfo=BERLIN)).astimezone(UTC)


def _faults(d: Mapping[str, Any]) -> list[Fault]:
    start, end = _at(d["start"]), _at(d["end"])
    ramp, fade = span(d["ramp"]).total_seconds(), span(d["fade"]).total_seconds()
    return [
        Fault(d["provider"], d["service"], place["region"], float(place["per_hour"]), start, end, ramp, fade)
        for place in d["places"]
    ]


def _flood(d: Mapping[str, Any]) -> Flood:
    who = (d["provider"], d["service"], d["plz"], d["place"])
    return Flood(*who, float(d["per_hour"]), _at(d["start"]), _at(d["end"]), d["reporter"], d["address"], d["text"])


def _said(d: Mapping[str, Any]) -> Said:
    return Said(_at(d["at"]), d["provider"], d["service"], d["channel"], d["stance"], d["text"], bool(d.get("assumed")))
