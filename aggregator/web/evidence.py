"""The evidence table of an incident: figures, persons, places, sources, and what speaks against it. I/O."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from flask_babel import format_decimal, format_percent
from flask_babel import gettext as _

from aggregator.detect.coverage import BLIND_BELOW
from aggregator.frames import BUCKET
from aggregator.model import ALL, Incident, Stream, Transition
from aggregator.store import crowds, incidents
from aggregator.store.behind import Behind, behind
from aggregator.web import figures, story
from aggregator.web.said import Said
from aggregator.web.usual import ratio

FEW: Final = 10  # reports below which it is said that these are few
MOST_OF_ALL: Final = 0.9  # share of a source from which on nearly everything hangs on it
RAISED: Final = 2.0  # times the usual from which on other providers' reports are called more than usual
OWN: Final = ("form", "api", "import")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the table shows beyond the incident itself."""

    pattern: str
    ratio: str
    persons: str
    districts: list[tuple[str, str, int]]  # id, name, reports; the most first
    spread: str
    postcodes: list[tuple[str, int]]
    sources: list[str]
    others: tuple[int, float] | None  # reports on other providers there and then, and what is usual
    providers: list[tuple[str, str]]
    against: list[str]


def evidence(view: figures.View, incident: Incident, changes: Sequence[Transition], told: Said) -> Evidence:
    """Return what stands behind an incident at view.as_of, and what speaks against it."""
    found, catalogue = behind(view.connection, incident, view.as_of), view.instance.catalogue
    others = _others(view, incident)
    shown = incident.regions or ()
    by_reports = sorted(shown, key=lambda region: (-found.regions.get(region, 0), region))
    return Evidence(
        pattern=story.pattern(incident),
        ratio=ratio(incident),
        persons=_persons(incident, found),
        districts=[(r, catalogue.region_name(r), found.regions.get(r, 0)) for r in by_reports],
        spread=_spread(view, incident, found),
        postcodes=list(found.postcodes.items()),
        sources=[f"{source_name(name)}: {_percent(n, found.reports)}" for name, n in found.sources.items()],
        others=others,
        providers=[(p, catalogue.provider(p).name) for p in incident.providers if p != ALL],
        against=[
            *_of_the_count(incident, told, others),
            *_of_places_and_sources(found),
            *_of_the_time(view, incident, changes),
        ],
    )


def source_name(name: str) -> str:
    """Return what readers call a source of reports."""
    own = {"form": _("Formular"), "api": _("Schnittstelle"), "import": _("eingelesene Dateien")}
    return str(own.get(name, name))


def _percent(part: int, whole: int) -> str:
    if 0 < part < whole / 200:
        return str(_("unter %(share)s", share=format_percent(0.01)))
    return str(format_percent(part / whole)) if whole else ""


def _persons(incident: Incident, found: Behind) -> str:
    """Say how many persons reported, where that can be known: over six hours nobody is known again."""
    if found.persons is None:
        return str(
            _("Meldungen (je Person höchstens eine in 6 Stunden); wie viele Personen es sind, wissen wir nicht.")
        )
    if found.unknown == found.reports:
        return str(
            _(
                "Die Quellen sagen nicht, wer meldet: Jede Meldung zählt einzeln, "
                "auch wenn dieselbe Person zweimal meldet."
            )
        )
    told = _("%(n)s verschiedene Meldende", n=format_decimal(found.persons))
    if not found.unknown:
        return f"{told}."
    return str(
        _(
            "%(told)s; bei %(unknown)s Meldungen nennt die Quelle keine Person, jede ist als eine gezählt.",
            told=told,
            unknown=format_decimal(found.unknown),
        )
    )


def _spread(view: figures.View, incident: Incident, found: Behind) -> str:
    """Say of a national incident from how many districts its reports come, and how many have no place."""
    if incident.regions:
        return ""
    all_of = view.instance.catalogue.regions
    places = sum(region in all_of for region in found.regions)
    told = _("Meldungen aus %(n)s von %(all)s Kreisen", n=places, all=len(all_of))
    nowhere = found.regions.get("", 0)
    return f"{told}, {_('%(n)s ohne Ort', n=format_decimal(nowhere))}" if nowhere else str(told)


