"""What can be promised: the calibration in force and the limits of what is found within an hour. I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from math import ceil
from typing import Final

from flask_babel import format_decimal
from flask_babel import gettext as _

from aggregator.clock import floor_to
from aggregator.detect.calibrate import SHIPPED, STRONG, Calibration
from aggregator.detect.cube import bucket_number
from aggregator.detect.limits import Limit, Limits, find_limits
from aggregator.detect.silence import limits_in
from aggregator.detect.usual import read_baseline
from aggregator.instance import Instance
from aggregator.model import Incident, Region
from aggregator.store import Connection, baselines, calibrations
from aggregator.web import story
from aggregator.web.language import named

HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Promise:
    """Weeks between two alarms by chance from which on the words are used, null weeks behind it, and the limits."""

    suspected_weeks: float
    strong_weeks: float
    budget: float
    null_weeks: int
    calibrated: bool
    matter: str  # the stream of the limits, in words
    limits: tuple[tuple[str, Limit], ...]  # where, and how many; empty: no basis for comparison yet


def in_force(connection: Connection, instance: Instance, at: datetime) -> Calibration:
    """Return how scores are judged at `at`, by the budget of the settings."""
    found = calibrations.load(connection, at) or SHIPPED
    return replace(found, budget=instance.settings.false_alarms_per_week)


def promise(connection: Connection, instance: Instance, at: datetime) -> Promise:
    """Return what can be promised at `at`; the limits are those of the full hour before it."""
    judged = in_force(connection, instance, at)
    kept = baselines.load(connection, at)
    regions = tuple(instance.catalogue.regions.values())
    found = _limits(kept[1], regions, judged, bucket_number(floor_to(at, HOUR))) if kept else None
    return Promise(
        suspected_weeks=1 / judged.budget,
        strong_weeks=STRONG / judged.budget,
        budget=judged.budget,
        null_weeks=judged.weeks,
        calibrated=judged.calibrated,
        matter=_matter(instance, found) if found else "",
        limits=tuple((_where(instance, limit), limit) for limit in found.found) if found else (),
    )


@lru_cache(maxsize=4)
def _limits(blob: bytes, regions: tuple[Region, ...], judged: Calibration, end: int) -> Limits | None:
    baseline = read_baseline(blob)
    return find_limits(baseline, regions, judged, end) if baseline else None


@dataclass(frozen=True, slots=True)
class Within:
    """What is found within an hour of a provider or of some districts: the stream in words, and how many."""

    matter: str
    limits: tuple[tuple[str, Limit], ...]


def limits_of(
    connection: Connection, instance: Instance, at: datetime, *, provider: str = "", places: Sequence[str] | None = None
) -> Within | None:
    """Return the limits of the busiest stream of `provider`, or of all in `places`; None: no basis for comparison yet.

    places: a Kreis, or those of a Land, together (None: the usual examples).
    """
    kept = baselines.load(connection, at)
    regions = tuple(instance.catalogue.regions.values())
    baseline = read_baseline(kept[1]) if kept else None
    if baseline is None:
        return None
    if provider:
        baseline = replace(baseline, streams={s: v for s, v in baseline.streams.items() if s.provider == provider})
    end, judged = bucket_number(floor_to(at, HOUR)), in_force(connection, instance, at)
    found = limits_in(baseline, regions, judged, end, places) if places else find_limits(baseline, regions, judged, end)
    if found is None:
        return None
    where = str(_("hier")) if places else ""
    return Within(_matter(instance, found), tuple((where or _where(instance, one), one) for one in found.found))


def _matter(instance: Instance, limits: Limits) -> str:
    service = instance.catalogue.services.get(limits.stream.service)
    provider = instance.catalogue.provider(limits.stream.provider).name
    return str(_("%(service)s von %(provider)s", service=named(service.name_de) if service else "", provider=provider))


def _where(instance: Instance, limit: Limit) -> str:
    names = [story.place_name(region, instance.catalogue) for region in limit.regions]
    if limit.kind == "nation":
        return str(_("ganz Deutschland zusammen"))
    if limit.kind == "region":
        return str(_("eine Region aus 12 Nachbarkreisen zusammen"))
    if limit.kind == "city":
        return str(_("die größte Stadt (%(name)s)", name=names[0]))
    return str(_("ein typischer Kreis (%(name)s)", name=names[0]))


def weeks(count: float) -> str:
    """Return a number of weeks as the object of "in": "einer Woche", "13 Wochen"."""
    shown = round(count, 1) if count < 10 else round(count)
    return str(_("einer Woche")) if shown == 1 else str(_("%(n)s Wochen", n=format_decimal(shown)))


def chance(incident: Incident, judged: Calibration) -> str:
    """Return how seldom chance alone does this, in the words of the method; no longer than was looked at."""
    told = incident.recurrence_weeks
    if told is None:
        return str(_("noch nicht geeicht: Wie oft der Zufall allein so etwas hervorbringt, ist nicht nachgemessen."))
    if told >= judged.weeks:
        often = _("seltener als einmal in %(weeks)s", weeks=weeks(judged.weeks))
    else:
        often = _("etwa einmal in %(weeks)s", weeks=weeks(told))
    said = _(
        "Durch bloßen Zufall käme so etwas %(often)s vor, irgendwo in Deutschland, bei irgendeinem Anbieter. "
        "Das ist nicht die Wahrscheinlichkeit einer Störung.",
        often=often,
    )
    return str(said)


def number(rate: float) -> str:
    """Return reports an hour as they are said: full ones, upwards, so that no more is promised than holds."""
    return str(format_decimal(ceil(rate)))
