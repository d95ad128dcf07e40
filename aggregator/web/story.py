"""Incidents and figures -> sentences: what, where, how many, since when, how sure. Needs a request for its language."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from flask_babel import format_datetime, format_decimal, ngettext
from flask_babel import gettext as _

from aggregator.catalogue import Catalogue
from aggregator.clock import BERLIN
from aggregator.model import ALL, Incident, State, Statement
from aggregator.record import Correction
from aggregator.store.crowds import Crowd
from aggregator.web.language import named
from aggregator.web.usual import usual as usual  # noqa: PLC0414 - a sentence among the others

NAMED = 3  # districts that a sentence names; the rest is counted
FEMININE = {"email", "hotline"}  # services that German introduces with "zur"


def clock(moment: datetime, now: datetime) -> str:
    """Return a time as it is said on the day of `now`: alone today, with weekday within a week, else with the date."""
    return str(_("%(time)s Uhr", time=_bare(moment, now)))


def _bare(moment: datetime, now: datetime) -> str:
    days = (now.astimezone(BERLIN).date() - moment.astimezone(BERLIN).date()).days
    if days == 0:
        return str(format_datetime(moment, "HH:mm"))
    return str(format_datetime(moment, "EEEE, HH:mm" if 0 < days < 7 else _("d. MMMM y, HH:mm")))


def span(start: datetime, end: datetime, now: datetime) -> str:
    """Return "Freitag, 14:48 bis 15:00 Uhr", the day named once where it is the same."""
    if start.astimezone(BERLIN).date() == end.astimezone(BERLIN).date():
        return str(_("%(start)s bis %(end)s Uhr", start=_bare(start, now), end=format_datetime(end, "HH:mm")))
    return str(_("%(start)s bis %(end)s", start=_with_day(start, now), end=_with_day(end, now)))


def _with_day(moment: datetime, now: datetime) -> str:
    """Return a time as `clock`, with the weekday today too: beside another day's it would be read as that day's."""
    if moment.astimezone(BERLIN).date() == now.astimezone(BERLIN).date():
        return str(_("%(time)s Uhr", time=format_datetime(moment, "EEEE, HH:mm")))
    return clock(moment, now)


def begun(incident: Incident, now: datetime) -> str:
    """Return between when and when it began, and when most likely."""
    if incident.onset_earliest == incident.onset_latest:
        return str(_("am ehesten %(time)s", time=clock(incident.onset, now)))
    known = span(incident.onset_earliest, incident.onset_latest, now)
    return str(_("%(span)s, am ehesten %(time)s Uhr", span=known, time=format_datetime(incident.onset, "HH:mm")))


def date(moment: datetime, now: datetime) -> str:
    """Return the day, with its year unless that is the year of `now`."""
    same_year = moment.astimezone(BERLIN).year == now.astimezone(BERLIN).year
    return str(format_datetime(moment, _("d. MMMM") if same_year else _("d. MMMM y")))


def long_time(moment: datetime) -> str:
    """Return day and time in full; whose time it is, is said where readers may live in another."""
    day, time = format_datetime(moment, _("EEEE, d. MMMM y")), format_datetime(moment, "HH:mm")
    return str(_("%(day)s, %(time)s Uhr", day=day, time=time))


def length(span: timedelta) -> str:
    """Return a length of time in words: "47 Minuten", "1 Stunde 20 Minuten", "3 Tage"."""
    minutes = max(1, round(span / timedelta(minutes=1)))
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24) if hours >= 48 else (0, hours)
    parts = [
        ngettext("%(num)s Tag", "%(num)s Tage", days) if days else "",
        ngettext("%(num)s Stunde", "%(num)s Stunden", hours) if hours else "",
        ngettext("%(num)s Minute", "%(num)s Minuten", minutes) if minutes and not days else "",
    ]
    return " ".join(str(part) for part in parts if part)


def joined(parts: Sequence[str]) -> str:
    """Return "a, b und c"."""
    if len(parts) < 2:
        return "".join(parts)
    return str(_("%(first)s und %(last)s", first=", ".join(parts[:-1]), last=parts[-1]))


def where(incident: Incident, catalogue: Catalogue) -> str:
    """Return the place of an incident; of many districts the largest are named."""
    if not incident.regions:
        return str(_("Bundesweit"))
    known = [catalogue.regions[r] for r in incident.regions if r in catalogue.regions]
    for land in catalogue.laender.values():
        if len(known) > 1 and {r.id for r in known} == {r for r in catalogue.regions if r.startswith(land.id)}:
            return place_name(land.id, catalogue)
    names = [r.name for r in sorted(known, key=lambda r: -r.population)]
    if len(names) <= NAMED:
        return joined(names)
    return joined([*names[: NAMED - 1], str(_("%(n)s weitere Kreise", n=len(names) - NAMED + 1))])


def place_name(region: str, catalogue: Catalogue) -> str:
    """Return the name of a Kreis, of a Land or of the whole country in the reader's language; a Kreis keeps its own."""
    name = catalogue.region_name(region)
    return name if region in catalogue.regions else str(_(name))


def what(incident: Incident, catalogue: Catalogue) -> str:
    """Return service and provider, such as "Kundenportal von O2"."""
    provider, several = catalogue.provider(incident.provider).name, incident.provider == ALL
    service = catalogue.services.get(incident.service)
    if service is None:
        return str(
            _("Störungen bei mehreren Anbietern") if several else _("Störungen bei %(provider)s", provider=provider)
        )
    if several:
        return str(_("%(service)s von mehreren Anbietern", service=named(service.name_de)))
    return str(_("%(service)s von %(provider)s", service=named(service.name_de), provider=provider))


