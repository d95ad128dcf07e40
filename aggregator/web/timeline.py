"""What happened around an incident, in the order of time: its changes, who was asked, who spoke, corrections. I/O."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import format_decimal
from flask_babel import gettext as _

from aggregator.model import Incident, Transition
from aggregator.store import corrections
from aggregator.web import figures, story
from aggregator.web.said import Said


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the timeline. kind: the colour (strong, suspected, word, quiet); then: what the page showed then.

    written: `more` are a person's words, in German in every language.
    """

    at: datetime
    kind: str
    what: str
    more: str = ""
    then: bool = False
    written: bool = False


def timeline(view: figures.View, incident: Incident, changes: Sequence[Transition], told: Said) -> list[Event]:
    """Return all events known at view.as_of, oldest first."""
    found = [*_own(incident), *_changes(changes), *_words(view, told), *_notes(view, incident)]
    return sorted(found, key=lambda event: event.at)


def _own(incident: Incident) -> Iterator[Event]:
    yield Event(incident.onset, "quiet", str(_("wahrscheinlichster Beginn")))
    if incident.ended_at and incident.state != "withdrawn":
        yield Event(incident.ended_at, "quiet", str(_("Ende der Häufung")))


def _changes(changes: Sequence[Transition]) -> Iterator[Event]:
    for change in changes:
        kind = change.state if change.state in {"strong", "suspected"} else "quiet"
        figures_then = _(
            "%(n)s Meldungen, üblich %(e)s, Wertung %(s)s",
            n=format_decimal(change.observed),
            e=format_decimal(round(change.expected, 1)),
            s=format_decimal(round(change.score, 1)),
        )
        gone = change.state == "withdrawn"
        more = change.note if gone else str(figures_then)
        yield Event(change.at, kind, story.state_word(change.state), more, then=True, written=gone)


def _words(view: figures.View, told: Said) -> Iterator[Event]:
    name = view.instance.catalogue.provider
    for i, said in enumerate(told.statements, 1):
        yield Event(said.said_at, "word", f"({i}) {story.voice(said, name(said.provider).name)}")
    for one in told.asked:
        yield Event(one.enquiry.asked_at, "word", str(_("%(name)s angefragt", name=one.name)))


def _notes(view: figures.View, incident: Incident) -> Iterator[Event]:
    found = corrections.find(view.connection, [incident.incident_id], view.as_of).get(incident.incident_id, ())
    for one in found:
        if one.kind == "note":
            yield Event(one.at, "quiet", str(_("Nachtrag")), one.text, written=True)
