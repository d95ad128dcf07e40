"""Raw report -> report, or the reason why not: provider, service, place and time resolved, persons hashed. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from hashlib import blake2b
from math import isfinite
from typing import Any, Final, Protocol

from aggregator.cleaning import clean, quoted, slug
from aggregator.clock import BERLIN
from aggregator.model import ALL, PlaceSource, RawReport, Rejected, Report
from aggregator.persons import Persons
from aggregator.places import NotLocated, Places
from aggregator.redact import redact

LIVE: Final = frozenset({"form", "api"})  # sources where the sender is not trusted with times of receipt and old times
AHEAD: Final = timedelta(minutes=10)  # clocks that go fast are forgiven this much
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
SECOND: Final = timedelta(seconds=1)
EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
LIVE_PAST: Final = timedelta(days=31)
SAID: Final = frozenset({"ip", "text", "area_code"})  # how the source itself found the place: that stays
LONGEST: Final = 120  # characters of a name
LONGEST_COMMENT: Final = 2000
LONGEST_KEY: Final = 500
ORDINALS: Final = 400_000  # contents remembered at a time, about 60 MB


class Facts(Protocol):
    """What of the catalogue is needed here."""

    @property
    def places(self) -> Places:
        """The gazetteer."""

    def provider_id(self, text: str) -> str | None:
        """Return the id of the provider of that id, name or alias."""

    def service_id(self, text: str) -> str | None:
        """Return the id of the service of that id, name or alias."""


class NotAReport(Exception):  # noqa: N818 - it reads as what it says
    """Carries the Rejected out of the place where it was found."""

    def __init__(self, reason: str, detail: str, field: str) -> None:
        super().__init__(detail)
        self.reason, self.detail, self.field = reason, detail, field


def normalise(
    raw: RawReport, *, catalogue: Facts, received_at: datetime, key: bytes, persons: Persons | None = None
) -> Report | Rejected:
    """Resolve one raw report, of several equal ones without a key see `Normaliser`; received_at: now."""
    return Normaliser(catalogue, key, persons, alone=True).report(raw, received_at)


class Normaliser:
    """Resolves many raw reports: remembers answers of the catalogue, and tells equal items of a second apart.

    Items without a key of their own are numbered among equal ones of the same second, in the order of arrival. So one
    normaliser must see all that was fetched of a second; taking the same file again gives the same ids.
    key: of the ids of such items, for good. persons: who hashes persons, for a day; None: `key` does. alone: of one.
    """

    def __init__(self, catalogue: Facts, key: bytes, persons: Persons | None = None, *, alone: bool = False) -> None:
        remember: Any = (lambda _size: lambda asked: asked) if alone else lru_cache  # a memory takes time to make
        self._provider = remember(4096)(catalogue.provider_id)
        self._service = remember(1024)(catalogue.service_id)
        self._place = remember(32768)(partial(_locate, catalogue.places))  # of self it would be left to the collector
        self._persons = persons or Persons(key)
        self._block = remember(4096)(self._persons.block)
        self._secret = blake2b(key, digest_size=32).digest()
        self._symptom = remember(1024)(lambda text: redact(clean(text, LONGEST)))
        self._ordinals = Ordinals()

    def report(self, raw: RawReport, received_at: datetime) -> Report | Rejected:
        """Return the report that `raw` is, or why it is none."""
        try:
            return self._resolve(raw, received_at)
        except NotAReport as error:
            return Rejected(error.reason, error.detail, error.field, raw.where)

    def _resolve(self, raw: RawReport, now: datetime) -> Report:
        provider, provider_name = self._resolve_provider(raw)
        service = self._resolve_service(raw.service)
        received_at = _received(raw, now)
        observed_at = _observed(raw, received_at)
        place = _place_of(raw)
        region, lat, lon, place_source, plz = self._place(*place)
        name = f"{raw.network or raw.source}\x1f{raw.reporter[:LONGEST_KEY]}" if raw.reporter else ""
        reporter = self._persons.reporter(name)
        return Report(
            report_id=self._report_id(raw, observed_at, place, reporter),
            source=raw.source,
            reporter=reporter,
            former=self._persons.formerly(name),
            block=self._block(raw.address, observed_at.toordinal()) if raw.address else "",
            provider=provider,
            service=service,
            symptom=self._symptom(raw.symptom) if raw.symptom else "",
            region=region,
            plz=plz,
            place_source=raw.place_source if region and raw.place_source in SAID else place_source or raw.place_source,
            lat=lat,
            lon=lon,
            observed_at=observed_at,
            began_at=_began(raw, observed_at),
            received_at=received_at,
            comment=redact(clean(raw.comment, LONGEST_COMMENT)) if raw.comment else "",
            provider_name=provider_name,
            ended_at=_ended(raw, observed_at, received_at),
        )

    def _resolve_provider(self, raw: RawReport) -> tuple[str, str]:
        """Return the id, and the name where an open feed names a provider that the catalogue lacks."""
        provider = self._provider(raw.provider[:LONGEST_KEY])
        if provider is not None:
            return provider, ""
        name = clean(raw.provider, LONGEST)
        if not name:
            raise NotAReport("missing_field", "No provider is given; write its name or id.", "provider")
        if raw.open_provider and slug(name) not in {"", ALL}:
            return slug(name), name
        raise NotAReport(
            "unknown_provider",
            f"Provider {quoted(name)} is not known; write one of the listed names or ids.",
            "provider",
        )

    def _resolve_service(self, text: str) -> str:
        service: str | None = self._service(text[:LONGEST_KEY])
        if service is not None:
            return service
        if not text.strip():
            raise NotAReport("missing_field", "No service is given; write for instance mobile.", "service")
        raise NotAReport(
            "unknown_service",
            f"Service {quoted(text)} is not known; write an id such as fixed_internet, mobile or portal.",
            "service",
        )

    def _report_id(self, raw: RawReport, observed_at: datetime, place: tuple[str, ...], reporter: str) -> str:
        if raw.key:
            return id_of_key(raw.network or raw.source, raw.key)
        # Keyed, because the id is published and PLZ and second could be guessed from it. Who wrote it and what stays
        # out; only where each item comes alone, so that nothing can number equal ones, two persons of one second are
        # told apart by the (keyed) hash of the reporter.
        person = reporter if raw.source in LIVE else ""
        second = str((observed_at - EPOCH) // SECOND)
        content = "\x1f".join((second, raw.source, raw.provider, raw.service, raw.symptom, *place, person))
        ordinal = self._ordinals.next(content)
        return self._hash("content", f"{content}\x1f{ordinal}" if ordinal else content)

    def _hash(self, kind: str, text: str) -> str:
        data = text.encode("utf-8", "surrogatepass")
        return blake2b(data, digest_size=12, key=self._secret, person=kind.encode()).hexdigest()


Place = tuple[str, float | None, float | None, PlaceSource, str]


def _locate(places: Places, *said: str) -> Place:
    """Return region, coordinates, how they were found, and the PLZ; all empty where no place is given at all.

    said: what `_place_of` gives.
    """
    if not any(said):
        return "", None, None, "", ""
    region, plz, place, *point = said[:5]
    code = said[5] if len(said) > 5 else ""
    at = _coordinates(*point)
    found = places.locate(region=region, plz=plz, place=place, lat=at[0], lon=at[1], area_code=code)
    if isinstance(found, NotLocated):
        raise _not_located(found, {"region": region, "plz": plz, "place": place, "area_code": code})
    return found.region, found.lat, found.lon, found.place_source, _five_digits(plz)


class Ordinals:
    """Numbers equal contents from 0; remembers a bounded number of contents, the oldest are forgotten first."""

    def __init__(self, limit: int = ORDINALS) -> None:
        self._limit = limit
        self._next: dict[int, int] = {}

    def next(self, content: str) -> int:
        """Return how many equal contents came before."""
        key = hash(content)  # of the process: it only has to hold as long as this object
        ordinal = self._next.get(key, 0)
        if not ordinal and len(self._next) >= self._limit:
            del self._next[next(iter(self._next))]
        self._next[key] = ordinal + 1
        return ordinal


def id_of_key(realm: str, key: str) -> str:
    """Return the id of the report that a source, or a network of several, calls `key`."""
    return _digest("key", f"{realm}\x1f{key[:LONGEST_KEY]}")


def _digest(kind: str, text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12, person=kind.encode()).hexdigest()


def _place_of(raw: RawReport) -> tuple[str, ...]:
    """Return region, plz, place, lat and lon as clean text, and the area code where there is one."""
    code = (clean(raw.area_code, 40),) if raw.area_code else ()  # else the ids of before would be others
    return (
        clean(raw.region, LONGEST) if raw.region else "",
        clean(raw.plz, 12) if raw.plz else "",
        clean(raw.place, LONGEST) if raw.place else "",
        "" if raw.lat is None else str(raw.lat).strip()[:40],
        "" if raw.lon is None else str(raw.lon).strip()[:40],
        *code,
    )


def _coordinates(lat: str, lon: str) -> tuple[float | None, float | None]:
    if not lat and not lon:
        return None, None
    if not lat or not lon:
        missing = "lon" if lat else "lat"
        raise NotAReport("bad_coordinates", f"Coordinates need both numbers; {missing} is missing.", missing)
    return _number(lat, "lat"), _number(lon, "lon")


def _number(text: str, field: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not isfinite(number):
        raise NotAReport("bad_number", f"{field} {quoted(text)} is not a number; write for instance 53.55.", field)
    return number


def _five_digits(plz: str) -> str:
    """Return the PLZ to keep: one that lost its leading zero as a number gets it back, anything else is dropped."""
    return f"{plz:>05}" if plz.isascii() and plz.isdecimal() and len(plz) in {4, 5} else ""


def _not_located(found: NotLocated, named: Mapping[str, str]) -> NotAReport:
    at_point = found.reason in {"outside", "bad_coordinates"}
    field = "lat" if at_point else next((name for name, text in named.items() if text), "lat")
    said = f"{field} {quoted(named[field])}" if named.get(field) else "lat and lon"
    mend = f"write one of {', '.join(map(quoted, found.candidates[:3]))}" if found.candidates else "check it"
    return NotAReport(found.reason, f"{said}: {found.detail}; {mend}.", field)


def moment(value: datetime | str | None, field: str) -> datetime | None:
    """Return the time, aware UTC, None where none is given; NotAReport (bad_time) where it cannot be read.

    Text: ISO 8601 with date and time of day, any offset; without one, German time (of an hour that comes twice the
    first). Other ways to write a date are not guessed.
    """
    if value is None or value == "":
        return None
    try:
        read = value if isinstance(value, datetime) else _iso(value.strip())
        return (read if read.tzinfo else read.replace(tzinfo=BERLIN)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise NotAReport(
            "bad_time",
            f"{field} {quoted(str(value))} is not a time; write ISO 8601 such as 2017-05-13T09:40 or "
            "2017-05-13T09:40+02:00.",
            field,
        ) from None


def _iso(text: str) -> datetime:
    # fromisoformat takes a bare date as midnight and any sign between date and time: neither is meant here.
    if text[10:11] not in {"T", " ", "t"} and text[8:9] not in {"T", "t"}:
        raise ValueError("no time of day")
    return datetime.fromisoformat(text)


def _received(raw: RawReport, now: datetime) -> datetime:
    """Return when we (or the file's maker) knew of it; nobody who sends in a report decides that."""
    if raw.received_at is None or raw.received_at == "" or raw.source in LIVE:
        return now
    received_at = moment(raw.received_at, "received_at") or now
    if received_at > now + AHEAD:
        raise NotAReport("future_time", f"received_at {_shown(received_at)} is yet to come; check it.", "received_at")
    return received_at


def _observed(raw: RawReport, received_at: datetime) -> datetime:
    observed_at = moment(raw.observed_at, "observed_at")
    if observed_at is None:
        raise NotAReport("missing_field", "No observed_at is given; write when it was reported.", "observed_at")
    if observed_at > received_at + AHEAD:
        after = f"observed_at {_shown(observed_at)} lies after its receipt ({_shown(received_at)}); check it."
        raise NotAReport("future_time", after, "observed_at")
    earliest = received_at - LIVE_PAST if raw.source in LIVE else EARLIEST
    if observed_at < earliest:
        before = f"observed_at {_shown(observed_at)} lies before {_shown(earliest)}; check it."
        raise NotAReport("too_old", before, "observed_at")
    return observed_at


def _shown(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%MZ")


def _began(raw: RawReport, observed_at: datetime) -> datetime | None:
    """Return since when it lasts; a beginning after the report itself says nothing and is left out."""
    began_at = moment(raw.began_at, "began_at")
    return began_at if began_at is not None and began_at <= observed_at + AHEAD else None


def _ended(raw: RawReport, observed_at: datetime, received_at: datetime) -> datetime | None:
    """Return since when it works again; an end that is yet to come or lies before the beginning says nothing."""
    ended_at = moment(raw.ended_at, "ended_at")
    if ended_at is None:
        return None
    return ended_at if (_began(raw, observed_at) or observed_at) <= ended_at <= received_at + AHEAD else None
