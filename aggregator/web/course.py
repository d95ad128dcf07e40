"""The curve of an incident, from shortly before its onset on: bars as wide as its length asks for. I/O."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Final

from flask_babel import format_datetime
from flask_babel import gettext as _

from aggregator.clock import BERLIN
from aggregator.draw.series import Word, inline_series
from aggregator.model import Incident, Statement
from aggregator.store.behind import known_by
from aggregator.web import figures, story
from aggregator.web.desk import instance

STEPS: Final = tuple(timedelta(minutes=minutes) for minutes in (15, 60, 180, 360, 1440))
MOST: Final = 200  # bars
LEAD: Final = timedelta(hours=6)  # shown before the onset
AFTER: Final = timedelta(hours=3)  # and after the end


def course(view: figures.View, incident: Incident) -> figures.Curve:
    """Return the curve of an incident, from six hours before its onset until now or three hours after its end."""
    told = figures.words_of_the_provider(view, incident)
    end = min(view.at, incident.ended_at + AFTER) if incident.ended_at else view.at
    if not incident.ended_at:  # as many reports as its sentence says, not those too that came since the last look
        view = replace(view, as_of=known_by(incident, view.as_of))
        end = max([incident.updated_at, *(said.said_at for said in told)])
    start = max(incident.onset - LEAD, end - MOST * STEPS[-1])
    step = next((step for step in STEPS if (end - start) / step <= MOST), STEPS[-1])
    part = figures.Part(incident.stream, incident.regions or None, start, end, step)
    return figures.curve(view, part, incident=incident, said=list(_words(view, told)))


def _words(view: figures.View, told: Iterable[Statement]) -> Iterable[Word]:
    for said in told:
        voice = story.voice(said, view.instance.catalogue.provider(said.provider).name)
        yield Word(said.said_at, f"{story.clock(said.said_at, view.at)}, {voice}")


def unit(curve: figures.Curve) -> str:
    """Return what a bar of the curve counts."""
    words = (
        _("Meldungen je Viertelstunde"), _("Meldungen je Stunde"), _("Meldungen je drei Stunden"),
        _("Meldungen je sechs Stunden"), _("Meldungen je Tag"),
    )  # fmt: skip
    return str(words[STEPS.index(curve.series.step)])


def onset_label(incident: Incident) -> str:
    """Return what stands at the dashed line; the day stands on the axis."""
    return str(_("Beginn etwa %(time)s Uhr", time=format_datetime(incident.onset, "HH:mm")))


def drawn_inline(incident: Incident, curve: figures.Curve) -> str:
    """Return the curve as a page shows it."""
    simulated, label = instance().clock.simulated, onset_label(incident)
    return inline_series(curve.series, BERLIN, label=unit(curve), onset_label=label, simulated=simulated)
