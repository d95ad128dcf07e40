"""The life of an incident, told as scenarios of what each look finds."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from aggregator.detect.calibrate import STRONG, Calibration
from aggregator.detect.evidence import RECENTS, Course, Evidence, Recent
from aggregator.detect.incident import claims, continues, make_id, match, quiet_stretch, step
from aggregator.detect.onset import Onset
from aggregator.model import ALL, Hotspot, Incident, Stream

AT = datetime(2017, 5, 13, 8, 0, tzinfo=UTC)
DSL = Stream("o2", "fixed_internet")
SPREAD = 6 / math.log(STRONG)  # suspected from 14 on, strong from 20 on
LIMITS = Calibration((0.0,) * 8, (1.0,) * 8, 14 - SPREAD * math.log(5), SPREAD, weeks=52)


def hotspot(score: float = 30.0, regions: tuple[str, ...] = ("02000",), stream: Stream = DSL) -> Hotspot:
    zone = regions[0] if regions else "de"
    return Hotspot(stream, zone, regions, AT - timedelta(minutes=30), AT, 20, 0.4, score, score)


def evidence(
    reports: int = 20, expected: float = 0.4, recent: tuple[float, float] = (20, 0.2), *, heard: bool = True
) -> Evidence:
    """Everything since 30 minutes ago; `recent` = reports and expected in the last 30 minutes, before that as many."""
    start = AT - timedelta(minutes=30)
    recents = tuple(Recent(r, recent[0] * (r / RECENTS[0]), recent[1] * (r / RECENTS[0]), heard) for r in RECENTS)
    return Evidence(Onset(start, start, start), reports, expected, recents)


def opened(**how: object) -> Incident:
    result = step(None, hotspot(**how), evidence(), AT, LIMITS)  # type: ignore[arg-type]
    assert result
    return result[0]


def test_a_hotspot_opens_an_incident_with_a_transition() -> None:
    result = step(None, hotspot(), evidence(), AT, LIMITS)
    assert result
    incident, transition = result
    assert incident.incident_id == "20170513-o2-fixed_internet-02000"
    assert (incident.state, incident.scope, incident.pattern) == ("strong", "local", "one_provider_regional")
    assert (incident.reports, incident.expected, incident.relative_risk) == (20, 0.4, None)
    assert transition
    assert (transition.state, transition.at) == ("strong", AT)


def test_a_weak_hotspot_is_suspected_and_a_cold_start_never_strong() -> None:
    assert opened(score=15.0).state == "suspected"
    result = step(None, hotspot(), evidence(), AT, LIMITS, cold=True)
    assert result
    assert (result[0].state, result[0].cold) == ("suspected", True)


def test_a_ratio_is_given_only_where_one_report_is_expected() -> None:
    result = step(opened(), hotspot(), evidence(30, 1.5), AT, LIMITS)
    assert result
    assert result[0].relative_risk == 20


def test_nothing_new_is_no_transition() -> None:
    result = step(opened(), hotspot(), evidence(), AT + timedelta(minutes=5), LIMITS)
    assert result
    assert result[1] is None
    assert result[0].updated_at == AT + timedelta(minutes=5)


def test_strong_stays_strong_when_the_score_sinks() -> None:
    result = step(opened(), hotspot(15.0), evidence(), AT, LIMITS)
    assert result
    assert result[0].state == "strong"
    assert result[0].score == 30


def test_half_as_many_reports_are_easing_and_many_again_are_strong() -> None:
    easing = step(opened(), hotspot(), evidence(100, 2.0, (6, 0.4)), AT, LIMITS)
    assert easing
    assert easing[0].state == "easing"
    back = step(easing[0], hotspot(), evidence(110, 2.2, (20, 0.4)), AT, LIMITS)
    assert back
    assert back[0].state == "strong"


def test_a_few_reports_that_nothing_followed_are_over_within_three_hours() -> None:
    lone = evidence(4, 0.01, (0, 0.0002))
    assert quiet_stretch(lone, 4 / 0.0003) is not None


def test_normal_reports_after_a_weak_fault_are_its_end() -> None:
    assert quiet_stretch(evidence(24, 8.7, (0.5, 0.4)), 14 / 0.5) is not None


def test_what_still_grows_does_not_ease() -> None:
    result = step(opened(), hotspot(40.0), evidence(16, 0.2, (6, 0.4)), AT, LIMITS)
    assert result
    assert result[0].state == "strong"


def test_nothing_ends_before_it_was_known() -> None:
    over = step(opened(), None, evidence(100, 2.0, (0, 0.4)), AT + timedelta(minutes=5), LIMITS)
    assert over
    assert over[0].ended_at == AT


def test_what_is_reported_once_an_incident_is_public_does_not_raise_its_score() -> None:
    result = step(opened(), hotspot(60.0), evidence(200, 2.0), AT + timedelta(minutes=30), LIMITS)
    assert result
    assert (result[0].score, result[0].standard, result[0].reports) == (30.0, 30.0, 200)


def test_a_suspected_incident_may_become_strong_by_later_reports() -> None:
    result = step(opened(score=15.0), hotspot(25.0), evidence(), AT + timedelta(minutes=5), LIMITS)
    assert result
    assert (result[0].state, result[0].score) == ("strong", 25.0)


def test_what_may_come_from_reading_is_suspected_at_most() -> None:
    held = replace(hotspot(60.0, ()), held=True)
    result = step(None, held, evidence(), AT, LIMITS)
    assert result
    assert (result[0].state, result[0].held) == ("suspected", True)
    again = step(result[0], replace(held, held=False), evidence(), AT + timedelta(minutes=5), LIMITS)
    assert again
    assert again[0].state == "strong"


def test_silence_is_the_end_and_its_beginning_is_when_it_ended() -> None:
    later = AT + timedelta(minutes=40)
    over = step(opened(), None, evidence(100, 2.0, (0, 0.4)), later, LIMITS)
    assert over
    assert (over[0].state, over[0].ended_at) == ("over", later - timedelta(minutes=30))
    assert over[1]
    assert over[1].state == "over"


def test_a_quiet_night_is_not_the_end() -> None:
    night = evidence(600, 38.0, (0, 0.02))
    three_hours = replace(night, recents=tuple(r for r in night.recents if r.length <= timedelta(hours=3)))
    assert quiet_stretch(three_hours, 16.0) is None


def test_blind_buckets_decide_nothing() -> None:
    deaf = step(opened(), None, evidence(100, 2.0, (0, 0.4), heard=False), AT, LIMITS)
    assert deaf
    assert (deaf[0].state, deaf[0].ended_at) == ("strong", None)


def test_the_echo_of_an_ended_fault_opens_nothing() -> None:
    assert step(None, hotspot(), evidence(100, 2.0, (0, 0.4)), AT, LIMITS) is None


def test_an_alarm_within_three_hours_is_the_same_incident_again() -> None:
    over = replace(opened(), state="over", ended_at=AT)
    later = AT + timedelta(hours=2)
    assert match([hotspot()], [over], later) == [(over, hotspot())]
    again = step(over, hotspot(), evidence(), later, LIMITS)
    assert again
    assert (again[0].state, again[0].ended_at, again[0].incident_id) == ("strong", None, over.incident_id)
    assert match([hotspot()], [over], AT + timedelta(hours=4)) == [(None, hotspot())]


def test_two_cities_are_two_incidents_and_two_services_too() -> None:
    hamburg = opened()
    munich, portal = hotspot(25, ("09162",)), hotspot(24, ("02000",), Stream("o2", "portal"))
    assert match([munich, portal], [hamburg], AT) == [(None, munich), (None, portal), (hamburg, None)]


def test_a_second_hotspot_in_the_same_incident_opens_nothing() -> None:
    wide = opened(regions=("01060", "02000"))
    parts = [hotspot(25, ("02000",)), hotspot(20, ("01060",))]
    assert match(parts, [wide], AT) == [(wide, parts[0])]


def test_a_young_local_incident_may_become_the_nations_an_old_one_not() -> None:
    nation = hotspot(50, ())
    assert continues(opened(), nation, AT + timedelta(minutes=30))
    assert not continues(opened(), nation, AT + timedelta(hours=2))
    assert not continues(opened(regions=()), hotspot(), AT)
    grown = step(opened(), nation, evidence(), AT, LIMITS)
    assert grown
    assert (grown[0].scope, grown[0].regions, grown[0].pattern) == ("national", (), "one_provider_national")
    assert grown[0].incident_id.endswith("-02000")


@pytest.mark.parametrize(("taken", "number"), [((), ""), (("",), "-2"), (("", "-2"), "-3")])
def test_an_id_is_made_once(taken: tuple[str, ...], number: str) -> None:
    base = "20170513-o2-fixed_internet-02000"
    assert make_id(hotspot(), AT, {base + end for end in taken}) == base + number


def test_the_date_of_an_id_is_the_german_one() -> None:
    assert make_id(hotspot(regions=()), datetime(2017, 5, 13, 22, 30, tzinfo=UTC), ()).startswith("20170514-o2-")
    assert make_id(hotspot(regions=()), AT, ()).endswith("-de")


def test_all_providers_make_the_pattern_of_several() -> None:
    both = opened(stream=Stream(ALL, ALL))
    assert both.pattern == "several_providers_regional"


def test_a_hotspot_that_nobody_hears_any_more_opens_nothing() -> None:
    assert step(None, hotspot(), evidence(heard=False), AT, LIMITS) is None


def course(*stretches: tuple[float, float]) -> Course:
    """Return what came since AT: (hours, reports an hour) each, where a tenth of a report an hour is usual."""
    hours = sum(length for length, _ in stretches)
    begin, seconds = 0.0, []
    for length, rate in stretches:
        seconds.append(begin + np.arange(0, length, 1 / rate) if rate else np.empty(0))
        begin += length
    buckets = round(hours * 12)
    at = AT + timedelta(hours=hours)
    times = AT.timestamp() + 3600 * np.concatenate(seconds)
    return Course(AT, at, times, np.full(buckets, 0.1 / 12), np.ones(buckets), 1.4, 0.02)


@pytest.mark.parametrize(
    ("stretches", "its_own"),
    [
        ([(8, 12)], True),
        ([(1, 12), (2, 0), (2, 12)], True),
        ([(1, 12), (6, 0), (1, 12)], False),
        ([(6, 0)], False),
        ([(0.25, 0)], True),
    ],
)
def test_what_was_withdrawn_keeps_its_reports_until_they_have_been_quiet_for_three_hours(
    stretches: list[tuple[float, float]], its_own: bool
) -> None:
    assert claims(course(*stretches), 80.0) is its_own


def test_hours_that_nobody_heard_give_nothing_free_that_was_withdrawn() -> None:
    deaf = course((8, 0))
    assert claims(replace(deaf, heard=np.zeros_like(deaf.heard)), 80.0)
