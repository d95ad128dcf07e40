"""/bilanz, the public record, and the package that an incident's score can be computed from again. I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, Response, abort, jsonify, make_response, render_template
from flask_babel import lazy_gettext

from aggregator.balance import Entry, balance
from aggregator.export.table import iso
from aggregator.model import Filter
from aggregator.proofs import package
from aggregator.record import Outcome
from aggregator.web import story
from aggregator.web.desk import facts, instance
from aggregator.web.pages import moment

OUTCOMES: Final[dict[Outcome, Any]] = {
    "acknowledged": lazy_gettext("vom Anbieter bestätigt"),
    "independent_signal": lazy_gettext("von unabhängiger Messung gestützt"),
    "not_an_outage": lazy_gettext("keine Störung"),
    "manipulation": lazy_gettext("Manipulation"),
    "unresolved": lazy_gettext("ungeklärt"),
}
blueprint = Blueprint("record", __name__)


@dataclass(frozen=True, slots=True)
class Line:
    """An alarm as the page shows it."""

    entry: Entry
    title: str
    outcome: str


@blueprint.get("/bilanz")
def record() -> str:
    """Show every alarm and what it turned out to be, what was missed, and false alarms promised and kept."""
    at, as_of = moment()
    found = balance(instance(), Filter(as_of=as_of))
    catalogue = facts()
    lines = [Line(e, story.title(e.incident, catalogue), str(OUTCOMES[e.verdict.outcome])) for e in found.entries]
    return render_template(
        "bilanz.html",
        at=at,
        as_of=as_of,
        lines=lines,
        outcomes=[(str(word), found.outcomes[code]) for code, word in OUTCOMES.items()],
        missed=[(catalogue.provider(said.provider).name, said) for said in found.missed],
        kept=found.kept,
    )


@blueprint.get("/bilanz.json")
def summary() -> Response:
    """Answer the sums of the record; its rows are at /api/v1/record."""
    at, as_of = moment()
    found = balance(instance(), Filter(as_of=as_of))
    kept = found.kept
    return jsonify(
        at=iso(at),
        promised_a_week=kept.promised,
        weeks=kept.weeks,
        alarms=kept.alarms,
        missed=len(found.missed),
        outcomes={code: found.outcomes[code] for code in OUTCOMES},
        false_a_week=_rate(kept.rate),
        false_a_week_at_most=_rate(kept.at_most),
        simulated=instance().clock.simulated,
    )


def _rate(rate: tuple[float, float, float] | None) -> dict[str, Any] | None:
    return dict(zip(("rate", "low", "high"), rate, strict=True)) if rate else None


@blueprint.get("/vorfall/<incident_id>/nachrechnen.zip")
def again(incident_id: str) -> Response:
    """Send what the incident's score stands on, frozen when it was given."""
    _, as_of = moment()
    data = package(instance(), incident_id, as_of)
    if data is None:
        abort(404)
    mark = "-SIMULATION" * instance().clock.simulated
    name = f'attachment; filename="nachrechnen-{incident_id}{mark}.zip"'
    return make_response(data, 200, {"Content-Type": "application/zip", "Content-Disposition": name})
