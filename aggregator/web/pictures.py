"""Map and curve of an incident as pictures that can be lifted out alone: title, unit, time, n, source inside. I/O."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, abort, request
from flask_babel import format_decimal
from flask_babel import gettext as _

from aggregator.clock import BERLIN
from aggregator.downloads import sources_of
from aggregator.draw.map import picture_map
from aggregator.draw.png import to_png
from aggregator.draw.poster import picture_series
from aggregator.draw.svg import FORMATS, Caption, Format
from aggregator.model import Incident
from aggregator.record import Correction
from aggregator.store import incidents, sources
from aggregator.web import figures, story
from aggregator.web.course import course, onset_label, unit
from aggregator.web.desk import home, instance
from aggregator.web.evidence import source_name
from aggregator.web.incident import corrected, footprint
from aggregator.web.pages import moment

NAMED: Final = 4  # sources on a picture
MOST_NAMES: Final = 3  # districts that have their name on the map
blueprint = Blueprint("pictures", __name__)


@blueprint.get("/vorfall/<incident_id>/karte.<any(svg, png):kind>")
def map_file(incident_id: str, kind: str) -> Response:
    """Answer the map of an incident; ?format=quadrat (when left out) or 16x9."""
    form = _format("quadrat")
    at, as_of = moment()
    catalogue = instance().catalogue
    with instance().store.read() as connection:
        incident = incidents.get(connection, incident_id, as_of) or abort(404)
        view = figures.view(connection, instance(), at, as_of, of=incident)
        values, words = footprint(view, incident)
        number = format_decimal(incident.reports)
        unit = _(
            "Gebiet des Vorfalls: wo die Meldungen ungewöhnlich sind, nicht wie viele es sind; n = %(n)s", n=number
        )
        borders = _("Kreisgrenzen © GeoBasis-DE / BKG (2019), dl-de/by-2-0, Daten verändert.")
        caption = _caption(view, incident, unit, borders)
    districts = figures.districts(instance(), values, [incident], words)
    few = incident.regions if len(incident.regions) <= MOST_NAMES else ()
    named = {region: catalogue.regions[region].name for region in few if region in catalogue.regions}
    return _file(picture_map(catalogue.shapes, districts, caption, words, form=form, named=named), kind)


@blueprint.get("/vorfall/<incident_id>/verlauf.<any(svg, png):kind>")
def course_file(incident_id: str, kind: str) -> Response:
    """Answer the curve of an incident; ?format=16x9 (when left out) or quadrat."""
    form = _format("16x9")
    at, as_of = moment()
    with instance().store.read() as connection:
        incident = incidents.get(connection, incident_id, as_of) or abort(404)
        view = figures.view(connection, instance(), at, as_of, of=incident)
        drawn = course(view, incident)
        known = {"unit": unit(drawn), "n": format_decimal(drawn.total)}
        subtitle = _("%(unit)s, n = %(n)s im Bild; graues Band: üblich (95 von 100 Mal)", **known)
        if None in drawn.series.counts:
            subtitle += _("; heller Grund: nicht abgehört")
        caption = _caption(view, incident, subtitle, "")
        label = onset_label(incident)
    return _file(picture_series(drawn.series, BERLIN, caption, onset_label=label, form=form), kind)


def _format(usual: str) -> Format:
    return FORMATS.get(request.args.get("format", usual)) or abort(400)


def _caption(view: figures.View, incident: Incident, subtitle: str, credit: str) -> Caption:
    catalogue = view.instance.catalogue
    stand = story.long_time(incident.updated_at)
    return Caption(
        title=story.headline(incident, catalogue, incident.updated_at),
        subtitle=subtitle,
        note=_(
            "Meldungen sind keine Ausfälle und nicht repräsentativ; wie viele Anschlüsse gestört sind und warum, "
            "folgt daraus nicht."
        ),
        source=" ".join(
            filter(
                None,
                (_("Quelle: Netzlage, Stand %(at)s.", at=stand), _sources(view, incident), credit, _address(incident)),
            )
        ),
        simulated=instance().clock.simulated,
        enacted=_("Meldungen nachgestellt"),
        correction=_leading(corrected(view, incident)),
    )


def _sources(view: figures.View, incident: Incident) -> str:
    """Name where the reports of an incident came from, the most first, with the licence of each that has one."""
    licences = {source.name: source.licence for source in sources.all_of(view.connection) if source.licence}
    named = [
        f"{source_name(name)}{f' ({licences[name]})' if name in licences else ''}"
        for name in sources_of(view.connection, incident, view.as_of)
    ]
    if not named:
        return ""
    more = _(" und %(n)s weitere", n=len(named) - NAMED) if len(named) > NAMED else ""
    return str(_("Quellen der Meldungen: %(names)s%(more)s.", names=", ".join(named[:NAMED]), more=more))


def _address(incident: Incident) -> str:
    """Return where all of it can be looked up, without the scheme: a picture is read, not clicked."""
    return f"{home().partition('://')[2]}/vorfall/{incident.incident_id}"


def _leading(told: list[tuple[str, Correction]]) -> str:
    """Return the sentence of the withdrawal, else of the newest note; "" where nothing was corrected."""
    ordered = sorted((one for _before, one in told), key=lambda one: one.kind != "withdraw")
    return story.correction(ordered[0]) if ordered else ""


def _file(svg: str, kind: str) -> Response:
    if kind == "png":
        return Response(to_png(svg), mimetype="image/png")
    return Response(svg, mimetype="image/svg+xml")