def _others(view: figures.View, incident: Incident) -> tuple[int, float] | None:
    """Return what other providers' customers report in the same districts since the onset, and what is usual."""
    if not incident.regions or incident.provider == ALL or view.baseline is None:
        return None
    end = incident.ended_at or incident.updated_at
    if not figures.heard(view, ALL, incident.onset, max(end, incident.onset + BUCKET)):
        return None
    everybody = figures.compare(view, figures.Part(Stream(ALL, ALL), incident.regions, incident.onset, end))
    own = figures.compare(view, figures.Part(Stream(incident.provider, ALL), incident.regions, incident.onset, end))
    return everybody[0] - own[0], max(everybody[1] - own[1], 0.0)


def _of_the_count(incident: Incident, told: Said, others: tuple[int, float] | None) -> Iterator[str]:
    """Yield what makes the incident less sure, a sentence each."""
    if incident.cold:
        yield _("Es gibt noch keine Vergleichsbasis: Was üblich ist, ist bisher nur geschätzt.")
    if incident.reports < FEW:
        yield _("Es sind wenige Meldungen.")
    if any(one.channel == "official" and one.stance == "denied" for one in told.statements):
        yield _("Der Anbieter bestreitet eine Störung; sein Wortlaut steht oben.")
    if others and others[0] >= FEW and others[0] > RAISED * others[1]:
        yield _(
            "Auch zu anderen Anbietern wird dort mehr gemeldet als üblich: Das spräche für eine gemeinsame Ursache."
        )


def _of_places_and_sources(found: Behind) -> Iterator[str]:
    if found.by_ip:
        yield _(
            "Bei %(share)s der Meldungen ist der Ort nur aus der IP-Adresse geschätzt.",
            share=_percent(found.by_ip, found.reports),
        )
    most = max(found.sources.values(), default=0)
    if len(found.sources) == 1 and next(iter(found.sources)) not in OWN:
        yield _("Alle Meldungen kommen aus einer Quelle: Ein Fehler dort sähe ebenso aus.")
    elif most > MOST_OF_ALL * found.reports and next(iter(found.sources)) not in OWN:
        yield _("Fast alle Meldungen kommen aus einer Quelle: Ein Fehler dort sähe ebenso aus.")


def _of_the_time(view: figures.View, incident: Incident, changes: Sequence[Transition]) -> Iterator[str]:
    public = next((change.at for change in changes if change.state == "strong"), None)
    if incident.held:
        yield _("Zur selben Zeit war schon anderes dieses Anbieters öffentlich: Wer meldet, kann davon gelesen haben.")
    elif public is not None and public < (incident.ended_at or view.at) - timedelta(minutes=30):
        yield _(
            "Seit %(since)s ist der Vorfall öffentlich: Wer danach meldet, kann davon gelesen haben. "
            "Spätere Meldungen erhöhen die Wertung deshalb nicht.",
            since=story.clock(public, view.at),
        )
    deaf = _deaf(view, incident)
    if deaf >= timedelta(minutes=15):
        yield _("%(length)s lang waren die meisten Quellen in dieser Zeit nicht zu hören.", length=story.length(deaf))
    yield from _floods(view, incident)


def _deaf(view: figures.View, incident: Incident) -> timedelta:
    """Return how much of the time since the onset was blind for this provider."""
    end = max(incident.ended_at or incident.updated_at, incident.onset + BUCKET)
    shares = figures.coverage(view, incident.onset, end).of(incident.provider)
    return int((shares < BLIND_BELOW).sum()) * BUCKET


def _floods(view: figures.View, incident: Incident) -> Iterator[str]:
    """Yield what the last look before the shown state left out of this stream's counts."""
    looked, _found = incidents.hotspots(view.connection, incident.ended_at or incident.updated_at)
    for crowd in crowds.left_out(view.connection, looked) if looked else ():
        if crowd.stream == incident.stream:
            yield _("Nicht gewertete Massenmeldungen: %(told)s.", told=story.flood(crowd, view.instance.catalogue))