def about(incident: Incident, catalogue: Catalogue) -> str:
    """Return what the reports are about, such as "zum Kundenportal von O2"."""
    matter = what(incident, catalogue)
    return introduced(incident.service if incident.service in catalogue.services else "other", matter)


def introduced(service: str, matter: str) -> str:
    """Return what is about a service, with the word that German puts before it: "zum Kundenportal von O2"."""
    if service == "other":
        return str(_("zu %(matter)s", matter=matter))
    return str(_("zur %(matter)s", matter=matter) if service in FEMININE else _("zum %(matter)s", matter=matter))


def title(incident: Incident, catalogue: Catalogue) -> str:
    """Return place and matter, the name of an incident."""
    return f"{where(incident, catalogue)}: {what(incident, catalogue)}"


def counted(incident: Incident, now: datetime) -> str:
    """Return reports, since when, and what would be usual, as one sentence."""
    number = format_decimal(incident.reports)
    since = clock(incident.onset, now)
    if incident.ended_at:
        said = _("%(n)s Meldungen, %(span)s", n=number, span=span(incident.onset, incident.ended_at, now))
    else:
        said = _("%(n)s Meldungen seit etwa %(since)s", n=number, since=since)
    return f"{said}; {usual(incident)}."


def headline(incident: Incident, catalogue: Catalogue, now: datetime) -> str:
    """Return the sentence that a reader may stop after; of what was taken back it begins with that."""
    number = str(_("%(n)s Meldungen", n=format_decimal(incident.reports)))
    told = f"{number} {about(incident, catalogue)}{_dated(incident, now)}"
    sentence = f"{where(incident, catalogue)}: {told}; {usual(incident)}"
    return str(_("Zurückgezogen. %(sentence)s", sentence=sentence)) if incident.state == "withdrawn" else sentence


def correction(given: Correction) -> str:
    """Return a correction with its date, as it heads pages and pictures."""
    return f"{corrected_on(given)} {given.text}"


def corrected_on(given: Correction) -> str:
    """Return what stands before the words of a correction: these are a person's, in German in every language."""
    at = long_time(given.at)
    return str(_("Zurückgezogen am %(at)s:", at=at) if given.kind == "withdraw" else _("Nachtrag vom %(at)s:", at=at))


def _dated(incident: Incident, now: datetime) -> str:
    """Return since when, or from when to when, with the date: a headline is quoted without the page around it."""
    start, hour = date(incident.onset, now), format_datetime(incident.onset, "HH:mm")
    if not incident.ended_at:
        return str(_(" seit etwa %(hour)s Uhr (%(date)s)", hour=hour, date=start))
    end, last = date(incident.ended_at, now), format_datetime(incident.ended_at, "HH:mm")
    if start == end:
        return str(_(" am %(date)s von %(hour)s bis %(last)s Uhr", date=start, hour=hour, last=last))
    return str(_(" vom %(date)s, %(hour)s Uhr, bis %(end)s, %(last)s Uhr", date=start, hour=hour, end=end, last=last))


def state(incident: Incident) -> str:
    """Return the word for the state of an incident."""
    return state_word(incident.state)


def state_word(state: State) -> str:
    """Return the word for a state."""
    words = {
        "suspected": _("auffällig"), "strong": _("stark auffällig"), "easing": _("klingt ab"), "over": _("beendet"),
        "withdrawn": _("zurückgezogen"),
    }  # fmt: skip
    return str(words[state])


def pattern(incident: Incident) -> str:
    """Return the pattern in words, with what it suggests."""
    words = {
        "one_provider_regional": _("ein Anbieter, eine Region"),
        "one_provider_national": _("ein Anbieter, bundesweit"),
        "several_providers_regional": _("mehrere Anbieter, eine Region: etwa Stromausfall oder geteilte Leitung"),
        "several_providers_national": _("mehrere Anbieter, bundesweit: wahrscheinlich etwas anderes als ihre Netze"),
    }
    return str(words[incident.pattern])


def stance(statement: Statement) -> str:
    """Return what a statement comes to."""
    words = {
        "acknowledged": _("bestätigt"), "partly_acknowledged": _("teilweise bestätigt"), "denied": _("bestritten"),
        "resolved": _("für behoben erklärt"), "unclear": _("ohne klare Aussage"),
    }  # fmt: skip
    return str(words[statement.stance])


def channel(statement: Statement) -> str:
    """Return by which way a statement came."""
    words = {
        "official": _("offiziell"), "hotline_secondhand": _("Hotline, über einen Kunden"), "press": _("Presse"),
        "social": _("soziale Medien"),
    }  # fmt: skip
    return str(words[statement.channel])


def voice(statement: Statement, provider: str) -> str:
    """Return who says what, for a label: only the provider itself confirms or denies; of others the way it came."""
    if statement.channel == "official":
        return f"{provider}: {stance(statement)}"
    return str(_("zu %(provider)s: %(channel)s", provider=provider, channel=channel(statement)))


def flood(crowd: Crowd, catalogue: Catalogue) -> str:
    """Say what was left out of the counts of the last 24 hours, and why."""
    provider = catalogue.provider(crowd.stream.provider).name
    service = named(catalogue.services[crowd.stream.service].name_de)
    why = _("mit demselben Text") if crowd.kind == "text" else _("aus demselben Adressbereich")
    told = {"n": format_decimal(crowd.size), "provider": provider, "service": service, "why": why}
    return str(_("%(n)s Meldungen zu %(provider)s (%(service)s) %(why)s, in 24 Stunden", **told))
