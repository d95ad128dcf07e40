"""Hotspots through time -> incidents: a state machine, state and evidence in, state and transition out. Pure."""

from __future__ import annotations

import math
from collections.abc import Container, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from aggregator.clock import BERLIN
from aggregator.detect.calibrate import Calibration
from aggregator.detect.evidence import RECENTS, Course, Evidence, Recent, until
from aggregator.detect.pattern import name_pattern, name_scope
from aggregator.model import Hotspot, Incident, State, Transition

MERGE_WITHIN = timedelta(hours=3)  # alarms of one stream in overlapping districts this close are one incident
SPREADS_AFTER = timedelta(
    hours=1
)  # until then a local incident may turn out to be the nation's; later, news goes round
DECISIVE = 2.0  # nats that end an incident
CLEAR = 5.0  # nats that say that it eases, or no longer does: more, so that the word does not flutter
HOUR = timedelta(hours=1)


def match(
    hotspots: Sequence[Hotspot], known: Sequence[Incident], at: datetime
) -> list[tuple[Incident | None, Hotspot | None]]:
    """Pair hotspots with the incidents that they continue; hotspots first, then the incidents without one.

    A second hotspot that overlaps a paired incident belongs to it and is left out.
    """
    pairs: list[tuple[Incident | None, Hotspot | None]] = []
    taken: set[str] = set()
    for hotspot in hotspots:
        same = [i for i in known if continues(i, hotspot, at)]
        free = [i for i in same if i.incident_id not in taken]
        if same and not free:
            continue
        best = max(free, key=lambda i: (_overlap(i, hotspot), i.standard, i.incident_id), default=None)
        if best:
            taken.add(best.incident_id)
        pairs.append((best, hotspot))
    return pairs + [(i, None) for i in known if i.incident_id not in taken and i.ended_at is None]


def continues(incident: Incident, hotspot: Hotspot, at: datetime) -> bool:
    """Say whether the hotspot is the same thing going on: one stream, overlapping districts, at most 3 hours apart.

    The nation continues a local incident only while that is young; a district never continues a national one.
    """
    if incident.stream != hotspot.stream or (incident.ended_at and at - incident.ended_at > MERGE_WITHIN):
        return False
    if not hotspot.regions:
        return not incident.regions or at - incident.first_alarm_at < SPREADS_AFTER
    return _overlap(incident, hotspot) > 0


def _overlap(incident: Incident, hotspot: Hotspot) -> int:
    """Return how many districts the two share; the nation shares one with the nation only."""
    if not hotspot.regions and not incident.regions:
        return 1
    return len(set(incident.regions) & set(hotspot.regions))


def step(
    known: Incident | None,
    hotspot: Hotspot | None,
    evidence: Evidence,
    at: datetime,
    limits: Calibration,
    *,
    cold: bool = False,
    taken: Container[str] = (),
    providers: tuple[str, ...] = (),
) -> tuple[Incident, Transition | None] | None:
    """Advance one incident, or open one; None: nobody listens, or the hotspot is the echo of something ended.

    cold: no basis for comparison yet, nothing becomes strong; taken: ids in use; providers: who takes part.
    """
    if known is None:
        if hotspot is None or not evidence.recents[0].heard or quiet_stretch(evidence, _ratio(hotspot)):
            return None
        incident = _open(hotspot, at, cold=cold, taken=taken, providers=providers)
    else:
        incident = _grow(known, hotspot, public=is_public(known, limits)) if hotspot else known
        incident = replace(incident, held=incident.held and (hotspot is None or hotspot.held))
    state = _next_state(known, incident.peak_ratio, hotspot, evidence, limits, cold=cold)
    incident = replace(
        _weigh(incident, evidence),
        state=state,
        updated_at=at,
        ended_at=(incident.ended_at or _quiet_since(incident, evidence, at)) if state == "over" else None,
        recurrence_weeks=limits.recurrence_weeks(incident.standard),
        calibrated=limits.calibrated,
    )
    if known and known.state == state:
        return incident, None
    return incident, Transition(incident.incident_id, at, state, incident.reports, incident.expected, incident.score)


def _open(hotspot: Hotspot, at: datetime, *, cold: bool, taken: Container[str], providers: tuple[str, ...]) -> Incident:
    return Incident(
        incident_id=make_id(hotspot, at, taken),
        provider=hotspot.stream.provider,
        service=hotspot.stream.service,
        providers=providers or (hotspot.stream.provider,),
        pattern=name_pattern(hotspot.stream, hotspot.regions),
        scope=name_scope(hotspot.regions),
        regions=tuple(sorted(hotspot.regions)),
        onset=hotspot.start,
        onset_earliest=hotspot.start,
        onset_latest=hotspot.start,
        first_alarm_at=at,
        updated_at=at,
        ended_at=None,
        state="suspected",
        reports=hotspot.observed,
        expected=hotspot.expected,
        relative_risk=None,
        score=hotspot.score,
        recurrence_weeks=None,
        peak_ratio=_ratio(hotspot),
        cold=cold,
        standard=hotspot.standard,
        level=hotspot.level,
        height=hotspot.standard,
        held=hotspot.held,
    )


