"""An incident where others take it in: the CAP message, the embedded page, oEmbed; what was strong only. I/O."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from flask import Blueprint, Response, abort, jsonify, make_response, render_template, request
from flask_babel import force_locale, lazy_gettext
from flask_babel import gettext as _
from markupsafe import escape

from aggregator.export.cap import MEDIA_TYPE, Message, Told, write_cap
from aggregator.model import Incident
from aggregator.record import Correction
from aggregator.store import Connection, corrections, incidents
from aggregator.web import figures, story
from aggregator.web.course import course, drawn_inline, unit
from aggregator.web.desk import facts, home, instance
from aggregator.web.incident import corrected
from aggregator.web.language import FIRST, LANGUAGES, chosen, present
from aggregator.web.pages import moment
from aggregator.web.said import said

WIDTH: Final = 640
HEIGHT: Final = 720
NARROWEST: Final = 200
FRESH: Final = 60  # seconds that an embedding site may keep the answer
EVENT: Final = lazy_gettext("Häufung von Störungsmeldungen")
CAP_LANGUAGES: Final = {"de": "de-DE", "en": "en-GB"}
blueprint = Blueprint("passing", __name__)


@blueprint.get("/vorfall/<incident_id>.cap.xml")
def cap(incident_id: str) -> Response:
    """Answer the last CAP message about an incident; as_of: the last one of then."""
    _at, as_of = moment()
    with instance().store.read() as connection:
        sent, notes = _messages(connection, incident_id, as_of)
        incident = incidents.get(connection, incident_id, sent[-1]) if sent else None
        if incident is None:
            abort(404)
        said = write_cap(_message(incident, sent, [one for one in notes if one.at == sent[-1]]))
        return make_response(said, 200, {"Content-Type": MEDIA_TYPE})


def _messages(
    connection: Connection, incident_id: str, as_of: datetime | None
) -> tuple[list[datetime], list[Correction]]:
    """Return when messages went out: at the first strong state, each change after it and each correction."""
    changes = incidents.transitions(connection, incident_id, as_of)
    first = next((change.at for change in changes if change.state == "strong"), None)
    if first is None:
        return [], []
    found = corrections.find(connection, [incident_id], as_of).get(incident_id, [])
    notes = [one for one in found if one.at >= first]
    return sorted({change.at for change in changes if change.at >= first} | {one.at for one in notes}), notes


def _message(incident: Incident, sent: list[datetime], notes: list[Correction]) -> Message:
    """Return the message in every language, the same whoever asks."""
    told = []
    for language, name in CAP_LANGUAGES.items():
        with force_locale(language):
            told.append(_told(name, incident, sent[-1], notes))
    return Message(
        incident_id=incident.incident_id,
        sent=sent,
        sender=f"netzlage@{urlsplit(home()).netloc}",
        told=told,
        districts=incident.regions,
        onset=incident.onset,
        over=incident.ended_at is not None,
        withdrawn=incident.state == "withdrawn",
        simulated=instance().clock.simulated,
    )


def _told(language: str, incident: Incident, at: datetime, notes: list[Correction]) -> Told:
    catalogue = facts()
    reserve = _(
        "Meldungen sind keine Ausfälle und nicht repräsentativ; wie viele Anschlüsse gestört sind und warum, "
        "folgt daraus nicht."
    )
    corrections_told = [story.correction(one) for one in notes]
    return Told(
        language,
        event=str(EVENT),
        headline=f"{'SIMULATION: ' * instance().clock.simulated}{story.title(incident, catalogue)}",
        description=" ".join([*corrections_told, f"{story.headline(incident, catalogue, at)}.", reserve]),
        web=f"{home()}/vorfall/{incident.incident_id}{'' if present() == FIRST else f'?lang={present()}'}",
        area=story.where(incident, catalogue) if incident.regions else str(_("Deutschland")),
    )


@blueprint.get("/vorfall/<incident_id>/einbetten")
def embedded(incident_id: str) -> str:
    """Show an incident inside a page of others: its sentence, its curve, where it comes from."""
    at, as_of = moment()
    with instance().store.read() as connection:
        incident = incidents.get(connection, incident_id, as_of) or abort(404)
        view = figures.view(connection, instance(), at, as_of, of=incident)
        drawn = course(view, incident)
        return render_template(
            "einbetten.html",
            incident=incident,
            headline=story.headline(incident, view.instance.catalogue, at),
            state=story.state(incident),
            corrections=corrected(view, incident),
            curve=drawn_inline(incident, drawn),
            unit=unit(drawn),
            said=said(view, incident),
            at=at,
            total=drawn.total,
            deaf=None in drawn.series.counts,
            address=_address(incident_id, as_of),
        )


def _address(incident_id: str, as_of: datetime | None, page: str = "") -> str:
    """Return the address of an incident's page or picture in the language that is spoken, so that it stays with it."""
    asked = [f"as_of={as_of:%Y-%m-%dT%H:%M:%SZ}"] if as_of else []
    asked += [f"lang={present()}"] if present() != FIRST or chosen() else []
    return f"{home()}/vorfall/{incident_id}{page}{'?' if asked else ''}{'&'.join(asked)}"


@blueprint.get("/oembed")
def oembed() -> Response:
    """Answer what a site needs to show one of our incidents for its address (oEmbed 1.0, JSON)."""
    if request.args.get("format", "json") != "json":
        abort(501)
    address = urlsplit(request.args.get("url", ""))
    if address.netloc not in {request.host, urlsplit(home()).netloc}:
        abort(404)
    incident_id = address.path.removeprefix("/vorfall/").strip("/")
    asked = parse_qs(address.query)
    as_of, tongue = moment(asked.get("as_of", [""])[0])[1], asked.get("lang", [chosen()])[0]
    with instance().store.read() as connection:
        incident = incidents.get(connection, incident_id, as_of)
        if incident is None or not _messages(connection, incident_id, as_of)[0]:
            abort(404)
    with force_locale(tongue if tongue in LANGUAGES else present()):
        return jsonify(_offer(incident, as_of))


def _offer(incident: Incident, as_of: datetime | None) -> dict[str, Any]:
    title = story.title(incident, facts())
    width, height = _least("maxwidth", WIDTH), _least("maxheight", HEIGHT)
    source = escape(_address(incident.incident_id, as_of, "/einbetten"))
    frame = f'<iframe src="{source}" width="{width}" height="{height}" title="{escape(title)}" loading="lazy"></iframe>'
    return {
        "version": "1.0",
        "type": "rich",
        "title": f"{'SIMULATION: ' * instance().clock.simulated}{title}",
        "provider_name": "Netzlage",
        "provider_url": f"{home()}/",
        "cache_age": FRESH,
        "width": width,
        "height": height,
        "html": frame,
        "thumbnail_url": _address(incident.incident_id, as_of, "/verlauf.png"),
        "thumbnail_width": 1200,
        "thumbnail_height": 675,
    }


def _least(name: str, usual: int) -> int:
    said = request.args.get(name, "")
    return min(usual, max(NARROWEST, int(said))) if said.isascii() and said.isdigit() and len(said) < 6 else usual
