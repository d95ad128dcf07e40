"""What is weighed of an incident: only what belongs to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from aggregator.detect.evidence import RECENTS, Course, weigh

AT = datetime(2017, 5, 13, 12, tzinfo=UTC)
SINCE = AT - timedelta(hours=30)


def course(minutes_ago: list[float]) -> Course:
    seconds = np.sort(AT.timestamp() - 60 * np.array(minutes_ago))
    buckets = int((AT - SINCE) / timedelta(minutes=5))
    return Course(SINCE, AT, seconds, np.full(buckets, 0.02), np.ones(buckets), 1.0, 1 / 60)


def test_the_time_before_the_onset_does_not_speak_against_a_young_incident() -> None:
    young = weigh(course([float(m) for m in range(1, 40, 2)]), None, AT - timedelta(minutes=40))
    assert [recent.length for recent in young.recents] == [timedelta(minutes=30)]


def test_a_day_old_incident_is_weighed_over_a_day() -> None:
    slow = weigh(course([60.0 * h for h in range(1, 27)]), None, AT - timedelta(hours=26))
    assert slow.recents[-1].length == RECENTS[-1] == timedelta(hours=24)


def test_expected_reports_count_from_the_minute_of_the_onset() -> None:
    evidence = weigh(course([float(m) for m in range(1, 38)]), None, AT - timedelta(minutes=37))
    assert evidence.reports == 37
    assert evidence.expected == pytest.approx(37 / 5 * 0.02)
