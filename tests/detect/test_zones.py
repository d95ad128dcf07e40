"""Circles, Länder and the nation, each set once."""

from __future__ import annotations

import numpy as np
import pytest

from aggregator.detect.zones import LEVELS, circles, great_circle, make_zones
from aggregator.model import Region
from aggregator.tables import read_regions
from tests.detect.test_static import HERE
from tests.detect.world import REGIONS


def test_the_new_mexico_circles_are_415_sets() -> None:
    assert len(circles(read_regions(HERE / "regions.csv"), range(1, 16))) == 415


def test_hamburg_to_munich_is_612_kilometres() -> None:
    distance = great_circle(np.array([53.55, 48.137]), np.array([9.993, 11.575]))
    assert distance[0, 1] == pytest.approx(612, abs=2)
    assert distance[0, 0] == 0


def test_a_district_that_is_a_land_has_the_level_of_a_district() -> None:
    city = Region("02000", "City", "02", 60.0, 20.0, 1000)
    zones = make_zones([*REGIONS, city])
    row = next(z for z in range(len(zones.level)) if list(zones.indices(z)) == [36])
    assert LEVELS[zones.level[row]] == "district"


def test_the_last_zone_is_the_nation_and_no_set_stands_twice() -> None:
    zones = make_zones(REGIONS)
    sets = [tuple(zones.indices(z)) for z in range(len(zones.level))]
    assert sets[zones.nation] == tuple(range(36))
    assert len(set(sets)) == len(sets)
    assert sum(level == LEVELS.index("land") for level in zones.level) == 3


def test_one_region_alone_is_the_nation() -> None:
    zones = make_zones(REGIONS[:1])
    assert [LEVELS[level] for level in zones.level] == ["nation"]


def test_a_circle_never_holds_more_people_than_allowed() -> None:
    assert max(len(c) for c in circles(REGIONS, range(1, 37), max_population_share=0.5)) == 18
