"""The pages that people read: the situation, providers, regions, archive, sources. I/O."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, abort, render_template, request
from flask_babel import gettext as _

from aggregator.clock import BERLIN
from aggregator.draw.map import VALUES, Value, inline_map
from aggregator.draw.series import Word, inline_series, spark
from aggregator.health import health
from aggregator.model import ALL, Filter, Incident, Stream
from aggregator.store import Connection, crowds, cube, incidents, names
from aggregator.web import figures, story
from aggregator.web.desk import instance, now
from aggregator.web.language import present
from aggregator.web.params import Invalid, parse
from aggregator.web.promise import promise
from aggregator.web.said import asked, silence

A_DAY = timedelta(days=1)
MOST = 300  # incidents of a list
blueprint = Blueprint("pages", __name__)


def moment(asked: str | None = None) -> tuple[datetime, datetime | None]:
    """Return the time that the page shows, and `as_of` where the address names one (then both are the same).

    asked: what it names; None: that of the present request.
    """
    try:
        as_of = parse({"as_of": request.args.get("as_of", "") if asked is None else asked}, instance()).filter.as_of
    except Invalid:
        abort(400)
    return (min(as_of, now()), min(as_of, now())) if as_of else (now(), None)


def map_words() -> dict[Value, str]:
    """Return what each value of the map means."""
    return {
        "strong": _("stark auffällig"), "suspected": _("auffällig"), "nothing": _("nichts Auffälliges"),
        "few": _("zu wenig Meldungen für eine Aussage"), "blind": _("nicht abgehört"),
    }  # fmt: skip


def _drawn(curve: figures.Curve, label: str) -> str:
    simulated = instance().clock.simulated
    return inline_series(curve.series, BERLIN, label=label, onset_label="", simulated=simulated)


def _map(values: dict[str, Value], shown: Sequence[Incident]) -> str:
    districts = figures.districts(instance(), values, shown, map_words())
    return inline_map(instance().catalogue.shapes, districts, simulated=instance().clock.simulated)


def _row(incident: Incident, at: datetime) -> dict[str, Any]:
    return {
        "incident": incident,
        "title": story.title(incident, instance().catalogue),
        "state": story.state(incident),
        "counted": story.counted(incident, at),
    }


def _finding(view: figures.View, incident: Incident) -> dict[str, Any]:
    told = figures.words_of_the_provider(view, incident)
    part = figures.Part(incident.stream, incident.regions or None, view.at - A_DAY, view.at)
    drawn = figures.curve(view, part, incident=incident, said=[Word(s.said_at, "") for s in told])
    return {
        **_row(incident, view.at),
        "said": told[-1] if told else None,
        "silence": silence(view, incident),
        "asked": [one for one in asked(view, incident, told) if one.answer is None],
        "spark": spark(drawn.series, BERLIN, simulated=instance().clock.simulated),
    }


@blueprint.get("/archiv")
def archive() -> str:
    """List past and present incidents, newest first."""
    try:
        values = {k: request.args.get(k, "") for k in ("provider", "region", "since", "until")}
        asked = parse(values, instance(), language=present())
    except Invalid as error:
        return render_template("archiv.html", at=now(), rows=[], errors=error.errors, values=request.args)
    with instance().store.read() as connection:
        found = incidents.find(connection, asked.filter, limit=MOST)
    return render_template(
        "archiv.html", at=now(), rows=[_row(i, now()) for i in found], errors={}, values=request.args
    )


@blueprint.get("/anbieter/<provider>")
def provider_page(provider: str) -> str:
    """Show what is known of one provider."""
    with instance().store.read() as connection:
        known = instance().catalogue.providers.get(provider)
        named = names.all(connection).get(provider)
        if known is None and named is None:
            abort(404)
        found = incidents.find(connection, Filter(provider=provider), limit=MOST)
        drawn = _of_a_day(connection, Stream(provider, ALL), None)
    title = known.name if known else str(named)
    return render_template("ort.html", title=title, provider=known, rows=[_row(i, now()) for i in found], **drawn)


@blueprint.get("/region/<region>")
def region_page(region: str) -> str:
    """Show what is known of a Kreis or a Land."""
    catalogue = instance().catalogue
    place = catalogue.regions.get(region) or catalogue.laender.get(region)
    if place is None:
        abort(404)
    inside = [r for r in catalogue.regions if r.startswith(region)]
    with instance().store.read() as connection:
        found = incidents.find(connection, Filter(region=region), limit=MOST)
        drawn = _of_a_day(connection, Stream(ALL, ALL), inside)
    return render_template(
        "ort.html", title=story.place_name(place.id, catalogue), region=place, rows=[_row(i, now()) for i in found],
        land=catalogue.laender.get(place.parent), inside=inside if len(region) == 2 else [], catalogue=catalogue,
        **drawn,
    )  # fmt: skip


def _of_a_day(connection: Connection, stream: Stream, regions: Sequence[str] | None) -> dict[str, Any]:
    at = now()
    view = figures.view(connection, instance(), at)
    drawn = figures.curve(view, figures.Part(stream, regions, at - A_DAY, at))
    label = _("Meldungen je Viertelstunde in den letzten 24 Stunden")
    return {"curve": _drawn(drawn, label), "total": drawn.total, "at": at}


@blueprint.get("/quellen")
def sources() -> str:
    """Show each feed's health, and where the facts come from."""
    with instance().store.read() as connection:
        rows = health(connection, now())
        span = cube.span(connection)
    return render_template("quellen.html", at=now(), rows=rows, span=span, facts=instance().catalogue.attributions)