def make_id(hotspot: Hotspot, at: datetime, taken: Container[str]) -> str:
    """Return YYYYMMDD-provider-service-region of the first alarm (German date), with -2 and so on when taken."""
    base = f"{at.astimezone(BERLIN):%Y%m%d}-{hotspot.stream.provider}-{hotspot.stream.service}-{hotspot.zone}"
    number, name = 1, base
    while name in taken:
        number += 1
        name = f"{base}-{number}"
    return name


def _grow(incident: Incident, hotspot: Hotspot, *, public: bool) -> Incident:
    """Take over score and footprint of a hotspot that is more unlikely than all before.

    Not once the incident is public: people then report because they read of it, and its evidence stays as it was.
    That a young one turns out to be the nation's is too soon to come from reading; and where it is may be told more
    narrowly, never more widely.
    """
    if hotspot.standard <= incident.height:
        return incident
    incident = replace(incident, height=hotspot.standard, peak_ratio=_ratio(hotspot))
    if public and hotspot.regions:
        return _at(incident, hotspot) if set(hotspot.regions) < set(incident.regions) else incident
    return replace(_at(incident, hotspot), score=hotspot.score, standard=hotspot.standard, level=hotspot.level)


def _at(incident: Incident, hotspot: Hotspot) -> Incident:
    """Return the incident where the hotspot is."""
    return replace(
        incident,
        regions=tuple(sorted(hotspot.regions)),
        scope=name_scope(hotspot.regions),
        pattern=name_pattern(hotspot.stream, hotspot.regions),
    )


def _weigh(incident: Incident, evidence: Evidence) -> Incident:
    """Put the figures of now into the incident; a ratio only where at least one report is expected."""
    return replace(
        incident,
        onset=evidence.onset.start,
        onset_earliest=evidence.onset.earliest,
        onset_latest=evidence.onset.latest,
        reports=evidence.reports,
        expected=evidence.expected,
        relative_risk=evidence.reports / evidence.expected if evidence.expected >= 1.0 else None,
        spread=evidence.spread,
    )


def _ratio(hotspot: Hotspot) -> float:
    return max(hotspot.observed / max(hotspot.expected, 1e-9), 1.0 + 1e-9)


def _next_state(
    known: Incident | None,
    ratio: float,
    hotspot: Hotspot | None,
    evidence: Evidence,
    limits: Calibration,
    *,
    cold: bool,
) -> State:
    before = known.state if known else "suspected"
    heard = [recent for recent in evidence.recents if recent.heard]
    if not heard:
        return before  # nobody listened: that decides nothing
    if quiet_stretch(evidence, ratio):
        return "over"
    if hotspot is None and before in ("over", "easing"):
        return before
    standard = hotspot.standard if hotspot else -math.inf
    if known and standard <= known.height and _eases(heard, ratio, was_easing=before == "easing"):
        return "easing"
    is_strong = not cold and standard >= limits.strong and not (hotspot and hotspot.held)
    return "strong" if is_strong or (known and is_public(known, limits) and not cold) else "suspected"


def is_public(incident: Incident, limits: Calibration) -> bool:
    """Say whether the incident has been strong: alerts went out, and people know of it."""
    return incident.standard >= limits.strong and not incident.cold and not incident.held


def quiet_stretch(evidence: Evidence, ratio: float) -> Recent | None:
    """Return the shortest recent stretch that clearly (by 2 nats) favours the baseline over a quarter of the excess.

    ratio: reports over expected at the peak. The excess is taken as a factor, so that a quiet night is not read as
    the end; 30 minutes are enough where reports are frequent, where they are few longer stretches are looked at.
    """
    return _quiet(evidence.recents, ratio)


def _quiet(recents: Sequence[Recent], ratio: float) -> Recent | None:
    quarter = 1.0 + (ratio - 1.0) / 4.0
    return next((r for r in recents if r.heard and _log_ratio(r, quarter, 1.0) <= -DECISIVE), None)


def claims(course: Course, ratio: float) -> bool:
    """Say whether what was withdrawn at course.since has gone on until course.at, never quiet for more than 3 hours.

    Then its reports are still its own: a person has said what they are, and they open nothing new. ratio: as above.
    """
    last = moment = course.since
    while moment <= course.at:
        if _quiet(until(course, moment), ratio) is None:
            last = moment
        elif moment - last > MERGE_WITHIN:
            return False
        moment += RECENTS[0]
    return True


def _quiet_since(incident: Incident, evidence: Evidence, at: datetime) -> datetime:
    quiet = quiet_stretch(evidence, incident.peak_ratio)
    return max(at - quiet.length, incident.first_alarm_at) if quiet else at


def _eases(heard: Sequence[Recent], ratio: float, *, was_easing: bool) -> bool:
    """Say whether the last hour clearly favours half of the excess over all of it; turning back takes as much."""
    hour = next((recent for recent in heard if recent.length >= HOUR), heard[-1])
    doubt = _log_ratio(hour, ratio, 1.0 + (ratio - 1.0) / 2.0)
    return doubt < CLEAR if was_easing else doubt <= -CLEAR


def _log_ratio(recent: Recent, factor: float, other: float) -> float:
    """Return the Poisson log likelihood of `factor` times the expected, less that of `other` times."""
    return recent.observed * math.log(factor / other) - recent.expected * (factor - other)
