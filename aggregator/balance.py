"""The store -> the public record: alarms and what they turned out to be, what was missed, promised and kept. I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, cast, get_args

from aggregator.cleaning import clean
from aggregator.detect.interval import ratio_interval
from aggregator.errors import NetzlageError
from aggregator.instance import Instance
from aggregator.model import Filter, Incident, Statement
from aggregator.record import Judgement, Outcome
from aggregator.store import Connection, corrections, incidents, judgements, looks, signals, statements
from aggregator.verdict import Verdict, judge, missed

LONGEST: Final = 2000
FALSE: Final = ("not_an_outage", "manipulation")


@dataclass(frozen=True, slots=True)
class Entry:
    """An alarm and what it turned out to be."""

    incident: Incident
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Kept:
    """False alarms: how many a week at most were promised, and what came. weeks: how long it was looked at.

    false: withdrawn or judged to be none; unresolved: nobody knows. rate, at_most: a week, with its 95 % interval;
    at_most counts the unresolved ones as false. None before the first look.
    """

    promised: float
    weeks: float
    alarms: int
    false: int
    unresolved: int
    rate: tuple[float, float, float] | None
    at_most: tuple[float, float, float] | None


@dataclass(frozen=True, slots=True)
class Balance:
    """The record: alarms, the newest first, outages without an alarm, and false alarms promised and kept."""

    entries: Sequence[Entry]
    missed: Sequence[Statement]
    kept: Kept

    @property
    def outcomes(self) -> Counter[Outcome]:
        """Return how many alarms turned out to be what."""
        return Counter(entry.verdict.outcome for entry in self.entries)


def balance(instance: Instance, f: Filter) -> Balance:
    """Return the record of the alarms that fit `f`; as_of: as it stood then."""
    with instance.store.read() as connection:
        found = incidents.find(connection, f)
        everything = replace(f, region="", since=None, until=None, service="")
        alarms = found if f == Filter(as_of=f.as_of) else incidents.find(connection, everything)
        entries = _entries(connection, found, f.as_of)
        said = [s for s in statements.find(connection, f) if not f.region]
        weeks = looks.weeks(connection, f.as_of)
    kept = _kept(instance.settings.false_alarms_per_week, weeks, entries)
    return Balance(entries, [s for s in missed(said, alarms) if s.provider in instance.catalogue.providers], kept)


def _entries(connection: Connection, found: Sequence[Incident], as_of: datetime | None) -> list[Entry]:
    ids = [incident.incident_id for incident in found]
    corrected = corrections.find(connection, ids, as_of)
    judged = judgements.latest(connection, as_of)
    said = statements.find(connection, Filter(as_of=as_of))
    measured = signals.find(connection, Filter(as_of=as_of))
    return [
        Entry(i, judge(i, said, measured, corrected.get(i.incident_id, ()), judged.get(i.incident_id))) for i in found
    ]


def _kept(promised: float, weeks: float, entries: Sequence[Entry]) -> Kept:
    told = Counter(entry.verdict.outcome for entry in entries)
    false, unresolved = sum(told[outcome] for outcome in FALSE), told["unresolved"]
    rates = [(n / weeks, *ratio_interval(n, weeks)) if weeks > 0 else None for n in (false, false + unresolved)]
    return Kept(promised, weeks, len(entries), false, unresolved, rates[0], rates[1])


def put_judgement(instance: Instance, incident_id: str, outcome: str, text: str, *, author: str) -> Judgement:
    """Put on record what an alarm was, by a person's word. Raises NetzlageError."""
    said = clean(text, LONGEST)
    if outcome not in get_args(Outcome):
        raise NetzlageError(f"The outcome must be one of {', '.join(get_args(Outcome))}.")
    if not said:
        raise NetzlageError("Say on what evidence, in a sentence.")
    given = Judgement(incident_id, instance.clock.now(), cast(Outcome, outcome), said, author)
    with instance.store.write() as connection:
        if incidents.get(connection, incident_id) is None:
            raise NetzlageError(f"There is no incident {incident_id}.")
        judgements.add(connection, given)
    return given


def rows(instance: Instance, f: Filter) -> list[dict[str, Any]]:
    """Return the record as rows: alarms, then outages without one, in the columns of web/record.COLUMNS."""
    found = balance(instance, f)
    return [_alarm(entry) for entry in found.entries] + [_missed(said) for said in found.missed]


def _alarm(entry: Entry) -> dict[str, Any]:
    i, v = entry.incident, entry.verdict
    about = {name: getattr(i, name) for name in ("incident_id", "provider", "service", "regions", "first_alarm_at",
             "ended_at", "state", "recurrence_weeks")}  # fmt: skip
    return {"kind": "alarm", **about, **_of(v)}


def _of(verdict: Verdict) -> dict[str, Any]:
    return {
        "outcome": verdict.outcome,
        "ground": verdict.ground,
        "evidence": verdict.text,
        "evidence_at": verdict.at,
        "evidence_link": verdict.link,
    }


def _missed(said: Statement) -> dict[str, Any]:
    nothing = {"incident_id": "", "regions": (), "first_alarm_at": None, "ended_at": None, "state": ""}
    verdict = Verdict("acknowledged", "statement", said.said_at, said.quote, said.link)
    about = {"provider": said.provider, "service": said.service, "recurrence_weeks": None}
    return {"kind": "missed", **nothing, **about, **_of(verdict)}
