"""Detection passes over a real store: found, dated, kept, repeatable, and silent when nobody listened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from aggregator.clock import SimulatedClock
from aggregator.detect.calibrate import SHIPPED
from aggregator.instance import Instance, open_instance
from aggregator.model import ALL, Filter, Report, Stream
from aggregator.refresh import Detection
from aggregator.settings import load_settings
from aggregator.store import baselines, cube, incidents, reports
from aggregator.words import correct

START = datetime(2017, 5, 1, tzinfo=UTC)
NOW = datetime(2017, 5, 13, 10, 30, tzinfo=UTC)  # 12:30 in Germany
DSL = Stream("o2", "fixed_internet")


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Instance]:
    settings = load_settings(None, {"NETZLAGE_HOME": str(tmp_path)})
    opened = open_instance(settings, SimulatedClock(NOW))
    yield opened
    opened.store.close()


def some(
    stream: Stream, since: datetime, until: datetime, per_hour: float, *, where: str = "", seed: int = 1
) -> list[Report]:
    """Reports of a stream at random times; where: one district, "" = spread over four large cities."""
    rng = np.random.default_rng(seed)
    hours = (until - since) / timedelta(hours=1)
    moments = np.sort(rng.uniform(0, hours, rng.poisson(per_hour * hours)))
    cities = [where] if where else ["02000", "09162", "11000", "05315"]
    return [
        Report(
            f"{stream.provider}-{stream.service}-{where}-{seed}-{i}",
            "feed", "", "", *(stream.provider, stream.service), "", cities[int(rng.integers(len(cities)))], "", "plz",
            None, None, since + timedelta(hours=float(h)), None, since + timedelta(hours=float(h), seconds=30),
        )
        for i, h in enumerate(moments)
    ]  # fmt: skip


def fill(instance: Instance, *given: list[Report], heard_until: datetime = NOW) -> None:
    with instance.store.write() as connection:
        for some_reports in given:
            reports.add(connection, some_reports)
        cube.listen(connection, "feed", START, heard_until)


def quiet(until: datetime = NOW) -> list[Report]:
    others = some(Stream("telekom", "mobile"), START, until, 20, seed=3)
    return some(DSL, START, until, 4, seed=2) + others


def hamburg(until: datetime = NOW) -> list[Report]:
    return some(DSL, NOW - timedelta(hours=2, minutes=50), until, 18, where="02000", seed=4)


def test_hamburg_is_found_dated_and_kept(instance: Instance) -> None:
    fill(instance, quiet(), hamburg())
    (incident,) = Detection(instance).refresh()
    assert incident.incident_id == "20170513-o2-fixed_internet-02000"
    assert (incident.state, incident.scope, incident.regions) == ("strong", "local", ("02000",))
    assert abs(incident.onset - (NOW - timedelta(hours=2, minutes=50))) <= timedelta(minutes=15)
    assert incident.reports > 10 * incident.expected
    assert incident.recurrence_weeks == SHIPPED.weeks  # no longer interval is claimed than was looked at
    assert not incident.calibrated
    with instance.store.read() as connection:
        assert incidents.get(connection, incident.incident_id) == incident
        assert [t.state for t in incidents.transitions(connection, incident.incident_id)] == ["strong"]
        at, hotspots = incidents.hotspots(connection)
        assert baselines.load(connection, NOW) is not None
    assert at == NOW
    assert [h.stream for h in hotspots] == [DSL]


def test_looking_twice_changes_nothing(instance: Instance) -> None:
    fill(instance, quiet(), hamburg())
    detection = Detection(instance)
    assert detection.refresh() == detection.refresh() == Detection(instance).refresh()
    with instance.store.read() as connection:
        assert len(incidents.transitions(connection, "20170513-o2-fixed_internet-02000")) == 1


def test_quiet_days_give_no_incident(instance: Instance) -> None:
    fill(instance, quiet())
    assert Detection(instance).refresh() == []


def test_as_of_counts_only_what_was_known_then(instance: Instance) -> None:
    late = [replace(r, received_at=NOW + timedelta(hours=1)) for r in hamburg()]
    fill(instance, quiet(), late)
    assert Detection(instance).refresh(NOW) == []
    assert len(Detection(instance).refresh()) == 1


def test_a_look_into_the_past_stores_nothing(instance: Instance) -> None:
    fill(instance, quiet(), hamburg())
    detection = Detection(instance)
    detection.refresh()
    with instance.store.read() as connection:
        before = incidents.find(connection, Filter())
    assert len(detection.refresh(NOW - timedelta(hours=1))) == 1
    with instance.store.read() as connection:
        assert incidents.find(connection, Filter()) == before
        assert incidents.hotspots(connection)[0] == NOW


def test_the_end_comes_when_reports_stop_and_not_when_the_feed_dies(instance: Instance) -> None:
    stop = NOW - timedelta(minutes=90)
    clock = instance.clock
    assert isinstance(clock, SimulatedClock)
    fill(instance, quiet(stop), hamburg(stop), heard_until=stop)
    clock.set(stop)
    detection = Detection(instance)
    assert [i.state for i in detection.refresh()] == ["strong"]
    clock.set(NOW)  # the feed has been dead for 90 minutes
    assert [i.state for i in detection.refresh()] == ["strong"]
    with instance.store.write() as connection:
        reports.add(connection, some(DSL, stop, NOW, 4, seed=5))
        cube.listen(connection, "feed", stop, NOW)
    assert detection.refresh() == []
    with instance.store.read() as connection:
        (ended,) = incidents.find(connection, Filter())
    assert ended.state == "over"
    assert ended.ended_at
    assert stop - timedelta(minutes=35) <= ended.ended_at <= NOW


def test_what_comes_back_after_hours_is_a_second_incident_with_reports_of_its_own(instance: Instance) -> None:
    clock = instance.clock
    assert isinstance(clock, SimulatedClock)
    morning = some(DSL, NOW - timedelta(hours=9), NOW - timedelta(hours=7), 30, where="02000", seed=7)
    again = some(DSL, NOW - timedelta(minutes=50), NOW, 30, where="02000", seed=8)
    fill(instance, quiet(), morning, again)
    detection = Detection(instance)
    for minutes in range(-9 * 60, 1, 15):
        clock.set(NOW + timedelta(minutes=minutes))
        detection.refresh()
    with instance.store.read() as connection:
        second, first = incidents.find(connection, Filter())
    assert (first.state, second.state) == ("over", "strong")
    assert second.incident_id == f"{first.incident_id}-2"
    assert first.ended_at
    assert second.onset >= first.ended_at
    assert second.reports <= len(again) + 5


def test_a_first_week_is_cold_and_never_strong(instance: Instance) -> None:
    since = NOW - timedelta(days=2)
    with instance.store.write() as connection:
        reports.add(connection, some(DSL, since, NOW, 4, seed=2) + hamburg())
        cube.listen(connection, "feed", since, NOW)
    assert {(i.state, i.cold) for i in Detection(instance).refresh()} == {("suspected", True)}


def test_a_power_cut_of_many_providers_is_one_incident_of_all(instance: Instance) -> None:
    names = [p for p in instance.catalogue.providers if p not in ("telekom", "o2")][:12]
    starts = [NOW - timedelta(minutes=4 + 3 * i) for i in range(12)]
    pairs = [
        some(Stream(name, "tv"), since, NOW, 900, where="09162", seed=50 + i)[:2]
        for i, (name, since) in enumerate(zip(names, starts, strict=True))
    ]
    fill(instance, quiet(), *pairs)
    found = Detection(instance).refresh()
    assert [(i.provider, i.service, i.pattern) for i in found] == [(ALL, ALL, "several_providers_regional")]
    assert set(names) <= set(found[0].providers)


def test_what_was_withdrawn_keeps_its_reports_while_they_go_on_and_what_comes_after_silence_is_new(
    instance: Instance,
) -> None:
    clock, hours = instance.clock, timedelta(hours=1)
    assert isinstance(clock, SimulatedClock)
    late = NOW + 15 * hours
    again = some(DSL, NOW + 12 * hours, late, 18, where="02000", seed=5)
    fill(instance, quiet(late), hamburg(NOW + 6 * hours), again, heard_until=late)
    detection = Detection(instance)
    (first,) = detection.refresh()
    correct(instance, first.incident_id, {"kind": "withdraw", "text": "Ein Prüflauf."}, author="x")
    for ahead in (2, 5):  # also more than three hours later
        clock.set(NOW + ahead * hours)
        assert detection.refresh() == []
    clock.set(NOW + 13 * hours)
    (second,) = detection.refresh()
    assert second.incident_id != first.incident_id
    assert second.onset > NOW + 11 * hours
