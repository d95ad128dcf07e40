"""/anbieter/SLUG and /region/AGS: everything that is known of one provider, one Kreis, one Land. I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, abort, render_template
from flask_babel import gettext as _

from aggregator.clock import BERLIN
from aggregator.draw.series import inline_series
from aggregator.model import ALL, Filter, Incident, Stream
from aggregator.store import cube, names, statements
from aggregator.web import figures, headline, story
from aggregator.web.asked import A_MINUTE, Asked, read
from aggregator.web.desk import instance
from aggregator.web.findings import finding, goes_on, row, touching
from aggregator.web.language import named
from aggregator.web.promise import in_force, limits_of
from aggregator.web.timely import last_look, unlooked

PAST: Final = 20  # incidents shown; all are in the archive
SAID: Final = 10  # statements shown
LEAST: Final = 1.0  # reports usual in a day from which on a provider has a row of its own
blueprint = Blueprint("about", __name__)
Places = Sequence[str] | None


@dataclass(frozen=True, slots=True)
class Share:
    """How many reports a part of the page's matter brought in 24 hours (None: not listened to), and what is usual."""

    name: str
    link: str
    reports: int | None
    usual: float


@blueprint.get("/anbieter/<provider>")
def provider_page(provider: str) -> str:
    """Show what is known of one provider."""
    with instance().store.read() as connection:
        known = instance().catalogue.providers.get(provider)
        heard_of = names.all(connection).get(provider)
        if known is None and heard_of is None:
            abort(404)
        asked = read({"provider": provider}, instance())
        view = figures.view(connection, instance(), asked.at)
        told = statements.find(connection, Filter(provider=provider, until=asked.at + A_MINUTE))
        title = known.name if known else str(heard_of)
        return render_template(
            "ort.html",
            title=title,
            provider=known,
            told=list(reversed(told))[:SAID],
            shares=list(_of_services(view, asked, known.services if known else ())),
            feed=f"/anbieter/{provider}/feed.atom",
            more=f"/archiv?provider={provider}",
            subscribe=f"/abonnieren?provider={provider}" if known else "",
            **_known(view, asked, None, title),
        )


@blueprint.get("/region/<region>")
def region_page(region: str) -> str:
    """Show what is known of a Kreis or a Land."""
    catalogue = instance().catalogue
    place = catalogue.regions.get(region) or catalogue.laender.get(region)
    if place is None:
        abort(404)
    inside = [r for r in catalogue.regions if r.startswith(region)]
    with instance().store.read() as connection:
        asked = read({"region": region}, instance())
        view = figures.view(connection, instance(), asked.at)
        title = story.place_name(region, catalogue)
        return render_template(
            "ort.html",
            title=title,
            region=place,
            land=catalogue.laender.get(place.parent),
            inside=[catalogue.regions[r] for r in inside] if place.parent == "" else [],
            neighbours=[catalogue.regions[r] for r in catalogue.neighbours.get(region, ())],
            shares=list(_of_providers(view, asked, inside)),
            feed=f"/region/{region}/feed.atom",
            more=f"/archiv?region={region}",
            subscribe=f"/abonnieren?region={region}",
            **_known(view, asked, inside, title),
        )


def _known(view: figures.View, asked: Asked, places: Places, title: str) -> dict[str, Any]:
    """Return what both kinds of page show: the answer, findings, the past, the curve, the limits."""
    connection, catalogue = view.connection, view.instance.catalogue
    found = touching(connection, Filter(asked.provider, region=asked.region))
    going = sorted((i for i in found if goes_on(i, asked)), key=lambda i: i.rank)
    past = [i for i in found if not goes_on(i, asked)]
    judged = in_force(connection, instance(), asked.at)
    drawn = figures.curve(view, figures.Part(asked.stream, places, asked.start, asked.at))
    label = _("Meldungen je Viertelstunde in den letzten 24 Stunden: %(title)s", title=title)
    return {
        "at": asked.at,
        "headline": f"{title}: {_answer(view, asked, going)}",
        "findings": [finding(view, incident, asked, judged) for incident in going],
        "rows": [row(view, incident) for incident in past[:PAST]],
        "past": len(past),
        "curve": inline_series(
            drawn.series, BERLIN, label=str(label), onset_label="", simulated=instance().clock.simulated
        ),
        "total": drawn.total,
        "limits": limits_of(connection, instance(), asked.at, provider=asked.provider, places=places),
        "catalogue": catalogue,
    }


def _answer(view: figures.View, asked: Asked, going: Sequence[Incident]) -> str:
    """Return whether something is going on, or why that cannot be said."""
    if going:
        strong = {i.incident_id for i in going if figures.was_strong(view, i)}
        return headline.situation(going, strong, view.instance.catalogue, of=asked.provider)
    if figures.deaf(view, asked.at, asked.stream.provider):
        return str(_("keine Aussage möglich, es wird zu wenig gehört"))
    if (look := last_look(view.connection, asked.at)).late:
        said = unlooked(look, asked.at)
        return said[:1].lower() + said[1:]
    values = figures.map_values(view, (), asked.at, asked.stream)
    if asked.region and all(value == "few" for region, value in values.items() if region.startswith(asked.region)):
        return str(_("keine Häufung, aber zu wenig Meldungen für eine Aussage"))
    return str(_("zurzeit keine auffällige Häufung von Meldungen"))


def _of_services(view: figures.View, asked: Asked, services: Iterable[str]) -> Iterable[Share]:
    """Yield what came about each service that the provider sells."""
    counts, catalogue = _counts(view, asked, "service"), instance().catalogue
    heard = figures.heard(view, asked.provider, asked.start, asked.at)
    for service in services or sorted(counts):  # of who is in no catalogue, those that are told of
        usual = figures.usual(view, figures.Part(Stream(asked.provider, service), None, asked.start, asked.at))
        link = f"/?provider={asked.provider}&service={service}"
        yield Share(named(catalogue.services[service].name_de), link, counts.get(service, 0) if heard else None, usual)


def _of_providers(view: figures.View, asked: Asked, places: Sequence[str]) -> Iterable[Share]:
    """Yield what came from here about each provider of whom something came or usually comes."""
    counts = _counts(view, asked, "provider")
    for provider in sorted(view.instance.catalogue.providers.values(), key=lambda one: one.name.casefold()):
        usual = figures.usual(view, figures.Part(Stream(provider.id, ALL), places, asked.start, asked.at))
        if provider.id in counts or usual >= LEAST:
            heard = figures.heard(view, provider.id, asked.start, asked.at)
            count = counts.get(provider.id, 0) if heard else None
            yield Share(provider.name, f"/anbieter/{provider.id}", count, usual)


def _counts(view: figures.View, asked: Asked, by: str) -> dict[str, int]:
    """Return the reports per provider or service."""
    found = cube.frame(view.connection, asked.filter).groupby(by)["count"].sum()
    return {str(name): int(count) for name, count in found.items()}
