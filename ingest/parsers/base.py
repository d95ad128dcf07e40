"""What every format's parser takes and gives. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from aggregator.model import Channel, FeedKind, RawReport, Rejected, Statement


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
    timeout: timedelta = timedelta(seconds=30)
    max_bytes: int = 20_000_000
    licence: str = ""
    republish: str = "none"
    covers: tuple[str, ...] = ()
    allow_private: bool = False
    token: str = ""  # the name of the environment variable that holds "id:secret", or a bearer token
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


@dataclass(frozen=True, slots=True)
class Parsed:
    """What stood in a payload, in its order; a bad item is a Rejected, an empty list means that it was empty."""

    reports: list[RawReport] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)

    def __add__(self, other: Parsed) -> Parsed:
        return Parsed(self.reports + other.reports, self.rejected + other.rejected, self.statements + other.statements)


Parser = Callable[[bytes, Feed, Hints], Parsed]
NO_HINTS = Hints()
