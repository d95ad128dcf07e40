"""The scenario: the same events from the same file, as many and where the file says."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from aggregator.catalogue import data_folder, load_catalogue
from aggregator.errors import DataError
from ingest.events import Day, Events, strength
from ingest.replay import steps, world_of
from ingest.scenario import Scenario, read_scenario

SATURDAY = date(2017, 5, 13)
TEXT = (data_folder() / "scenarios" / "may_2017.toml").read_text("utf-8")


@pytest.fixture(scope="module")
def may() -> Events:
    return Events(read_scenario(TEXT, "may"), world_of(load_catalogue()))


def without(scenario: Scenario) -> Scenario:
    return replace(scenario, faults=(), floods=())


def reports(events: Events, day: Day, provider: str, service: str, region: str = "") -> np.ndarray:
    """Return the times (seconds) of what is reported of a provider's service in a region."""
    regions = np.array([point.region for point in events.world.points])[day.point]
    wanted = (day.provider == events.providers.index(provider)) & (day.service == events.services.index(service))
    return np.asarray(day.at[wanted & ((regions == region) | (region == ""))])


def local(hour: int, minute: int = 0) -> float:
    return datetime(2017, 5, 13, hour - 2, minute, tzinfo=UTC).timestamp()


def test_the_same_file_makes_the_same_events_in_whatever_order_the_days_are_asked_for(may: Events) -> None:
    again = Events(read_scenario(TEXT, "may"), may.world)
    again.day(SATURDAY + timedelta(days=1))
    for name in Day.__slots__:
        assert np.array_equal(getattr(may.day(SATURDAY), name), getattr(again.day(SATURDAY), name))


def test_another_seed_makes_other_events(may: Events) -> None:
    other = Events(replace(may.scenario, seed=1), may.world)
    assert not np.array_equal(may.day(SATURDAY).at, other.day(SATURDAY).at)


def test_the_quiet_weeks_have_about_five_thousand_reports_a_day_and_are_made_within_three_seconds(may: Events) -> None:
    began = time.perf_counter()
    counts = [len(may.day(date(2017, 4, 14) + timedelta(days=number)).at) for number in range(28)]
    assert time.perf_counter() - began < 3
    assert 4_700 < np.mean(counts) < 5_300
    assert min(counts) > 4_000


def test_counts_clump_a_little_more_than_chance(may: Events) -> None:
    quiet = Events(without(may.scenario), may.world)
    day = quiet.day(date(2017, 5, 3))
    regions = np.array([point.region for point in may.world.points])[day.point]
    cells = Counter(
        zip(regions.tolist(), day.provider.tolist(), day.service.tolist(), (day.at // 300).tolist(), strict=True)
    )
    sizes = np.array(list(cells.values()))
    assert 1.1 < (sizes**2).sum() / sizes.sum() < 1.5


def test_a_provider_of_one_town_is_reported_from_that_town(may: Events) -> None:
    day = may.day(SATURDAY)
    regions = np.array([point.region for point in may.world.points])[day.point]
    assert set(regions[day.provider == may.providers.index("rheinfunk")]) == {"05315"}


def test_all_times_lie_in_the_day_also_when_the_clocks_change(may: Events) -> None:
    for day in (SATURDAY, date(2017, 3, 26), date(2017, 10, 29)):
        at = may.day(day).at
        start = datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() - 2 * 3600
        assert (at >= start).all()
        assert (at < start + 27 * 3600).all()
        assert (np.diff(at) >= 0).all()


@pytest.mark.parametrize(("region", "before", "after"), [("02000", (9, 40), (10, 40)), ("09162", (11, 15), (12, 15))])
def test_fixed_internet_fails_where_and_when_the_file_says(
    may: Events, region: str, before: tuple[int, int], after: tuple[int, int]
) -> None:
    at = reports(may, may.day(SATURDAY), "o2", "fixed_internet", region)
    usual = (at < local(*before)).sum() / 8
    hour = ((at >= local(*before)) & (at < local(*after))).sum()
    assert usual < 4
    assert hour > 15


def test_berlin_and_leipzig_fail_more_weakly_than_hamburg(may: Events) -> None:
    day = may.day(SATURDAY)
    counts = {
        region: (reports(may, day, "o2", "fixed_internet", region) > local(12)).sum()
        for region in ("02000", "09162", "11000", "14713")
    }
    assert counts["02000"] > counts["09162"] > counts["11000"] > counts["14713"] > 20


def test_the_portal_is_down_in_the_whole_country_since_friday_evening(may: Events) -> None:
    friday = may.day(SATURDAY - timedelta(days=1))
    at = reports(may, friday, "o2", "portal")
    assert (at < local(17) - 86_400).sum() < 60
    assert (at >= local(18) - 86_400).sum() > 200


def test_the_flood_is_one_reporter_in_koeln(may: Events) -> None:
    day = may.day(SATURDAY)
    flood = day.reporter == -1
    assert 350 < flood.sum() < 550
    assert {may.world.points[point].plz for point in day.point[flood]} == {"50667"}


def test_a_fault_rises_stays_and_fades() -> None:
    fault = read_scenario(TEXT, "may").faults[1]
    start, end = int(fault.start.timestamp()), int(fault.end.timestamp())
    moments = np.array([start - 60, start + int(fault.ramp / 2), start + int(fault.ramp), end - 60, end + 60])
    before, half, full, late, after = strength(fault, moments)
    assert (before, after) == (0, 0)
    assert half == pytest.approx(fault.per_hour / 2)
    assert full == pytest.approx(fault.per_hour)
    assert 0 < late < 0.01 * full


def test_the_past_is_caught_up_with_up_to_the_moment_that_is_shown() -> None:
    scenario = read_scenario(TEXT, "may")
    plan = steps(scenario)
    assert plan[-1] == (scenario.show, True)
    assert [at for at, _ in plan] == sorted({at for at, _ in plan})
    assert plan[0][0] > scenario.start


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("seed = 20170513", "", "seed is missing"),
        ("start = 2017-04-14T00:00:00", 'start = "gestern"', "is not a time"),
        ('step = "24h"', 'step = "ab und zu"', "must be a time"),
        ("weekday = [0.35,", "weekday = [", "24 numbers"),
        ("telekom = 1250", "telekomm = 1250", "telekomm is not in the catalogue"),
        ('region = "09162"', 'region = "9162"', "9162"),
        ("o2 = 800", "", "o2 portal fails but has no place"),
        ('plz = "50667"', 'plz = "00000"', "00000"),
        ("[volumes]", "[volumes", "cannot be used"),
    ],
)
def test_a_mistake_in_the_file_is_one_sentence(may: Events, old: str, new: str, said: str) -> None:
    assert old in TEXT
    with pytest.raises(DataError, match=said):
        Events(read_scenario(TEXT.replace(old, new, 1), "may"), may.world)
