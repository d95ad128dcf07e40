"""/feed.atom, and one of each provider, Land and Kreis: the incidents that newsrooms follow. I/O."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from flask import Blueprint, Response, abort, request
from flask_babel import format_date, format_decimal
from flask_babel import gettext as _

from aggregator.catalogue import Catalogue
from aggregator.clock import floor_to
from aggregator.export.atom import MEDIA_TYPE, Entry, write_atom
from aggregator.model import Filter, Incident
from aggregator.record import Correction
from aggregator.store import corrections, incidents
from aggregator.store.incidents import Turns
from aggregator.web import story
from aggregator.web.asked import A_MINUTE
from aggregator.web.desk import facts, instance, local, now
from aggregator.web.language import chosen, present

MOST: Final = 50
SEARCHED: Final = 300  # incidents among which those that were strong are looked for
blueprint = Blueprint("feed", __name__)


@blueprint.get("/feed.atom")
def nation() -> Response:
    """Answer the feed of all incidents."""
    return _feed(Filter(), str(_("Netzlage: auffällige Häufungen von Meldungen")))


@blueprint.get("/anbieter/<provider>/feed.atom")
def of_provider(provider: str) -> Response:
    """Answer the feed of a provider, by its id."""
    catalogue = facts()
    if provider not in catalogue.providers:
        abort(404)
    name = catalogue.provider(provider).name
    return _feed(Filter(provider=provider), str(_("Netzlage: %(name)s", name=name)))


@blueprint.get("/region/<region>/feed.atom")
def of_region(region: str) -> Response:
    """Answer the feed of a Kreis or a Land, by its AGS."""
    catalogue = instance().catalogue
    if region not in catalogue.regions and region not in catalogue.laender:
        abort(404)
    return _feed(Filter(region=region), str(_("Netzlage: %(name)s", name=story.place_name(region, catalogue))))


def _feed(f: Filter, title: str) -> Response:
    """Answer what was strong once, or with ?threshold=suspected all; an entry an incident, dated by its last change."""
    everything = request.args.get("threshold") == "suspected"
    with instance().store.read() as connection:
        found = incidents.find(connection, f, limit=SEARCHED)
        turns = incidents.turns(connection, [incident.incident_id for incident in found])
        found = [one for one in found if everything or turns[one.incident_id].strong_at][:MOST]
        corrected = corrections.find(connection, [incident.incident_id for incident in found])
    catalogue = facts()
    entries = [_entry(catalogue, one, turns[one.incident_id], corrected.get(one.incident_id, ())) for one in found]
    pieces = write_atom(
        entries,
        title=title,
        base_url=instance().settings.base_url or request.url_root.rstrip("/"),
        path=request.path + "?threshold=suspected" * everything,
        updated=max((entry.updated for entry in entries), default=floor_to(now(), A_MINUTE)),  # alike from each process
        simulated=instance().clock.simulated,
        language=present(),
        query=f"?lang={chosen()}" if chosen() else "",
    )
    return Response(b"".join(pieces), content_type=MEDIA_TYPE)


def _entry(catalogue: Catalogue, incident: Incident, turns: Turns, corrected: Sequence[Correction]) -> Entry:
    since = local(incident.onset)
    title = _(
        "%(where)s: %(reports)s Meldungen zu %(what)s seit etwa %(since)s Uhr (%(day)s)",
        where=story.where(incident, catalogue),
        reports=format_decimal(incident.reports),
        what=story.what(incident, catalogue),
        since=f"{since:%H:%M}",
        day=format_date(since, _("dd.MM.y")),
    )
    if incident.state == "withdrawn":
        title = _("Zurückgezogen. %(sentence)s", sentence=title)
    reserve = _("Meldungen sind keine Ausfälle und nicht repräsentativ.")
    told = "".join(f"{story.correction(one)} " for one in corrected)
    summary = f"{told}{story.state(incident)}; {story.usual(incident)}. {reserve}"
    return Entry(
        path=f"/vorfall/{incident.incident_id}",
        title=str(title),
        summary=summary,
        published=incident.first_alarm_at,
        updated=max([turns.last_at or incident.updated_at, *(one.at for one in corrected)]),
        state=(incident.state, story.state(incident)),
        cap=f"/vorfall/{incident.incident_id}.cap.xml" if turns.strong_at else "",
    )
