"""What goes on -> the sentence above it, that a reader may stop after. Needs a request for its language."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from flask_babel import gettext as _
from flask_babel import ngettext

from aggregator.catalogue import Catalogue
from aggregator.model import ALL, Incident, Stream
from aggregator.web.language import named
from aggregator.web.story import about, introduced, joined, place_name, where

NAMED: Final = 3  # matters of a headline; the rest is counted
PLACES: Final = 4  # places of a matter; of more three are named and the rest is counted


@dataclass(frozen=True, slots=True)
class Group:
    """Incidents of one stream."""

    about: str
    places: list[str]
    national: bool


def situation(going: Sequence[Incident], strong: Collection[str], catalogue: Catalogue, *, of: str = "") -> str:
    """Return the headline of what goes on: the strong by place and matter, else what eases, else what is suspected.

    strong: the ids of those that were strong at their height; of: the provider that the page is about, not named again.
    A provider that several matters are about is named once, ahead of them.
    """
    at_height = [i for i in going if i.incident_id in strong and i.state != "easing"]
    easing = [i for i in going if i.incident_id in strong]
    shown = at_height or easing or going
    common = _common(shown, catalogue)
    whose = f" {_('zu %(matter)s', matter=catalogue.provider(common).name)}" if common and common != of else ""
    if at_height:
        lead = _("Auffällig viele Meldungen%(whose)s", whose=f"{whose}:" if whose else "")
    elif easing:
        lead = _("Noch auffällig viele Meldungen%(whose)s, aber weniger als zuvor:", whose=whose)
    elif going:
        lead = _("Mehr Meldungen%(whose)s als üblich, noch kein sicheres Zeichen:", whose=whose)
    else:
        return str(_("Zurzeit sind nirgends auffällig viele Meldungen"))
    groups = _groups(shown, catalogue, named_already=bool(common or of))
    phrases = [_phrase(group) for group in groups[:NAMED]]
    rest = len(groups) - NAMED
    if rest > 0:
        phrases.append(str(ngettext("zu einer weiteren Sache", "zu %(num)s weiteren Sachen", rest)))
    return f"{lead} {joined(phrases)}"


def _common(shown: Sequence[Incident], catalogue: Catalogue) -> str:
    """Return the one provider that several matters are about, each of them a service; else ""."""
    providers = {incident.provider for incident in shown}
    matters = {(incident.service, not incident.regions) for incident in shown}
    if len(providers) != 1 or len(matters) < 2 or ALL in providers:
        return ""
    return providers.pop() if all(service in catalogue.services for service, _national in matters) else ""


def _groups(incidents: Sequence[Incident], catalogue: Catalogue, *, named_already: bool) -> list[Group]:
    found: dict[tuple[str, str, bool], Group] = {}
    for incident in incidents:
        national = not incident.regions
        key = incident.provider, incident.service, national
        service = catalogue.services.get(incident.service) if named_already else None
        matter = introduced(service.id, named(service.name_de)) if service else about(incident, catalogue)
        group = found.setdefault(key, Group(matter, [], national))
        group.places.append(_roughly(incident, catalogue))
    return list(found.values())


def _roughly(incident: Incident, catalogue: Catalogue) -> str:
    """Return the place in few words: of several districts the largest, and that it is not alone."""
    place = where(incident, catalogue)
    known = [catalogue.regions[r] for r in incident.regions if r in catalogue.regions]
    if len(known) < 2 or place in {place_name(land, catalogue) for land in catalogue.laender}:
        return place
    return str(_("%(place)s und Umgebung", place=max(known, key=lambda r: r.population).name))


def _phrase(group: Group) -> str:
    if group.national:
        return str(_("bundesweit %(about)s", about=group.about))
    return str(_("%(about)s aus %(places)s", about=group.about, places=joined(_counted(group.places))))


def _counted(places: Sequence[str]) -> list[str]:
    if len(places) <= PLACES:
        return list(places)
    rest = len(places) - PLACES + 1
    return [*places[: PLACES - 1], str(ngettext("einem weiteren Gebiet", "%(num)s weiteren Gebieten", rest))]


def concerning(stream: Stream, catalogue: Catalogue) -> str:
    """Return what a filter leaves of the matters, to be put behind "Meldungen": "zu O2"; or ""."""
    service, provider = catalogue.services.get(stream.service), catalogue.provider(stream.provider).name
    if service is None:
        return "" if stream.provider == ALL else str(_("zu %(matter)s", matter=provider))
    if stream.provider == ALL:
        return str(_("zu %(matter)s", matter=named(service.name_de)))
    matter = _("%(service)s von %(provider)s", service=named(service.name_de), provider=provider)
    return str(_("zu %(matter)s", matter=matter))
