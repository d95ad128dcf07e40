"""What an alarm turned out to be, and which outages had no alarm."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from aggregator.model import ALL, Incident, Signal, Statement
from aggregator.record import Correction, Judgement
from aggregator.verdict import UNRESOLVED, judge, missed
from tests.making import at, incident


def said(minutes: float = 60, **values: Any) -> Statement:
    given: dict[str, Any] = {
        "statement_id": f"s{minutes}", "provider": "o2", "service": "mobile", "said_at": at(minutes), "quote": "Ja.",
        "stance": "acknowledged", "channel": "official", "source": "feed", "link": "https://example.org/1",
    }  # fmt: skip
    return Statement(**{**given, **values})


def signal(**values: Any) -> Signal:
    given: dict[str, Any] = {
        "signal_id": "x", "source": "ioda", "region": "", "started_at": at(20), "ended_at": at(50), "what": "drop",
        "provider": "o2",
    }  # fmt: skip
    return Signal(**{**given, **values})


def ended(**values: Any) -> Incident:
    return replace(incident(), ended_at=at(120), state="over", updated_at=at(120), **values)


def test_the_providers_own_word_acknowledges() -> None:
    verdict = judge(ended(), [said()], [signal()])
    assert (verdict.outcome, verdict.ground, verdict.at) == ("acknowledged", "statement", at(60))
    assert (verdict.text, verdict.link) == ("Ja.", "https://example.org/1")
    assert judge(ended(), [said(stance="partly_acknowledged")], []).outcome == "acknowledged"
    assert judge(ended(), [said(service=ALL)], []).outcome == "acknowledged"
    assert judge(ended(), [said(9000, incident_id=incident().incident_id)], []).outcome == "acknowledged"


@pytest.mark.parametrize(
    "values",
    [
        {"channel": "hotline_secondhand"},
        {"channel": "press"},
        {"stance": "denied"},
        {"stance": "unclear"},
        {"stance": "resolved"},
        {"provider": "telekom"},
        {"service": "tv"},
        {"said_at": at(-13 * 60)},
        {"said_at": at(120) + timedelta(days=3, minutes=1)},
        {"incident_id": "another"},
    ],
)
def test_another_word_does_not(values: dict[str, Any]) -> None:
    assert judge(ended(), [said(**values)], []) == UNRESOLVED


def test_a_measurement_of_others_is_independent_evidence_and_a_count_of_reports_is_not() -> None:
    verdict = judge(ended(), [], [signal()])
    assert (verdict.outcome, verdict.ground, verdict.text) == ("independent_signal", "signal", "ioda")
    assert judge(ended(), [], [signal(ended_at=None)]).outcome == "independent_signal"
    assert judge(ended(), [], [signal(what="count")]) == UNRESOLVED
    assert judge(ended(), [], [signal(provider="telekom")]) == UNRESOLVED
    assert judge(ended(), [], [signal(provider="")]) == UNRESOLVED
    assert judge(ended(), [], [signal(started_at=at(121), ended_at=None)]) == UNRESOLVED
    assert judge(ended(), [], [signal(started_at=at(-90), ended_at=at(-61))]) == UNRESOLVED
    everybody = ended(provider=ALL)
    assert judge(everybody, [], [signal(provider="", region="02000")]).outcome == "independent_signal"


def test_what_was_withdrawn_was_none_or_manipulation_by_its_note() -> None:
    gone = replace(ended(), state="withdrawn")
    note = Correction(gone.incident_id, at(200), "withdraw", "Doppelt gezählt.", "command")
    assert judge(gone, [said()], [signal()], [note]).outcome == "not_an_outage"
    flood = replace(note, text="Nicht gewertete Massenmeldungen aus einem Adressblock.")
    verdict = judge(gone, [], [], [flood])
    assert (verdict.outcome, verdict.ground, verdict.at) == ("manipulation", "person", at(200))


def test_a_persons_judgement_comes_before_all() -> None:
    given = Judgement(incident().incident_id, at(300), "not_an_outage", "Wartung beim Melder.", "command")
    assert judge(ended(), [said()], [signal()], (), given).outcome == "not_an_outage"


def test_an_outage_that_its_provider_confirms_and_no_alarm_stood_for_was_missed_once() -> None:
    lonely = [said(10_000), said(10_060), said(20_000), said(30_000, channel="press"), said(40_000, stance="denied")]
    assert [s.said_at for s in missed([said(), *lonely], [ended()])] == [at(10_000), at(20_000)]


def test_a_withdrawn_alarm_stands_for_nothing() -> None:
    assert missed([said()], [replace(ended(), state="withdrawn")]) == [said()]
    assert missed([said()], [ended()]) == []
