"""/vorfall/ID: everything that is known of one incident, and of which moment. I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from flask import Blueprint, Response, abort, render_template
from flask_babel import gettext as _

from aggregator.downloads import rows
from aggregator.draw.map import VALUES, Value, inline_map
from aggregator.export import TABLES, write_csv
from aggregator.model import Filter, Incident, Statement
from aggregator.record import Correction
from aggregator.store import Connection, corrections, incidents
from aggregator.store.behind import known_by
from aggregator.web import figures, story
from aggregator.web.answers import as_file
from aggregator.web.course import course, drawn_inline, unit
from aggregator.web.desk import home, instance
from aggregator.web.evidence import evidence
from aggregator.web.pages import map_words, moment
from aggregator.web.promise import chance, in_force
from aggregator.web.said import said
from aggregator.web.timeline import timeline

FORMATS: Final = ("16x9", "quadrat")
blueprint = Blueprint("incident", __name__)


@blueprint.get("/vorfall/<incident_id>")
def incident_page(incident_id: str) -> str:
    """Show the evidence of one incident."""
    at, as_of = moment()
    with instance().store.read() as connection:
        incident = incidents.get(connection, incident_id, as_of) or abort(404)
        view = figures.view(connection, instance(), at, as_of, of=incident)
        judged = in_force(connection, instance(), incident.updated_at)
        drawn = course(view, incident)
        told = said(view, incident)
        changes = incidents.transitions(connection, incident_id, as_of)
        catalogue = view.instance.catalogue
        return render_template(
            "vorfall.html",
            at=at,
            as_of=as_of,
            newer=_newer(connection, incident, as_of),
            incident=incident,
            title=story.title(incident, catalogue),
            headline=story.headline(incident, catalogue, at),
            state=story.state(incident),
            said=told,
            stand=_stance(told.statements),
            corrections=corrected(view, incident),
            was_public=any(change.state == "strong" for change in changes),
            timeline=timeline(view, incident, changes, told),
            evidence=evidence(view, incident, changes, told),
            judged=judged,
            begun=story.begun(incident, at),
            lasted=story.span(incident.onset, incident.ended_at, at) if incident.ended_at else "",
            chance=chance(incident, judged),
            curve=drawn_inline(incident, drawn),
            unit=unit(drawn),
            total=drawn.total,
            deaf=None in drawn.series.counts,
            where=story.where(incident, catalogue),
            about=story.about(incident, catalogue),
            **_map(view, incident),
            home=home(),
            formats=FORMATS,
        )


@blueprint.get("/vorfall/<incident_id>/meldungen.csv")
def its_reports(incident_id: str) -> Response:
    """Answer the reports that the incident counts, and those of the same that did not count, as far as given on."""
    _at, as_of = moment()
    with instance().store.read() as connection:
        incident = incidents.get(connection, incident_id, as_of) or abort(404)
    until = incident.ended_at or incident.updated_at  # a report of since is not counted by it yet
    known = known_by(incident, as_of)
    f = Filter(incident.provider, incident.service, since=incident.onset, until=until, as_of=known)
    its = (row for row in rows(instance(), "reports", f) if _is_of(incident, row))
    return as_file(write_csv(its, TABLES["reports"]), "csv", f"{incident_id}-meldungen")


def _is_of(incident: Incident, row: Mapping[str, Any]) -> bool:
    return row["provider"] in incident.providers and (not incident.regions or row["region"] in incident.regions)


def _newer(connection: Connection, incident: Incident, as_of: datetime | None) -> datetime | None:
    """Return when the incident was looked at last, if that is later than the state that is shown."""
    now = incidents.get(connection, incident.incident_id) if as_of else None
    return now.updated_at if now and now.updated_at > incident.updated_at else None


def _stance(statements: Sequence[Statement]) -> str:
    """Return in a word what the provider itself says: its last official statement."""
    official = [one for one in statements if one.channel == "official"]
    if official:
        return story.stance(official[-1])
    return str(_("nur aus zweiter Hand")) if statements else str(_("nichts bekannt"))


def _map(view: figures.View, incident: Incident) -> dict[str, object]:
    values, words = footprint(view, incident)
    drawn = inline_map(
        view.instance.catalogue.shapes,
        figures.districts(instance(), values, [incident], words),
        simulated=instance().clock.simulated,
    )
    there = set(values.values())
    catalogue = view.instance.catalogue
    others = [(one.incident_id, story.title(one, catalogue)) for one in figures.beside(view, incident)[:-1]]
    return {"map": drawn, "legend": [(value, words[value]) for value in VALUES if value in there], "beside": others}


def footprint(view: figures.View, incident: Incident) -> tuple[dict[str, Value], dict[Value, str]]:
    """Return the value of every district and the words for the values: of this incident alone, as its picture says.

    Of the other districts nothing is said. A national one is the country as a whole, and says nothing of a single one.
    """
    words, gone = map_words(), incident.state == "withdrawn"
    kind: Value = "strong" if figures.was_strong(view, incident) else "suspected"
    outside = _("zurückgezogen: kein Kreis gilt als auffällig") if gone else _("nicht Teil dieses Vorfalls")
    values: dict[str, Value] = dict.fromkeys(view.instance.catalogue.regions, "few")
    if gone:
        return values, {**words, "few": outside}
    if not incident.regions:
        whole = _("%(kind)s: das Land als Ganzes, nicht jeder Kreis", kind=words[kind])
        return dict.fromkeys(values, kind), {**words, kind: whole}
    inside = dict.fromkeys((region for region in incident.regions if region in values), kind)
    return {**values, **inside}, {**words, "few": outside}


def corrected(view: figures.View, incident: Incident) -> list[tuple[str, Correction]]:
    """Return the incident's corrections, newest first, each with what stands before its words."""
    found = corrections.find(view.connection, [incident.incident_id], view.as_of)
    return [(story.corrected_on(one), one) for one in found.get(incident.incident_id, ())]
