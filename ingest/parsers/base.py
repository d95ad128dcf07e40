"""What every format's parser takes and gives. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from aggregator.model import Channel, FeedKind, RawReport, Rejected, Signal, Statement


@dataclass(frozen=True, slots=True)
class Feed:
    """One stanza: where a feed is, how it is read, what of it may be given on. `name` is the source of its reports."""

    name: str
    format: str
    url: str
    kind: FeedKind = "reports"
    enabled: bool = True
    every: timedelta = timedelta(minutes=5)
    lookback: timedelta = timedelta(hours=1)  # how far back one look can see; an older gap stays unheard
    window: int = 0  # items that the document holds at most: full of new ones, older ones may be lost; 0: no limit
    timeout: timedelta = timedelta(seconds=30)
    max_bytes: int = 20_000_000
    licence: str = ""
    republish: str = "none"
    covers: tuple[str, ...] = ()
    allow_private: bool = False
    token: str = ""  # the name of the environment variable that holds "id:secret", or a bearer token
    auth: str = "bearer"  # how a token is shown; "basic": as "user:password"
    note: str = ""  # whose permission it needs
    # how items are read
    records: str = ""
    encoding: str = ""  # "" = told by the bytes
    delimiter: str = ""  # "" = told by the head of the table
    date_format: str = "iso"
    tz: str = "Europe/Berlin"
    fields: Mapping[str, str] = field(default_factory=dict)
    open_providers: bool = False
    # constants for what the items do not say
    provider: str = ""
    service: str = ""
    symptom: str = ""
    channel: Channel | None = None
    services: Mapping[str, str] = field(default_factory=dict)  # their code of a kind of fault -> our service
    # downdetector_v2
    slugs: Mapping[str, str] = field(default_factory=dict)  # their slug -> our provider
    countries: tuple[str, ...] = ()
    page_size: int = 1000
    secret: str = field(default="", repr=False)  # the value behind `token`


@dataclass(frozen=True, slots=True)
class Hints:
    """What the fetching knows of a payload that the payload does not say."""

    provider: str = ""  # whose list it is
    services: Mapping[str, str] = field(default_factory=dict)  # their id of a kind of fault -> its name
    places: Mapping[str, str] = field(default_factory=dict)  # their code of a place -> its name
    until: datetime | None = None  # up to when was asked for


@dataclass(frozen=True, slots=True)
class Post:
    """What somebody wrote: text of which reports are still to be made (`ingest.posts`)."""

    key: str
    text: str
    posted_at: datetime  # aware
    reporter: str = ""
    lat: float | None = None
    lon: float | None = None
    where: str = ""
    network: str = ""  # its key and its author are the same whichever server it comes through


@dataclass(frozen=True, slots=True)
class Parsed:
    """What stood in a payload, in its order; a bad item is a Rejected, an empty list means that it was empty."""

    reports: list[RawReport] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)
    signals: list[Signal] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)

    def __add__(self, other: Parsed) -> Parsed:
        return Parsed(
            self.reports + other.reports,
            self.rejected + other.rejected,
            self.statements + other.statements,
            self.signals + other.signals,
            self.posts + other.posts,
        )


Found = RawReport | Statement | Signal | Post | Rejected


def collect(
    items: Iterable[Any], read_one: Callable[[Mapping[str, Any], str], Found | list[Found]], wheres: Iterable[str] = ()
) -> Parsed:
    """Read every item and sort what was found; `wheres` name the items in messages (else "item 1", "item 2" ...).

    What is no record is rejected here; a Rejected takes its item along.
    """
    parsed = Parsed()
    named = iter(wheres)
    for number, item in enumerate(items, 1):
        where = next(named, "") or f"item {number}"
        if isinstance(item, Mapping):
            found = read_one(item, where)
        else:
            found = Rejected("missing_field", "The item is not a record with named fields.", where=where)
        for one in found if isinstance(found, list) else [found]:
            _keep(parsed, one, item)
    return parsed


def _keep(parsed: Parsed, found: Found, item: Any) -> None:
    if isinstance(found, RawReport):
        parsed.reports.append(found)
    elif isinstance(found, Statement):
        parsed.statements.append(found)
    elif isinstance(found, Signal):
        parsed.signals.append(found)
    elif isinstance(found, Post):
        parsed.posts.append(found)
    else:
        parsed.rejected.append(replace(found, item=item))


Parser = Callable[[bytes, Feed, Hints], Parsed]
NO_HINTS = Hints()
