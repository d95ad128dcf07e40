"""Incidents -> what a list says of each: how many, since when, growing or easing, how sure, who said what. I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import sqrt
from typing import Final

from flask_babel import format_decimal, ngettext
from flask_babel import gettext as _

from aggregator.clock import BERLIN, floor_to
from aggregator.detect.calibrate import Calibration
from aggregator.detect.cube import bucket_number
from aggregator.draw.series import Word, spark
from aggregator.frames import BUCKET
from aggregator.model import Filter, Incident, Statement
from aggregator.store import Connection, incidents
from aggregator.web import figures, story
from aggregator.web.asked import Asked
from aggregator.web.desk import instance
from aggregator.web.promise import weeks
from aggregator.web.said import Asked as Enquired
from aggregator.web.said import asked as enquired
from aggregator.web.said import silence

AN_HOUR: Final = timedelta(hours=1)
LONGEST_CURVE: Final = timedelta(days=4)
LEAST_CURVE: Final = timedelta(hours=12)
LEAD: Final = timedelta(hours=6)  # shown before the onset


@dataclass(frozen=True, slots=True)
class Row:
    """An incident in a table: its name, its state in words, how many since when, how unusual at its height."""

    incident: Incident
    title: str
    state: str
    counted: str
    when: str
    kind: str  # strong or suspected: the colour


@dataclass(frozen=True, slots=True)
class Finding:
    """An incident in the list of findings."""

    row: Row
    trend: str
    sure: str
    said: Statement | None
    silence: str
    waiting: Sequence[Enquired]
    unit: str  # of the small curve, and its highest bar
    spark: str


def touching(connection: Connection, f: Filter, limit: int | None = None) -> list[Incident]:
    """Return the incidents that fit, the latest onset first; of a region those of the whole country too."""
    found = incidents.find(connection, f, limit=limit)
    if f.region:
        everywhere = incidents.find(connection, replace(f, region=""), limit=limit)
        found += [incident for incident in everywhere if not incident.regions]
    return sorted(found, key=lambda i: (i.onset, i.incident_id), reverse=True)[:limit]


def goes_on(incident: Incident, asked: Asked) -> bool:
    """Say whether the incident goes on at the time that is shown, and was not taken back."""
    return incident.state != "withdrawn" and (incident.ended_at is None or incident.ended_at > asked.at)


def row(view: figures.View, incident: Incident) -> Row:
    """Return what a table says of an incident."""
    kind = "strong" if figures.was_strong(view, incident) else "suspected"
    counted = story.counted(incident, view.at)
    title, state = story.title(incident, view.instance.catalogue), story.state(incident)
    return Row(incident, title, state, counted, _when(incident, view.at), kind)


def _when(incident: Incident, at: datetime) -> str:
    if incident.ended_at:
        return story.span(incident.onset, incident.ended_at, at)
    return str(_("seit %(since)s", since=story.clock(incident.onset, at)))


def finding(view: figures.View, incident: Incident, asked: Asked, judged: Calibration) -> Finding:
    """Return what the list of findings says of an incident."""
    told = figures.words_of_the_provider(view, incident)
    begin = min(incident.onset - LEAD, view.at - LEAST_CURVE)
    start = max(asked.start, view.at - LONGEST_CURVE, begin)
    part = figures.Part(incident.stream, incident.regions or None, start, view.at)
    drawn = figures.curve(view, part, incident=incident, said=[Word(s.said_at, "") for s in told])
    return Finding(
        row=row(view, incident),
        trend=trend(view, incident),
        sure=sure(incident, judged),
        said=told[-1] if told else None,
        silence=silence(view, incident),
        waiting=[one for one in enquired(view, incident, told) if one.answer is None],
        unit=_("je Viertelstunde, höchstens %(n)s", n=_n(max((n or 0 for n in drawn.series.counts), default=0))),
        spark=spark(drawn.series, BERLIN, simulated=instance().clock.simulated),
    )


def trend(view: figures.View, incident: Incident) -> str:
    """Say how many reports the last hour brought and the one before, and whether that is a difference.

    "" where not both were listened to.
    """
    end = floor_to(view.at, BUCKET)
    part = figures.Part(incident.stream, incident.regions or None, end - 2 * AN_HOUR, end)
    heard = figures.coverage(view, part.start, end)
    if (heard.heard(incident.provider, bucket_number(part.start), bucket_number(end)) == 0).any():
        return ""
    before, last = (figures.count(view, replace(part, start=s, end=s + AN_HOUR)) for s in (part.start, end - AN_HOUR))
    return f"{_lately(last, before)} {_course(last, before)}"


def _lately(last: int, before: int) -> str:
    told = ngettext("In der letzten Stunde %(n)s Meldung,", "In der letzten Stunde %(n)s Meldungen,", last, n=_n(last))
    return f"{told} {_('in der Stunde davor %(n)s:', n=_n(before))}"


def _n(count: int) -> str:
    return str(format_decimal(count))


def _course(last: int, before: int) -> str:
    """Return the word for the difference of two counts; within their scatter they are alike."""
    if abs(last - before) <= sqrt(last + before):
        return str(_("etwa gleich viele."))
    return str(_("es werden mehr.") if last > before else _("es werden weniger."))


def sure(incident: Incident, judged: Calibration) -> str:
    """Say in one line how seldom chance alone does this; no longer than was looked at."""
    if incident.cold:
        return str(_("Noch keine Vergleichsbasis: Wie selten das durch Zufall vorkommt, ist nicht bekannt."))
    told = incident.recurrence_weeks
    if told is None:
        return ""
    if told >= judged.weeks:
        least = weeks(judged.weeks)
        return str(_("Durch Zufall seltener als einmal in %(weeks)s, irgendwo in Deutschland.", weeks=least))
    return str(_("Durch Zufall etwa einmal in %(weeks)s, irgendwo in Deutschland.", weeks=weeks(told)))
