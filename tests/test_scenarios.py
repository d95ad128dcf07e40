"""What must be alarmed and what must not: named scenarios over a real store, at one country's scale."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aggregator.clock import SimulatedClock
from aggregator.instance import Instance, open_instance
from aggregator.model import Filter, Incident, Report, Stream
from aggregator.refresh import Detection
from aggregator.settings import load_settings
from aggregator.store import crowds, cube, incidents, reports

NOW = datetime(2017, 5, 13, 10, 30, tzinfo=UTC)
DSL, APP = Stream("o2", "fixed_internet"), Stream("o2", "portal")
HAMBURG, FRANKFURT = "02000", "06412"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
Made = list[Report]


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Instance]:
    clock = SimulatedClock(NOW)
    opened = open_instance(load_settings(None, {"NETZLAGE_HOME": str(tmp_path)}), clock)
    yield opened
    opened.store.close()


@pytest.fixture
def make(instance: Instance) -> Callable[..., Made]:
    """What makes reports."""
    return maker(instance)


def maker(instance: Instance) -> Callable[..., Made]:
    """Make reports evenly in time, districts by population unless `where` says otherwise."""
    regions = list(instance.catalogue.regions.values())
    people = np.array([region.population for region in regions], dtype=float)
    names = np.array([region.id for region in regions])
    made = 0

    def some(
        stream: Stream, since: datetime, until: datetime, per_hour: float, *, where: tuple[str, ...] = (), **same: Any
    ) -> Made:
        nonlocal made
        rng = np.random.default_rng([7, made])
        hours = (until - since) / HOUR
        number = int(rng.poisson(per_hour * hours))
        places = rng.choice(list(where), number) if where else rng.choice(names, number, p=people / people.sum())
        made += 1
        return [
            replace(
                Report(
                    *(f"{made}-{i}", "feed", "", "", stream.provider, stream.service, "", str(place), "", "plz"),
                    *(
                        None,
                        None,
                        since + timedelta(hours=float(h)),
                        None,
                        since + timedelta(hours=float(h), seconds=1),
                    ),
                ),
                **same,
            )
            for i, (h, place) in enumerate(zip(np.sort(rng.uniform(0, hours, number)), places, strict=True))
        ]

    return some


def fill(instance: Instance, *given: Made, deaf: tuple[datetime, datetime] | None = None, since: datetime) -> None:
    with instance.store.write() as connection:
        for some_reports in given:
            kept = [r for r in some_reports if not deaf or not deaf[0] <= r.observed_at < deaf[1]]
            reports.add(connection, kept)
        cube.listen(connection, "feed", since, deaf[0] if deaf else NOW + DAY)
        if deaf:
            cube.listen(connection, "feed", deaf[1], NOW + DAY)


def quiet(make: Callable[..., Made], since: datetime, until: datetime) -> list[Made]:
    other = Stream("telekom", "mobile")
    return [make(DSL, since, until, 8), make(other, since, until, 20), make(APP, since, until, 2)]


def watch(
    instance: Instance, start: datetime, end: datetime, step: timedelta = timedelta(minutes=10)
) -> list[Incident]:
    """Look every `step` from `start` to `end`; return all incidents."""
    clock = instance.clock
    assert isinstance(clock, SimulatedClock)
    detection, at = Detection(instance), start
    while at <= end:
        clock.set(at)
        detection.refresh()
        at += step
    with instance.store.read() as connection:
        return incidents.find(connection, Filter())


def test_a_flood_from_one_block_is_no_incident_and_hamburgs_outage_beside_it_is(
    instance: Instance, make: Callable[..., Made]
) -> None:
    since = NOW - 28 * DAY
    flood = make(DSL, NOW - 2 * HOUR, NOW, 5000, block="one")
    outage = make(DSL, NOW - HOUR, NOW, 24, where=(HAMBURG,), block="")
    fill(instance, *quiet(make, since, NOW), flood, outage, since=since)
    found = watch(instance, NOW - HOUR, NOW)
    assert {i.regions for i in found if i.state == "strong"} == {(HAMBURG,)}
    with instance.store.read() as connection:
        left_out = crowds.left_out(connection, NOW)
    assert [(c.stream, c.kind) for c in left_out] == [(DSL, "block")]
    assert left_out[0].size == len(flood)


def test_a_thousand_copies_of_a_text_are_no_incident(instance: Instance, make: Callable[..., Made]) -> None:
    since = NOW - 28 * DAY
    copies = make(DSL, NOW - HOUR, NOW, 1000, where=(HAMBURG,), comment="Nichts geht mehr, alle bitte melden!!!")
    fill(instance, *quiet(make, since, NOW), copies, since=since)
    assert watch(instance, NOW - HOUR / 2, NOW) == []


def test_an_outage_is_found_when_most_reports_come_through_one_carriers_gateway(
    instance: Instance, make: Callable[..., Made]
) -> None:
    since = NOW - 28 * DAY
    usual = [replace(r, block="gateway" if n % 2 else f"home {n}") for n, r in enumerate(make(DSL, since, NOW, 8))]
    outage = make(DSL, NOW - HOUR, NOW, 30, where=(HAMBURG,))
    through = [replace(r, block="gateway" if n % 5 < 3 else f"other {n}") for n, r in enumerate(outage)]
    fill(instance, usual, through, since=since)
    (incident,) = watch(instance, NOW - HOUR, NOW)
    assert (incident.state, incident.regions) == ("strong", (HAMBURG,))


def test_guessed_places_that_pile_up_in_a_hub_city_are_no_regional_incident(
    instance: Instance, make: Callable[..., Made]
) -> None:
    """Two thirds are placed by address, in Frankfurt; in a national fault more of them than usual are."""
    since = NOW - 28 * DAY
    usual = [
        replace(r, place_source="ip", region=FRANKFURT) if n % 10 < 4 else r
        for n, r in enumerate(make(DSL, since, NOW, 8))
    ]
    fault = [
        replace(r, place_source="ip", region=FRANKFURT) if n % 3 < 2 else r
        for n, r in enumerate(make(DSL, NOW - HOUR, NOW, 80))
    ]
    fill(instance, usual, fault, since=since)
    found = watch(instance, NOW - HOUR, NOW)
    assert [i.regions for i in found] == [()]
    assert found[0].state == "strong"


def test_a_publicity_wave_neither_raises_the_score_nor_makes_the_nation_strong(
    instance: Instance, make: Callable[..., Made]
) -> None:
    since, start = NOW - 28 * DAY, NOW - 5 * HOUR
    outage = make(DSL, start, NOW, 20, where=(HAMBURG,))
    wave = make(DSL, NOW - 3 * HOUR, NOW, 60)
    fill(instance, *quiet(make, since, NOW), outage, wave, since=since)
    before = {i.incident_id: i for i in watch(instance, start, NOW - 3 * HOUR)}
    after = {i.incident_id: i for i in watch(instance, NOW - 3 * HOUR + timedelta(minutes=10), NOW)}
    (known,) = before
    assert before[known].state == "strong"
    assert (after[known].score, after[known].regions) == (before[known].score, (HAMBURG,))
    assert after[known].reports > before[known].reports
    assert after[known].ended_at is None
    assert {i.incident_id for i in after.values() if i.state == "strong"} <= {known}


def test_two_blind_hours_neither_open_nor_close_anything(instance: Instance, make: Callable[..., Made]) -> None:
    since = NOW - 28 * DAY
    deaf = (NOW - 3 * HOUR, NOW - HOUR)
    outage = make(DSL, NOW - 5 * HOUR, NOW, 24, where=(HAMBURG,))
    fill(instance, *quiet(make, since, NOW), outage, deaf=deaf, since=since)
    (before,) = watch(instance, NOW - 5 * HOUR, deaf[0])
    (during,) = watch(instance, deaf[0] + timedelta(minutes=10), deaf[1])
    (after,) = watch(instance, deaf[1] + timedelta(minutes=10), NOW)
    assert before.state == during.state == after.state == "strong"
    assert before.incident_id == after.incident_id
    assert after.ended_at is None


def test_a_history_with_an_outage_a_month_still_finds_the_next_one(
    instance: Instance, make: Callable[..., Made]
) -> None:
    """One four-hour fault of twenty times the usual in the month that is learned from, never alarmed before."""
    since, past = NOW - 28 * DAY, NOW - 10 * DAY
    contaminated = make(DSL, past, past + 4 * HOUR, 8 * 20)
    outage = make(DSL, NOW - HOUR, NOW, 24, where=(HAMBURG,))
    fill(instance, *quiet(make, since, NOW), contaminated, outage, since=since)
    (incident,) = watch(instance, NOW - HOUR, NOW)
    assert (incident.state, incident.regions) == ("strong", (HAMBURG,))
    with instance.store.read() as connection:
        learned = Detection(instance).learned(connection, NOW).baseline.of(DSL)
    assert 5 < learned.nation_rate < 12  # eight an hour are usual; with the outage in it, it would be nearly ten more


def test_growth_of_five_percent_a_week_is_no_incident(instance: Instance, make: Callable[..., Made]) -> None:
    since = NOW - 28 * DAY
    weeks = [make(DSL, since + n * 7 * DAY, since + (n + 1) * 7 * DAY, 20 * 1.05**n) for n in range(4)]
    fill(instance, *weeks, make(DSL, NOW, NOW + 6 * HOUR, 20 * 1.05**4), since=since)
    assert [i for i in watch(instance, NOW, NOW + 6 * HOUR, timedelta(minutes=20)) if i.state == "strong"] == []


@pytest.mark.parametrize(
    "change", [datetime(2017, 3, 26, 1, tzinfo=UTC), datetime(2017, 10, 29, 1, tzinfo=UTC)], ids=["March", "October"]
)
def test_the_change_of_clocks_is_no_incident(instance: Instance, make: Callable[..., Made], change: datetime) -> None:
    """By day four times as much is sent as by night, by the clocks of the people."""
    since, until = change - 28 * DAY, change + 30 * HOUR
    clock = instance.clock
    assert isinstance(clock, SimulatedClock)
    offset = timedelta(hours=1 if change.month == 3 else 2)
    for day in range(31):
        start = since.replace(hour=0) + day * DAY - offset
        moved = timedelta(0) if start < change else (timedelta(hours=-1) if change.month == 3 else timedelta(hours=1))
        night, noon = start + moved, start + moved + 7 * HOUR
        parts = [
            make(DSL, night, noon, 6),
            make(DSL, noon, noon + 15 * HOUR, 24),
            make(DSL, noon + 15 * HOUR, night + DAY, 6),
        ]
        with instance.store.write() as connection:
            for part in parts:
                reports.add(connection, part)
    with instance.store.write() as connection:
        cube.listen(connection, "feed", since, until)
    found = watch(instance, change - HOUR, change + 12 * HOUR, timedelta(minutes=30))
    assert [i for i in found if i.state == "strong"] == []
