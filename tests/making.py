"""Values that many tests begin with: a moment, a report, a raw report, an incident, an instance on a fresh store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aggregator.catalogue import Catalogue
from aggregator.clock import SimulatedClock
from aggregator.instance import Instance
from aggregator.model import Incident, RawReport, Report
from aggregator.settings import load_settings
from aggregator.store import open_store
from tests import stores

SATURDAY = datetime(2017, 5, 13, 7, 40, tzinfo=UTC)  # 09:40 in Hamburg
MINUTE = timedelta(minutes=1)


def at(minutes: float) -> datetime:
    """Return the moment so many minutes after Saturday 09:40."""
    return SATURDAY + minutes * MINUTE


def report(report_id: str = "r", minutes: float = 0, **values: Any) -> Report:
    """Return a report of o2, mobile, Hamburg, made and received `minutes` after Saturday 09:40."""
    given: dict[str, Any] = {
        "source": "feed", "reporter": "", "block": "", "provider": "o2", "service": "mobile", "symptom": "",
        "region": "02000", "plz": "20095", "place_source": "plz", "lat": 53.55, "lon": 10.0, "began_at": None,
        "observed_at": at(minutes), "received_at": at(minutes),
    }  # fmt: skip
    return Report(report_id=report_id, **{**given, **values})


def raw(**values: Any) -> RawReport:
    """Return a raw report of o2, mobile, PLZ 20095, Saturday 09:40 German time."""
    given = {"source": "feed", "provider": "o2", "service": "mobile", "plz": "20095", "observed_at": "2017-05-13T09:40"}
    return RawReport(**{**given, **values})


def incident(incident_id: str = "20170513-o2-mobile-02000", **values: Any) -> Incident:
    """Return a running incident of o2, mobile in Hamburg, as of its first alarm."""
    given: dict[str, Any] = {
        "provider": "o2", "service": "mobile", "providers": ("o2",), "pattern": "one_provider_regional",
        "scope": "local", "regions": ("02000",), "onset": at(0), "onset_earliest": at(-2), "onset_latest": at(2),
        "first_alarm_at": at(10), "updated_at": at(10), "ended_at": None, "state": "suspected", "reports": 12,
        "expected": 0.5, "relative_risk": None, "score": 15.5, "recurrence_weeks": None,
    }  # fmt: skip
    return Incident(incident_id=incident_id, **{**given, **values})


def instance(folder: Path, catalogue: Catalogue, *, now: datetime = SATURDAY + timedelta(days=1)) -> Instance:
    """Return an instance on a fresh store in `folder`, its clock standing at `now`."""
    store = open_store(stores.address(folder))
    return Instance(load_settings(None, {}), SimulatedClock(now), catalogue, store, b"key of the tests")
