"""The pages that people read: the situation, an incident, providers, regions, archive, sources. I/O."""

from __future__ import annotations

from collections import Counter
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
from aggregator.record import Correction
from aggregator.store import Connection, corrections, crowds, cube, incidents, names, reports
from aggregator.web import figures, story
from aggregator.web.desk import instance, now
from aggregator.web.language import present
from aggregator.web.params import Invalid, parse
from aggregator.web.promise import chance, in_force, promise
from aggregator.web.said import asked, said, silence

A_DAY = timedelta(days=1)
LONGEST_CURVE = timedelta(days=4)
LEAD = timedelta(hours=6)  # shown before the onset
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


@blueprint.get("/")
def situation() -> str:
    """Show what is going on, where, whose, since when, how sure."""
    at, as_of = moment()
    with instance().store.read() as connection:
        found = incidents.find(connection, Filter(since=at - A_DAY, until=at, as_of=as_of))
        going = sorted((i for i in found if i.ended_at is None and i.state != "withdrawn"), key=lambda i: -i.standard)
        view = figures.view(connection, instance(), at, as_of)
        values = figures.map_values(view, going, at)
        nation = figures.curve(view, figures.Part(Stream(ALL, ALL), None, at - A_DAY, at))
        return render_template(
            "lage.html",
            at=at,
            as_of=as_of,
            headline=story.situation(going, instance().catalogue),
            findings=[_finding(view, i) for i in going],
            ended=[_row(i, at) for i in found if i.state in {"over", "withdrawn"}],
            map=_map(values, going),
            legend=[(value, map_words()[value]) for value in VALUES],
            few=sum(value == "few" for value in values.values()),
            districts=len(values),
            nation=_drawn(nation, _("Meldungen je Viertelstunde, ganz Deutschland")),
            total=nation.total,
            heard=figures.sources_heard(connection),
            floods=_floods(connection, at),
            promise=promise(connection, instance(), at),
        )


def _floods(connection: Connection, at: datetime) -> list[str]:
    """Say what the last look left out because it came from one address block or was copied."""
    looked, _found = incidents.hotspots(connection, at)
    return [
        story.flood(crowd, instance().catalogue) for crowd in (crowds.left_out(connection, looked) if looked else ())
    ]


def _drawn(curve: figures.Curve, label: str, onset_label: str = "") -> str:
    simulated = instance().clock.simulated
    return inline_series(curve.series, BERLIN, label=label, onset_label=onset_label, simulated=simulated)


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


def _name(provider: str) -> str:
    known = instance().catalogue.providers.get(provider)
    return known.name if known else provider


@blueprint.get("/vorfall/<incident_id>")
def incident_page(incident_id: str) -> str:
    """Show the evidence of one incident."""
    at, as_of = moment()
    with instance().store.read() as connection:
        incident = incidents.get(connection, incident_id, as_of)
        if incident is None:
            abort(404)
        view = figures.view(connection, instance(), at, as_of)
        judged = in_force(connection, instance(), incident.updated_at)
        drawn = course(view, incident)
        shown = figures.beside(view, incident)
        values = figures.map_values(view, shown, incident.ended_at or at)
        return render_template(
            "vorfall.html",
            at=at,
            as_of=as_of,
            incident=incident,
            title=story.title(incident, instance().catalogue),
            headline=story.headline(incident, instance().catalogue, at),
            state=story.state(incident),
            said=said(view, incident),
            corrections=corrected(view, incident),
            transitions=incidents.transitions(connection, incident_id, as_of),
            evidence=_evidence(view, incident),
            judged=judged,
            chance=chance(incident, judged),
            curve=curve_of(incident, drawn, at),
            map=_map(values, shown),
            legend=[(value, map_words()[value]) for value in VALUES],
            provider_names=[(p, _name(p)) for p in incident.providers],
            others=_others(view, incident),
            total=drawn.total,
        )


def curve_of(incident: Incident, drawn: figures.Curve, at: datetime) -> str:
    """Return the curve of an incident as a page shows it."""
    onset = _("Beginn etwa %(time)s", time=story.clock(incident.onset, at))
    return _drawn(drawn, _("Meldungen je Viertelstunde"), onset)


def corrected(view: figures.View, incident: Incident) -> list[tuple[str, Correction]]:
    """Return the incident's corrections, newest first, each with its sentence."""
    found = corrections.find(view.connection, [incident.incident_id], view.as_of)
    return [(story.correction(one), one) for one in found.get(incident.incident_id, ())]


def course(view: figures.View, incident: Incident) -> figures.Curve:
    """Return the curve of an incident, from six hours before its onset until now or three hours after its end."""
    end = min(view.at, incident.ended_at + timedelta(hours=3)) if incident.ended_at else view.at
    start = max(incident.onset - LEAD, end - LONGEST_CURVE)
    told = figures.words_of_the_provider(view, incident)
    words = [Word(s.said_at, story.voice(s, _name(s.provider))) for s in told]
    part = figures.Part(incident.stream, incident.regions or None, start, end)
    return figures.curve(view, part, incident=incident, said=words)


def _evidence(view: figures.View, incident: Incident) -> dict[str, Any]:
    """Return what the evidence table needs beyond the incident: sources with their shares, places guessed from IP."""
    end = incident.ended_at or view.at
    f = Filter(incident.provider, incident.service, since=incident.onset, until=end, as_of=view.as_of)
    rows = reports.frame(view.connection, f, counted_only=True)
    if incident.regions:
        rows = rows[rows["region"].isin(incident.regions)]
    by_ip = int((rows["place_source"] == "ip").sum())
    return {
        "pattern": story.pattern(incident),
        "where": story.where(incident, instance().catalogue),
        "sources": Counter(rows["source"].tolist()).most_common(),
        "number": len(rows),
        "by_ip": by_ip,
        "ip_share": by_ip / len(rows) if len(rows) else 0.0,
    }


def _others(view: figures.View, incident: Incident) -> tuple[int, float] | None:
    """Return what other providers' customers report in the same districts since the onset, and what is usual."""
    if not incident.regions or incident.provider == ALL or view.baseline is None:
        return None
    end = incident.ended_at or view.at
    everybody = figures.compare(view, figures.Part(Stream(ALL, ALL), incident.regions, incident.onset, end))
    own = figures.compare(view, figures.Part(Stream(incident.provider, ALL), incident.regions, incident.onset, end))
    return everybody[0] - own[0], max(everybody[1] - own[1], 0.0)


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
