"""What stands beside the reports of an incident: providers' words, enquiries, measurements, who is back. I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Final

from flask_babel import format_datetime, format_decimal
from flask_babel import gettext as _

from aggregator.clock import floor_to
from aggregator.detect.coverage import BLIND_BELOW
from aggregator.frames import BUCKET
from aggregator.model import ALL, Filter, Incident, Provider, Signal, Statement
from aggregator.record import Enquiry, Retraction
from aggregator.store import cube, ends, enquiries, runs, signals, statements
from aggregator.web import story
from aggregator.web.figures import View, listened_to_statements, words_of_the_provider

BEFORE: Final = timedelta(hours=1)  # how long before the onset a measurement still stands beside an incident
ENOUGH: Final = 3  # ends from which on a median is told
KNOWN_AS: Final = {"ioda": "IODA", "cloudflare": "Cloudflare Radar", "downdetector": "Downdetector"}


@dataclass(frozen=True, slots=True)
class Asked:
    """An enquiry, the name of whom it went to, and the answer if there is one."""

    enquiry: Enquiry
    name: str
    answer: Statement | None


@dataclass(frozen=True, slots=True)
class Said:
    """What the columns beside the reports show."""

    statements: list[Statement]
    taken_back: list[tuple[Statement, Retraction]]
    asked: list[Asked]
    silence: str
    lead: str
    measured: list[tuple[str, str]]  # sentence, link
    back: str
    contacts: list[Provider]


def said(view: View, incident: Incident) -> Said:
    """Return what is known beside the reports of `incident` at view.as_of."""
    heard = words_of_the_provider(view, incident)
    catalogue = view.instance.catalogue
    contacts = [catalogue.provider(p) for p in incident.providers if incident.provider != ALL]
    return Said(
        statements=heard,
        taken_back=_taken_back(view, incident),
        asked=asked(view, incident, heard),
        silence=silence(view, incident),
        lead=_lead(view, incident, heard),
        measured=_measured(view, incident),
        back=_back(view, incident),
        contacts=[p for p in contacts if p.press_contact or p.fault_line],
    )


def _taken_back(view: View, incident: Incident) -> list[tuple[Statement, Retraction]]:
    """Return what stood here as a word about the incident until a person took it off the record, and why."""
    why = statements.retractions(view.connection, view.as_of)
    gone = words_of_the_provider(view, incident, taken_back=True) if why else []
    return [(one, why[one.statement_id]) for one in gone]


def silence(view: View, incident: Incident) -> str:
    """Say that no word of the provider is known, and until when anybody listened for one."""
    catalogue = view.instance.catalogue
    who = story.joined([catalogue.provider(p).name for p in incident.providers[:3]])
    heard = listened_to_statements(view.connection)
    if heard is None:
        return str(_("Was %(who)s dazu erklärt, hören wir nicht ab.", who=who))
    if incident.ended_at and not _anybody_listened(view, incident.onset, incident.ended_at):
        return str(_("Was %(who)s damals dazu erklärt hat, haben wir nicht abgehört.", who=who))
    until = story.clock(min(heard, view.at), view.at)
    return str(_("Von %(who)s ist uns keine Erklärung bekannt (abgehört bis %(until)s).", who=who, until=until))


def asked(view: View, incident: Incident, heard: Iterable[Statement]) -> list[Asked]:
    """Return whom somebody of this Netzlage asked about the incident, and what came back."""
    answers = {s.enquiry_id: s for s in heard if s.enquiry_id}
    name = view.instance.catalogue.provider
    found = enquiries.find(view.connection, incident.incident_id, view.as_of)
    return [Asked(one, name(one.provider).name, answers.get(one.enquiry_id)) for one in found]


def _lead(view: View, incident: Incident, heard: Sequence[Statement]) -> str:
    """Say how long before the first official word our first alarm was; only if its source was listened to till then."""
    first = next((s for s in heard if s.channel == "official"), None)
    if first is None:
        return ""
    lead = first.said_at - incident.first_alarm_at
    if lead >= timedelta() and not _listened(view, first.source, incident.first_alarm_at, first.said_at):
        return ""
    length = story.length(abs(lead))
    if lead >= timedelta():
        told = _("Unser erster Hinweis kam %(length)s vor der ersten uns bekannten Erklärung.", length=length)
    else:
        told = _("Die erste uns bekannte Erklärung kam %(length)s vor unserem ersten Hinweis.", length=length)
    return " ".join((told, _("Die Uhrzeit der Erklärung ist angenommen."))) if first.assumed_time else str(told)


def _listened(view: View, source: str, since: datetime, until: datetime) -> bool:
    """Say whether `source` was heard in each five minutes from `since` to before those of `until`."""
    start, end = floor_to(since, BUCKET), floor_to(until, BUCKET)
    heard = cube.listening(view.connection, start, end, view.as_of)
    good = heard[(heard["source"] == source) & (heard["share"] >= BLIND_BELOW)]
    return len(good) >= (end - start) // BUCKET


def _anybody_listened(view: View, since: datetime, until: datetime) -> bool:
    """Say whether any source of statements was heard between the two."""
    heard = cube.listening(view.connection, floor_to(since, BUCKET), until, view.as_of)
    telling = {run.source for run in runs.latest(view.connection).values() if run.kind == "statements"}
    return bool((heard["source"].isin(telling) & (heard["share"] >= BLIND_BELOW)).any())


def _measured(view: View, incident: Incident) -> list[tuple[str, str]]:
    """Return what others measured there and then, a sentence each; of a count the highest. Never added to reports."""
    end = incident.ended_at or view.at
    f = Filter(incident.provider, since=incident.onset - BEFORE, until=end, as_of=view.as_of)
    near = [s for s in signals.find(view.connection, f) if _near(s, incident)]
    told = {_measurement(view, signal): signal.link for signal in near if signal.what != "count"}
    return [*told.items(), *((_highest(view, of_one), of_one[0].link) for of_one in _counts(near))]


def _near(signal: Signal, incident: Incident) -> bool:
    return not (signal.region and incident.regions) or any(
        region.startswith(signal.region) or signal.region.startswith(region) for region in incident.regions
    )


def _counts(found: Iterable[Signal]) -> list[list[Signal]]:
    by_source: dict[tuple[str, str], list[Signal]] = {}
    for signal in found:
        if signal.what == "count":
            by_source.setdefault((signal.source, signal.provider), []).append(signal)
    return list(by_source.values())


def _measurement(view: View, signal: Signal) -> str:
    known = {
        "source": measurer(signal.source),
        "where": story.place_name(signal.region, view.instance.catalogue),
        "since": story.clock(signal.started_at, view.at),
    }
    words = {
        "drop": _("%(source)s sieht einen Rückgang in %(where)s ab %(since)s", **known),
        "outage": _("%(source)s verzeichnet eine Störung in %(where)s ab %(since)s", **known),
    }
    told = str(words[signal.what])
    if signal.ended_at is None:
        return f"{told}."
    return str(_("%(told)s, bis %(until)s.", told=told, until=story.clock(signal.ended_at, view.at)))


def _highest(view: View, counts: Sequence[Signal]) -> str:
    most = max(counts, key=lambda s: s.value or 0)
    until = format_datetime(most.ended_at, "HH:mm") if most.ended_at else ""
    return str(
        _(
            "%(source)s zählt zu %(provider)s bis zu %(n)s eigene Meldungen (%(since)s bis %(until)s).",
            source=measurer(most.source),
            provider=view.instance.catalogue.provider(most.provider).name,
            n=format_decimal(most.value or 0),
            since=story.clock(most.started_at, view.at),
            until=until,
        )
    )


def measurer(source: str) -> str:
    """Return what readers call a source of measurements."""
    return next((name for start, name in KNOWN_AS.items() if source.startswith(start)), source)


def _back(view: View, incident: Incident) -> str:
    """Say how many of those who reported say that it works again, and after how long; "" where nobody does."""
    end = (incident.ended_at or view.at) + BUCKET
    f = Filter(incident.provider, incident.service, since=incident.onset, until=end, as_of=view.as_of)
    lengths = ends.lengths(view.connection, f, incident.regions or None)
    if not lengths:
        return ""
    number = format_decimal(len(lengths))
    if len(lengths) < ENOUGH:
        return str(_("%(n)s davon melden: geht wieder.", n=number))
    middle = story.length(timedelta(seconds=median(length.total_seconds() for length in lengths)))
    return str(_("%(n)s davon melden: geht wieder, die Hälfte nach höchstens %(length)s.", n=number, length=middle))
