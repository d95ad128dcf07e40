"""What people wrote with their reports, where the operator publishes it: to read, to complain of, to moderate. I/O."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, Response, abort, jsonify, make_response, redirect, render_template, request

from aggregator.cleaning import clean
from aggregator.clock import floor_to
from aggregator.export.table import iso
from aggregator.frames import BUCKET
from aggregator.model import Filter, Incident
from aggregator.redact import redact
from aggregator.store import Connection, incidents, remarks
from aggregator.store.remarks import Remark
from aggregator.web import story
from aggregator.web.desk import facts, instance, now, writing
from aggregator.web.params import Invalid
from aggregator.web.rights import holder
from aggregator.web.sending import body

SHOWN: Final = 50
LISTED: Final = 500
LONGEST: Final = 200  # characters of a complaint
SCOPE: Final = "moderation"
blueprint = Blueprint("remarks", __name__)


@blueprint.app_context_processor
def _switch() -> dict[str, bool]:
    """Let every page know whether comments are published."""
    return {"comments_published": instance().settings.publish_comments}


@blueprint.get("/vorfall/<incident_id>/anmerkungen")
def read(incident_id: str) -> str:
    """Show the newest comments of an incident's reports, as plain text; 404 where the operator publishes none."""
    with instance().store.read() as connection:
        incident = _published(connection, incident_id)
        found = remarks.public(connection, _reports_of(incident), incident.regions or None, SHOWN)
    return render_template(
        "anmerkungen.html",
        incident=incident,
        title=story.title(incident, facts()),
        remarks=[_row(remark) for remark in found],
        at=now(),
        noted=request.args.get("beanstandet") == "1",
        longest=LONGEST,
    )


def _published(connection: Connection, incident_id: str) -> Incident:
    if not instance().settings.publish_comments:
        abort(404)
    return incidents.get(connection, incident_id) or abort(404)


def _reports_of(incident: Incident) -> Filter:
    return Filter(incident.provider, incident.service, since=incident.onset_earliest, until=incident.ended_at)


def _row(remark: Remark) -> dict[str, Any]:
    region = remark.region
    return {
        "id": remark.report_id,
        "at": floor_to(remark.observed_at, BUCKET),
        "place": instance().catalogue.region_name(region) if region else "",
        "text": remark.comment,
    }


@blueprint.post("/vorfall/<incident_id>/anmerkungen")
def complain(incident_id: str) -> Response:
    """Note a complaint about a comment; after three it is hidden until somebody has looked at it."""
    reason = redact(clean(request.form.get("reason", ""), LONGEST))
    with writing() as connection:
        _published(connection, incident_id)
        if not remarks.complain(connection, request.form.get("id", "")[:80], reason, now()):
            abort(404)
    return make_response(redirect(f"/vorfall/{incident_id}/anmerkungen?beanstandet=1", 303))


@blueprint.get("/api/v1/comments")
def listed() -> Response:
    """Answer the newest comments to who may moderate; only=complained or hidden."""
    holder(SCOPE)
    only = request.args.get("only", "")
    if only not in {"", "complained", "hidden"}:
        raise Invalid({"only": "only must be complained or hidden."})
    with instance().store.read() as connection:
        found = remarks.find(connection, only=only, limit=LISTED)
    return jsonify(items=[_moderated(remark) for remark in found], next=None)


def _moderated(remark: Remark) -> dict[str, Any]:
    values = {name: getattr(remark, name) for name in remark.__slots__}
    times = {"observed_at": iso(remark.observed_at), "hidden_at": iso(remark.hidden_at) or None}
    return {**values, **times, "shown": remark.shown}


@blueprint.post("/api/v1/comments/<report_id>")
def moderate(report_id: str) -> Response:
    """Hide a comment ({"shown": false}) or show it again ({"shown": true})."""
    holder(SCOPE)
    shown = body().get("shown")
    if not isinstance(shown, bool):
        raise Invalid({"shown": "shown must be true or false."})
    with writing() as connection:
        there = remarks.show(connection, report_id) if shown else remarks.hide(connection, report_id, now())
    if not there:
        abort(404)
    return jsonify(report_id=report_id, shown=shown)
