"""Named scenarios: what must be found, and what must not."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd
import pytest

from aggregator.detect.calibrate import SHIPPED
from aggregator.detect.cube import by_stream
from aggregator.detect.hotspot import find_hotspots
from aggregator.model import ALL, Hotspot, Stream
from tests.detect.world import DAY, IDS, LOUD, NOW, REGIONS, listened, look, reports, usual

HOUR_AGO = NOW - timedelta(hours=1)


def found(cube: pd.DataFrame, listening: pd.DataFrame | None = None) -> list[Hotspot]:
    moment = look(cube, listening=listening)
    return find_hotspots(moment, by_stream(cube[cube["bucket"] >= DAY - timedelta(days=1)], IDS), SHIPPED)


def test_quiet_weeks_give_no_hotspot() -> None:
    assert [h for seed in range(5) for h in found(usual(seed * 10))] == []


def test_one_district_is_found_alone_and_only_in_its_own_stream() -> None:
    cube = pd.concat([usual(), reports(LOUD, HOUR_AGO, 1, 24, seed=7, where=IDS[14:15])])
    (hotspot,) = found(cube)
    assert (hotspot.stream, hotspot.regions, hotspot.zone) == (LOUD, (IDS[14],), IDS[14])
    assert hotspot.score > SHIPPED.strong
    assert hotspot.end == NOW
    assert timedelta(minutes=45) <= NOW - hotspot.start <= timedelta(minutes=90)


def test_neighbouring_districts_are_one_hotspot() -> None:
    block = [IDS[i] for i in (14, 15, 20, 21)]
    cube = pd.concat([usual(), reports(LOUD, HOUR_AGO, 1, 60, seed=8, where=block)])
    (hotspot,) = found(cube)
    assert set(hotspot.regions) == set(block)


def test_two_distant_districts_are_two_hotspots() -> None:
    storm = [reports(LOUD, HOUR_AGO, 1, rate, seed=9, where=[IDS[i]]) for i, rate in ((0, 40), (35, 25))]
    hotspots = found(pd.concat([usual(), *storm]))
    assert [h.regions for h in hotspots] == [(IDS[0],), (IDS[35],)]


def test_two_cities_in_one_large_circle_are_two_hotspots_once_each_stands_alone() -> None:
    pair = [IDS[7], IDS[28]]
    cube = pd.concat([usual(), reports(LOUD, HOUR_AGO, 1, 60, seed=9, where=pair)])
    assert [h.regions for h in found(cube)] in ([(pair[0],), (pair[1],)], [(pair[1],), (pair[0],)])


def test_a_national_fault_is_the_nation_and_no_region() -> None:
    cube = pd.concat([usual(), reports(LOUD, HOUR_AGO, 1, 300, seed=10, where=IDS)])
    (hotspot,) = found(cube)
    assert (hotspot.zone, hotspot.regions) == ("de", ())


def test_a_land_is_named_as_such() -> None:
    land = [r.id for r in REGIONS if r.parent == "02"]
    cube = pd.concat([usual(), reports(LOUD, HOUR_AGO, 1, 240, seed=11, where=land)])
    (hotspot,) = found(cube)
    assert (hotspot.zone, len(hotspot.regions)) == ("02", 12)


def test_a_region_inside_a_national_fault_is_claimed_only_for_its_share() -> None:
    nation = reports(LOUD, HOUR_AGO, 1, 300, seed=12, where=IDS)
    district = reports(LOUD, HOUR_AGO, 1, 60, seed=13, where=IDS[14:15])
    hotspots = found(pd.concat([usual(), nation, district]))
    assert {h.regions for h in hotspots} == {(), (IDS[14],)}


def test_two_services_of_one_provider_stay_two_and_the_wider_stream_is_silent() -> None:
    portal = reports(Stream("loud", "portal"), HOUR_AGO, 1, 60, seed=14, where=IDS)
    dsl = reports(LOUD, HOUR_AGO, 1, 24, seed=15, where=IDS[14:15])
    hotspots = found(pd.concat([usual(), portal, dsl]))
    assert {(h.stream.service, h.zone) for h in hotspots} == {("portal", "de"), ("mobile", IDS[14])}


def test_a_fault_spread_over_many_services_opens_the_wider_stream() -> None:
    services = ("mobile", "tv", "email", "landline", "portal", "hotline", "power", "other")
    thin = [
        reports(Stream("quiet", s), HOUR_AGO, 1, 2.2, seed=20 + i, where=IDS[14:15]) for i, s in enumerate(services)
    ]
    hotspots = found(pd.concat([usual(), *thin]))
    assert Stream("quiet", ALL) in {h.stream for h in hotspots}


def test_two_reports_are_never_an_alarm() -> None:
    pair = reports(Stream("tiny", "tv"), NOW - timedelta(minutes=5), 0.08, 100, seed=30, where=IDS[:1]).head(2)
    assert len(pair) == 2
    assert found(pd.concat([usual(), pair])) == []


def test_a_blind_feed_opens_nothing_and_what_came_before_is_not_forgotten() -> None:
    storm = reports(LOUD, NOW - timedelta(hours=2), 1, 60, seed=31, where=IDS[14:15])
    cube = pd.concat([usual(), storm])
    deaf = listened(DAY - timedelta(days=2), NOW - timedelta(hours=1))
    (hotspot,) = found(cube[cube["bucket"] < NOW - timedelta(hours=1)], deaf)
    assert hotspot.regions == (IDS[14],)
    calm = usual()
    assert found(calm[calm["bucket"] < NOW - timedelta(hours=1)], deaf) == []


@pytest.mark.parametrize("factor", [1, 2])
def test_more_people_do_not_make_a_hotspot(factor: int) -> None:
    city = reports(LOUD, DAY - timedelta(days=28), 28 * 24 + 12, 20.0 * factor, seed=32, where=IDS[14:15])
    assert found(pd.concat([usual(), city])) == []
