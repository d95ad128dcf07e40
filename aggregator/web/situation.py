"""/: what is going on, where, whose, since when, how sure, growing or easing. I/O."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from flask import Blueprint, Response, make_response, render_template, request
from flask_babel import gettext as _

from aggregator.clock import BERLIN
from aggregator.draw.map import VALUES, District, Value, inline_map
from aggregator.draw.series import inline_series
from aggregator.model import Incident, Region
from aggregator.store import crowds
from aggregator.web import figures, headline, story
from aggregator.web.asked import Asked, read, slider
from aggregator.web.desk import instance
from aggregator.web.findings import finding, goes_on, row, touching
from aggregator.web.pages import map_words
from aggregator.web.promise import in_force, promise
from aggregator.web.timely import Look, last_look, stores, unlooked, unstored

LONGEST_CURVE: Final = timedelta(days=4)
blueprint = Blueprint("situation", __name__)


@blueprint.get("/")
def situation() -> Response:
    """Show the situation, of the present or another time, of all or of what the filter names."""
    asked = read(request.args, instance())
    with instance().store.read() as connection:
        view = figures.view(connection, instance(), asked.at, asked.as_of)
        found = touching(connection, asked.filter)
        going = sorted((i for i in found if goes_on(i, asked)), key=lambda i: i.rank)
        judged = in_force(connection, instance(), asked.at)
        look = last_look(connection, asked.at)
        page = render_template(
            "lage.html",
            asked=asked,
            at=asked.at,
            slider=slider(asked),
            headline=_headline(view, asked, going, look),
            unsaid=_unsaid(view, asked, look),
            findings=[finding(view, incident, asked, judged) for incident in going],
            ended=[row(view, incident) for incident in found if not goes_on(incident, asked)],
            heard=figures.sources_heard(connection),
            look=look,
            unstored="" if asked.past or stores() else unstored(),
            floods=_floods(view, look),
            promise=promise(connection, instance(), asked.at),
            whose=_whose(view, asked),
            **_map(view, asked, going, look),
            **_curve(view, asked),
            **_choices(),
        )
    return make_response(page, 400 if asked.errors else 200)


def _headline(view: figures.View, asked: Asked, going: Sequence[Incident], look: Look) -> str:
    if going:
        strong = {i.incident_id for i in going if figures.was_strong(view, i)}
        return headline.situation(going, strong, view.instance.catalogue)
    if unsaid := _unsaid(view, asked, look):
        return unsaid
    if asked.past or asked.narrowed:
        return str(_("Keine auffällige Häufung von Meldungen%(whose)s", whose=_whose(view, asked)))
    return str(_("Zurzeit sind nirgends auffällig viele Meldungen"))


def _unsaid(view: figures.View, asked: Asked, look: Look) -> str:
    """Say why nothing can be said where nobody listened or looked, or nothing can be compared with; else ""."""
    if figures.deaf(view, asked.at, asked.stream.provider):
        return str(_("Keine Aussage möglich: Von dem, was sonst meldet, wird zu wenig gehört"))
    if view.baseline is None or view.baseline.cold:
        return str(_("Noch keine Aussage möglich: Es fehlt die Vergleichsbasis aus den ersten sieben Tagen"))
    return unlooked(look, asked.at, past=asked.past) if look.late else ""


def _whose(view: figures.View, asked: Asked) -> str:
    """Return what the filter leaves, to be put behind "Meldungen"."""
    catalogue, stream = view.instance.catalogue, asked.stream
    of = f" {headline.concerning(stream, catalogue)}" if asked.provider or asked.service else ""
    return of + (str(_(" aus %(place)s", place=story.place_name(asked.region, catalogue))) if asked.region else "")


def _floods(view: figures.View, look: Look) -> list[str]:
    """Say what the last look left out because it came from one address block or was copied."""
    left_out = crowds.left_out(view.connection, look.at) if look.at and not look.late else ()
    return [story.flood(crowd, view.instance.catalogue) for crowd in left_out]


def _map(view: figures.View, asked: Asked, going: Sequence[Incident], look: Look) -> dict[str, Any]:
    """Return the map, its legend, and the list that says the same: value, its words, the districts."""
    late = look.late and not figures.deaf(view, asked.at, asked.stream.provider)
    words = map_words(late=late)
    values = figures.map_values(view, going, asked.at, asked.stream, late=late)
    shown = {region: value for region, value in values.items() if region.startswith(asked.region)}
    districts = figures.districts(instance(), shown, going, words)
    listed = [(value, words[value], _of(districts, value)) for value in VALUES]
    return {
        "map": inline_map(instance().catalogue.shapes, districts, simulated=instance().clock.simulated),
        "legend": [(value, words[value]) for value in VALUES],
        "listed": [one for one in listed if one[2]],
        "few": sum(value == "few" for value in shown.values()),
        "districts": len(shown),
    }


def _of(districts: dict[str, District], value: Value) -> list[tuple[Region, str]]:
    regions = instance().catalogue.regions
    found = [(regions[region], district.link) for region, district in districts.items() if district.value == value]
    return sorted(found, key=lambda one: one[0].name)


def _curve(view: figures.View, asked: Asked) -> dict[str, Any]:
    """Return the curve of all that is asked for, and how many reports it shows."""
    inside = [r for r in instance().catalogue.regions if r.startswith(asked.region)] if asked.region else None
    start = max(asked.start, asked.at - LONGEST_CURVE)
    drawn = figures.curve(view, figures.Part(asked.stream, inside, start, asked.at))
    label = _("Meldungen je Viertelstunde%(whose)s", whose=_whose(view, asked) or _(", ganz Deutschland"))
    picture = inline_series(drawn.series, BERLIN, label=label, onset_label="", simulated=instance().clock.simulated)
    return {"curve": picture, "total": drawn.total, "since": start, "deaf": None in drawn.series.counts}


def _choices() -> dict[str, Any]:
    """Return what the filter offers."""
    catalogue = instance().catalogue
    return {
        "providers": sorted(catalogue.providers.values(), key=lambda provider: provider.name.casefold()),
        "services": list(catalogue.services.values()),
        "laender": [(land.id, story.place_name(land.id, catalogue)) for land in catalogue.laender.values()],
    }
