"""The words of the house: what a report, a hotspot, an incident is. Frozen values, no behaviour beyond a name."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

PlaceSource = Literal["plz", "place", "area_code", "coords", "ip", "text", ""]
State = Literal["suspected", "strong", "easing", "over", "withdrawn"]
Scope = Literal["local", "regional", "national"]
Pattern = Literal[
    "one_provider_regional", "one_provider_national", "several_providers_regional", "several_providers_national",
]  # fmt: skip
Stance = Literal["acknowledged", "partly_acknowledged", "denied", "resolved", "unclear"]
Channel = Literal["official", "hotline_secondhand", "press", "social"]
FeedOutcome = Literal["ok", "not_modified", "unreachable", "blocked", "changed"]
FeedKind = Literal["reports", "statements", "signals"]
SignalKind = Literal["drop", "outage", "count"]

ALL = "all"  # the id of "any provider" or "any service" in the wider streams


@dataclass(frozen=True, slots=True)
class Service:
    """One of the nine kinds of service of the contract."""

    id: str
    name_de: str
    name_en: str
    aliases: tuple[str, ...] = ()
    symptoms: Mapping[str, tuple[str, str]] = field(default_factory=dict)  # id -> (German, English)


@dataclass(frozen=True, slots=True)
class Provider:
    """Somebody who sells or runs services that people report faults of."""

    id: str
    name: str
    aliases: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    footprint: tuple[str, ...] = ()  # AGS prefixes where it sells; empty = all of Germany
    share: float = 0.0  # prior of its share of all reports, for the cold start only
    asns: tuple[int, ...] = ()
    website: str = ""
    press_contact: str = ""
    fault_line: str = ""
    listed: bool = True  # False: named by an open feed only, not in the catalogue
    fictitious: bool = False


@dataclass(frozen=True, slots=True)
class Region:
    """A district (Kreis, AGS of five digits) or a Land (two digits, parent empty)."""

    id: str
    name: str
    parent: str
    lat: float
    lon: float
    population: int


@dataclass(frozen=True, slots=True)
class RawReport:
    """One person's report as a feed, a form or a file says it: text as it came, nothing resolved yet.

    `key` is the source's own key ("" = it has none, then the content and `ordinal` make the id).
    Times are text (ISO 8601, without a zone meaning Europe/Berlin) or aware datetimes.
    """

    source: str
    provider: str = ""
    service: str = ""
    symptom: str = ""
    key: str = ""
    observed_at: datetime | str | None = None
    began_at: datetime | str | None = None
    received_at: datetime | str | None = None
    ended_at: datetime | str | None = None  # since when it works again
    region: str = ""
    plz: str = ""
    place: str = ""
    lat: float | str | None = None
    lon: float | str | None = None
    area_code: str = ""  # or a number of a phone that begins with one
    place_source: PlaceSource = ""  # what the source itself says of its place, e.g. "ip"
    reporter: str = ""  # the source's name of the person, or address and browser: hashed at once, never kept
    address: str = ""  # IP address where known: gives the address block, hashed at once, never kept
    comment: str = ""
    open_provider: bool = False  # an unknown provider name becomes a provider of its own
    deleted: bool = False  # its source has taken it back
    network: str = ""  # of several sources that share its keys and persons: through each it is the same report
    where: str = ""  # line or item, for messages


@dataclass(frozen=True, slots=True)
class Report:
    """One report, resolved: a row of REPORTS. `region` "" means: not located, counts for the nation only."""

    report_id: str
    source: str
    reporter: str
    block: str
    provider: str
    service: str
    symptom: str
    region: str
    plz: str
    place_source: PlaceSource
    lat: float | None
    lon: float | None
    observed_at: datetime
    began_at: datetime | None
    received_at: datetime
    counted: bool = True
    comment: str = ""
    provider_name: str = ""  # set only where an open feed names a provider that the catalogue lacks
    ended_at: datetime | None = None  # since when it works again; known since received_at, or since the store says
    former: str = ""  # the reporter by the key of the day before, as long as that one lives; never kept


@dataclass(frozen=True, slots=True)
class Rejected:
    """An item that is not a report, and why: `reason` is a fixed code, `detail` one sentence for a person."""

    reason: str
    detail: str
    field: str = ""
    where: str = ""
    item: Any = dataclasses.field(
        default=None, compare=False, repr=False
    )  # what the parser had before it, as JSON has it


@dataclass(frozen=True, slots=True)
class FeedRun:
    """One attempt to hear a source. It listened to [listened_from, listened_until); None: to nothing."""

    source: str
    started_at: datetime
    finished_at: datetime
    outcome: FeedOutcome
    kind: FeedKind = "reports"
    listened_from: datetime | None = None
    listened_until: datetime | None = None
    gap_from: datetime | None = None  # from then until listened_from nobody listened: what came then may be lost
    fetched: int = 0
    kept: int = 0
    duplicate: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)  # reason -> count
    error: str = ""


@dataclass(frozen=True, slots=True)
class Stream:
    """What is counted together: (provider, service), (provider, all) or (all, all)."""

    provider: str
    service: str


@dataclass(frozen=True, slots=True)
class Basis:
    """What a hotspot's score was measured on: the districts of the scanned zone (empty: the nation), not its footprint.

    taken_out: districts of hotspots found before it in the same look; by_share: measured by the share of the nation.
    """

    zone: tuple[str, ...] = ()
    taken_out: tuple[str, ...] = ()
    by_share: bool = False


@dataclass(frozen=True, slots=True)
class Hotspot:
    """A zone and a window [start, end) in which a stream's reports are unlikely many. `regions` empty = the nation.

    score: log likelihood ratio in nats; standard: the same on a scale that compares the zones' levels.
    """

    stream: Stream
    zone: str  # district, Land, or "de"; of a circle its district with the largest excess
    regions: tuple[str, ...]
    start: datetime
    end: datetime
    observed: int
    expected: float
    score: float
    standard: float = 0.0
    level: str = "district"
    effective: float = 0.0  # reports weighted as evidence, and what was expected of them
    effective_expected: float = 0.0
    held: bool = False  # people may report because they read of it: suspected at most
    basis: Basis | None = dataclasses.field(default=None, compare=False)  # not kept with it: the evidence is

    @property
    def excess(self) -> float:
        """Reports above the expected."""
        return self.observed - self.expected


@dataclass(frozen=True, slots=True)
class Transition:
    """One change of an incident, with the figures of that moment. Append-only."""

    incident_id: str
    at: datetime
    state: State
    observed: int
    expected: float
    score: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class Incident:
    """Hotspots of one stream through time. All times aware UTC; `ended_at` None while it goes on.

    reports and expected count from onset to the last look at it; score is the highest it had until it was strong, and
    so public. peak_ratio: reports over expected in the window of `height`, the strength that an end is measured by.
    """

    incident_id: str
    provider: str
    service: str
    providers: tuple[str, ...]  # in the wider streams those that take part, else (provider,)
    pattern: Pattern
    scope: Scope
    regions: tuple[str, ...]
    onset: datetime
    onset_earliest: datetime
    onset_latest: datetime
    first_alarm_at: datetime
    updated_at: datetime
    ended_at: datetime | None
    state: State
    reports: int
    expected: float
    relative_risk: float | None  # only where at least one report is expected
    score: float
    recurrence_weeks: float | None
    peak_ratio: float = 1.0
    cold: bool = False  # True: no basis for comparison yet (fewer than 7 days heard)
    standard: float = 0.0  # the score on the scale that compares levels
    height: float = 0.0  # the highest standard score so far, after it was public too
    level: str = "district"  # of the zone that had the score
    held: bool = False  # opened while another of its stream was public: suspected at most
    calibrated: bool = True  # False: recurrence_weeks is from a table made elsewhere
    spread: float = 1.0  # variance over mean of a count like `reports`: clumps and an uncertain baseline; 1: Poisson

    @property
    def stream(self) -> Stream:
        """The stream in which it was found."""
        return Stream(self.provider, self.service)

    @property
    def rank(self) -> tuple[float, float, str]:
        """The key that sorts incidents, the unlikeliest first; of equal claims the one that became clearer since."""
        return -(self.recurrence_weeks or 0.0), -max(self.height, self.standard), self.incident_id


@dataclass(frozen=True, slots=True)
class Statement:
    """What a provider says, or somebody says that it said. Never a report, never counted."""

    statement_id: str
    provider: str
    service: str  # "all" where it names none
    said_at: datetime
    quote: str
    stance: Stance
    channel: Channel
    source: str  # the feed, or "manual"
    link: str = ""
    own_words: bool = False  # retold, not quoted
    assumed_time: bool = False
    received_at: datetime | None = None
    expected_end: datetime | None = None  # until when it is to last, as they say
    incident_id: str = ""  # "" = told by its provider, service and time
    enquiry_id: str = ""  # the enquiry that it answers


@dataclass(frozen=True, slots=True)
class Signal:
    """Somebody else's measurement or count. Shown beside the reports, never added to them.

    what: "drop" a measurement that fell, "outage" somebody's finding that there is one, "count" their count of reports.
    region: AGS5, AGS2 or "" (the nation, or not known); provider "": it names none. `ended_at` None: it goes on.
    """

    signal_id: str
    source: str
    region: str
    started_at: datetime
    ended_at: datetime | None
    what: SignalKind
    link: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)  # of the source, in its own words
    provider: str = ""
    value: float | None = None  # of a count the number, of a drop the source's score
    received_at: datetime | None = None  # of this version: one that changes is kept in both


@dataclass(frozen=True, slots=True)
class Filter:
    """What a reader asks for. `since` inclusive, `until` exclusive; `as_of`: only what was known by then."""

    provider: str = ""
    service: str = ""
    region: str = ""  # AGS5, or AGS2 for a whole Land
    since: datetime | None = None
    until: datetime | None = None
    as_of: datetime | None = None
