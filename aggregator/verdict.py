"""Alarms and what was said and measured about them -> what each turned out to be, and what was missed. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from aggregator.model import ALL, Incident, Signal, Statement
from aggregator.record import Correction, Judgement, Outcome

BEFORE: Final = timedelta(hours=12)  # how long before the onset a provider's words belong to an alarm
AFTER: Final = timedelta(days=3)  # how long after its end
MEASURED_BEFORE: Final = timedelta(hours=1)  # the same of what others measured
ONE_OUTAGE: Final = timedelta(days=1)  # statements of one provider and service this close are about one outage
YES: Final = frozenset({"acknowledged", "partly_acknowledged"})
MEASURED: Final = frozenset({"drop", "outage"})  # a count of reports is people again, not a second kind of evidence
MASS: Final = re.compile(r"manip|massenmeld|spam|bot-?netz|gefälscht|fälschung", re.IGNORECASE)
Ground = Literal["statement", "signal", "person", "none"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an alarm turned out to be; on what ground, when that was known, in what words, and where it is found."""

    outcome: Outcome
    ground: Ground = "none"
    at: datetime | None = None
    text: str = ""
    link: str = ""


UNRESOLVED: Final = Verdict("unresolved")


def judge(
    incident: Incident,
    statements: Iterable[Statement],
    signals: Iterable[Signal],
    corrections: Sequence[Correction] = (),
    judgement: Judgement | None = None,
) -> Verdict:
    """Return what an alarm turned out to be: by a person's word, else the provider's own, else somebody's measurement.

    corrections: of the incident, newest first. A withdrawn alarm was none, or manipulation where its note says so.
    """
    if judgement:
        return Verdict(judgement.outcome, "person", judgement.at, judgement.text)
    if incident.state == "withdrawn":
        return _withdrawn(corrections)
    said = next((s for s in statements if _acknowledges(s) and about(s, incident)), None)
    if said:
        return Verdict("acknowledged", "statement", said.said_at, said.quote, said.link)
    seen = next((s for s in signals if s.what in MEASURED and _measures(s, incident)), None)
    if seen:
        return Verdict("independent_signal", "signal", seen.started_at, seen.source, seen.link)
    return UNRESOLVED


def _withdrawn(corrections: Sequence[Correction]) -> Verdict:
    note = next((c for c in corrections if c.kind == "withdraw"), None)
    if note is None:
        return Verdict("not_an_outage", "person")
    return Verdict("manipulation" if MASS.search(note.text) else "not_an_outage", "person", note.at, note.text)


def _acknowledges(statement: Statement) -> bool:
    """Say whether the provider itself confirms: what others tell of it is no confirmation."""
    return statement.channel == "official" and statement.stance in YES


def about(statement: Statement, incident: Incident) -> bool:
    """Say whether a statement is about an incident: it names it, or fits its provider, service and time."""
    if statement.incident_id:
        return statement.incident_id == incident.incident_id
    if statement.provider not in incident.providers:
        return False
    if ALL not in (statement.service, incident.service) and statement.service != incident.service:
        return False
    end = incident.ended_at or max(incident.updated_at, statement.said_at)
    return incident.onset - BEFORE <= statement.said_at <= end + AFTER


def _measures(signal: Signal, incident: Incident) -> bool:
    """Say whether a measurement is about an incident's provider, or names none but one of its districts."""
    if signal.provider:
        fits = signal.provider in incident.providers
    else:
        fits = incident.provider == ALL and len(signal.region) == 5 and signal.region in incident.regions
    end = incident.ended_at or max(incident.updated_at, signal.started_at)
    return fits and signal.started_at <= end and (signal.ended_at or end) >= incident.onset - MEASURED_BEFORE


def missed(statements: Iterable[Statement], incidents: Sequence[Incident]) -> list[Statement]:
    """Return the outages that a provider itself confirmed and no alarm stood for, each by its first statement."""
    alarms = [incident for incident in incidents if incident.state != "withdrawn"]
    found: list[Statement] = []
    last: dict[tuple[str, str], datetime] = {}
    for said in sorted(statements, key=lambda s: (s.said_at, s.statement_id)):
        if not _acknowledges(said) or any(about(said, incident) for incident in alarms):
            continue
        key = said.provider, said.service
        if key not in last or said.said_at - last[key] > ONE_OUTAGE:
            found.append(said)
        last[key] = said.said_at
    return found
