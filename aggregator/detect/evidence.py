"""What a stream did since shortly before an incident -> its onset, its figures, its last hours. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from aggregator.detect.coverage import BLIND_BELOW
from aggregator.detect.cube import bucket_number
from aggregator.detect.onset import Onset, find_onset
from aggregator.detect.score import clumping, nb1
from aggregator.frames import BUCKET
from aggregator.model import Incident

Floats = npt.NDArray[np.float64]
RECENTS = tuple(timedelta(minutes=m) for m in (30, 45, 60, 90, 120, 180, 360, 720, 1440))
YOUNG = timedelta(hours=3)  # how long after the first alarm the onset is still refined


@dataclass(frozen=True, slots=True)
class Course:
    """Reports of some regions from the bucket of `since` to `at`.

    seconds: observed_at of each since the epoch, ascending; expected, heard: per 5-minute bucket, the reports that
    would be usual and the share that was listened to.
    """

    since: datetime
    at: datetime
    seconds: Floats
    expected: Floats
    heard: Floats
    phi: float
    inverse_r: float


@dataclass(frozen=True, slots=True)
class Recent:
    """The last `length` before now: reports and expected, and whether at least half of it was listened to."""

    length: timedelta
    observed: float
    expected: float
    heard: bool


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of an incident now. reports and expected count since the onset.

    recents: from short to long, none longer than the incident, for the time before would speak against it.
    """

    onset: Onset
    reports: int
    expected: float
    recents: tuple[Recent, ...]
    score: float = 0.0  # of all reports since the onset, before drift
    spread: float = 1.0  # variance over mean of a count like `reports`: how they clump, how uncertain the level is


def weigh(course: Course, known: Incident | None, start: datetime) -> Evidence:
    """Weigh the course of an incident (known None: of a hotspot that begins at `start`) until now."""
    onset = _onset(course, known) or Onset(start, start, start)
    reports = int((course.seconds >= onset.start.timestamp()).sum())
    expected = expected_from(course, onset.start)
    k = clumping(course.phi, np.array([expected]), course.inverse_r)
    return Evidence(
        onset,
        reports,
        expected,
        tuple(_recent(course, length) for length in RECENTS if length <= max(course.at - onset.start, RECENTS[0])),
        float(nb1(np.array([float(reports)]), np.array([max(expected, 1e-9)]), k=k)[0]),
        max(1.0, course.phi + reports * course.inverse_r),
    )


def _onset(course: Course, known: Incident | None) -> Onset | None:
    """Return the onset: looked for while the incident is young, then left as it stands."""
    if known and course.at - known.first_alarm_at >= YOUNG:
        return Onset(known.onset, known.onset_earliest, known.onset_latest)
    first = bucket_number(course.since)
    return find_onset(course.seconds, course.expected, first, phi=course.phi, inverse_r=course.inverse_r)


def expected_from(course: Course, start: datetime) -> float:
    """Return the expected reports from `start` on; the bucket that holds it counts for the part that is left."""
    skipped = max((start - course.since) / BUCKET, 0.0)
    whole = int(skipped)
    if whole >= len(course.expected):
        return 0.0
    return float(course.expected[whole:].sum() - course.expected[whole] * (skipped - whole))


def until(course: Course, moment: datetime) -> tuple[Recent, ...]:
    """Return what the last stretches before `moment` had brought, none of them reaching beyond course.since."""
    buckets = max((moment - course.since) // BUCKET, 0)
    seen = replace(
        course,
        at=moment,
        seconds=course.seconds[: int(np.searchsorted(course.seconds, moment.timestamp()))],
        expected=course.expected[:buckets],
        heard=course.heard[:buckets],
    )
    return tuple(_recent(seen, length) for length in RECENTS if length <= moment - course.since)


def _recent(course: Course, length: timedelta) -> Recent:
    buckets = length // BUCKET
    observed = float((course.seconds >= (course.at - length).timestamp()).sum())
    heard = float(course.heard[-buckets:].mean()) >= BLIND_BELOW
    return Recent(length, observed, float(course.expected[-buckets:].sum()), heard)
