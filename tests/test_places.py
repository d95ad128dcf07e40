"""Text, PLZ and coordinates find the district that a person means, or say why not."""

from __future__ import annotations

import math
import timeit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.places import Located, NotLocated
from tests.gazetteer import FACTS, PLACES, reason_of, region_of


@pytest.mark.parametrize(
    ("plz", "region"),
    [
        ("20095", "02000"),
        ("80331", "09162"),
        ("10115", "11000"),
        ("04109", "14713"),
        ("22767", "02000"),
        ("50667", "05315"),
        ("01067", "14612"),
        ("17489", "13075"),
        ("99084", "16051"),
        ("99817", "16063"),
        ("17109", "13071"),
        ("27498", "01056"),
        ("76829", "07313"),
        ("91126", "09565"),
        ("18439", "13073"),
        ("72250", "08237"),
    ],
)
def test_a_postcode_is_in_its_district(plz: str, region: str) -> None:
    found = PLACES.locate(plz=plz)
    assert region_of(found) == region
    assert found == Located(region, found.name, found.lat, found.lon, "plz")  # type: ignore[union-attr]


@pytest.mark.parametrize("text", ["04109", "4109", " 04109 ", "D-04109", "DE-04109", "4109.0"])
def test_a_postcode_survives_what_tables_do_to_it(text: str) -> None:
    assert region_of(PLACES.locate(plz=text)) == "14713"


def test_a_postcode_of_a_post_box_is_near_those_of_its_town() -> None:
    found = PLACES.locate(plz="20001")
    assert region_of(found) == "02000"
    assert isinstance(found, Located)
    assert found.approximate


@pytest.mark.parametrize("text", ["00000", "123", "abcde", "1010", "٠١٠٦٧", "999999", "05000"])
def test_what_is_no_german_postcode_is_not_located(text: str) -> None:
    assert reason_of(PLACES.locate(plz=text)) == "unknown_place"


def test_a_postcode_that_cannot_be_gives_way_to_the_town() -> None:
    assert region_of(PLACES.locate(plz="00000", place="Leipzig")) == "14713"
    assert reason_of(PLACES.locate(plz="00000", place="Xyzzyabc")) == "unknown_place"


def test_postcode_and_town_that_disagree_are_placed_only_roughly() -> None:
    agreed = PLACES.locate(plz="20095", place="Hamburg")
    disagreed = PLACES.locate(plz="20095", place="München")
    assert region_of(agreed) == region_of(disagreed) == "02000"
    assert isinstance(agreed, Located)
    assert isinstance(disagreed, Located)
    assert (agreed.approximate, disagreed.approximate) == (False, True)


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("02000", "02000"),
        ("02", "02000"),
        ("5315", "05315"),
        ("05315000", "05315"),
        ("16056", "16063"),
        ("Landkreis München", "09184"),
    ],
)
def test_a_district_is_taken_by_its_key(text: str, region: str) -> None:
    assert region_of(PLACES.locate(region=text)) == region


def test_a_key_of_a_land_is_too_coarse_and_an_unknown_one_unknown() -> None:
    assert reason_of(PLACES.locate(region="09")) == "ambiguous_place"
    assert reason_of(PLACES.locate(region="99999")) == "unknown_place"
    assert reason_of(PLACES.locate(region="nowhere")) == "unknown_place"


def test_the_district_comes_before_the_postcode_and_that_before_the_point() -> None:
    everything = {"plz": "80331", "place": "Köln", "lat": 52.52, "lon": 13.4}
    assert region_of(PLACES.locate(region="02000", **everything)) == "02000"  # type: ignore[arg-type]
    assert region_of(PLACES.locate(**everything)) == "09162"  # type: ignore[arg-type]
    assert region_of(PLACES.locate(place="Köln", lat=52.52, lon=13.4)) == "11000"


@pytest.mark.parametrize(
    ("lat", "lon", "region"),
    [
        (53.55, 9.99, "02000"),
        (48.1374, 11.5755, "09162"),
        (50.94, 6.96, "05315"),
        (51.34, 12.37, "14713"),
        (54.18, 7.89, "01056"),  # Helgoland
        (53.92, 8.49, "02000"),  # Neuwerk
        (47.697, 8.69, "08335"),  # Büsingen, an exclave
    ],
)
def test_a_point_lies_in_its_district(lat: float, lon: float, region: str) -> None:
    found = PLACES.locate(lat=lat, lon=lon)
    assert found == Located(region, FACTS.region_name(region), lat, lon, "coords")


@pytest.mark.parametrize(
    ("lat", "lon", "reason"),
    [
        (9.99, 53.55, "bad_coordinates"),
        (0.0, 0.0, "bad_coordinates"),
        (math.nan, 10.0, "bad_coordinates"),
        (math.inf, 10.0, "bad_coordinates"),
        (6_700_000.0, 1_100_000.0, "bad_coordinates"),
        (53.55, None, "bad_coordinates"),
        (None, 9.99, "bad_coordinates"),
        (48.2, 16.37, "outside"),
        (48.5839, 7.7455, "outside"),  # Strasbourg
        (47.8, 13.045, "outside"),  # Salzburg
        (-33.9, 151.2, "outside"),
        (55.0, 7.0, "outside"),  # the North Sea
    ],
)
def test_a_point_that_cannot_be_is_told_from_one_abroad(lat: float | None, lon: float | None, reason: str) -> None:
    assert reason_of(PLACES.locate(lat=lat, lon=lon)) == reason


def test_the_reason_for_swapped_coordinates_says_so() -> None:
    swapped, nothing = PLACES.locate(lat=9.99, lon=53.55), PLACES.locate(lat=0, lon=0)
    assert isinstance(swapped, NotLocated)
    assert isinstance(nothing, NotLocated)
    assert "swapped" in swapped.detail
    assert "0, 0" in nothing.detail


def test_bad_coordinates_give_way_to_the_town_but_a_point_abroad_does_not() -> None:
    assert region_of(PLACES.locate(lat=0, lon=0, place="Leipzig")) == "14713"
    assert reason_of(PLACES.locate(lat=48.2, lon=16.37, place="Leipzig")) == "outside"


def test_nothing_known_is_not_located() -> None:
    assert reason_of(PLACES.locate()) == "unknown_place"


def test_every_postcode_is_found_in_germany_by_its_middle() -> None:
    for plz in PLACES.postcodes():
        found = PLACES.locate(plz=plz)
        assert isinstance(found, Located)
        assert isinstance(PLACES.locate(lat=found.lat, lon=found.lon), Located), plz


@given(
    region=st.text(max_size=12),
    plz=st.text(max_size=12) | st.from_regex(r"[0-9]{4,6}"),
    place=st.text(max_size=120),
    lat=st.none() | st.floats(),
    lon=st.none() | st.floats(),
)
def test_whatever_comes_in_locate_answers(
    region: str, plz: str, place: str, lat: float | None, lon: float | None
) -> None:
    for found in (
        PLACES.locate(region=region, plz=plz, place=place, lat=lat, lon=lon),
        PLACES.locate(plz=plz, place=place, lat=lat, lon=lon),
        PLACES.locate(place=place),
        PLACES.locate(lat=lat, lon=lon),
    ):
        if isinstance(found, Located):
            assert found.region in FACTS.regions
        else:
            assert found.detail


@given(lat=st.floats(47.2, 55.1), lon=st.floats(5.8, 15.1))
def test_a_located_point_is_in_the_district_or_at_its_border(lat: float, lon: float) -> None:
    found = PLACES.locate(lat=lat, lon=lon)
    if isinstance(found, Located):
        assert (found.lat, found.lon, found.place_source) == (lat, lon, "coords")
    else:
        assert found.reason == "outside"


def test_a_postcode_and_a_known_name_are_quick() -> None:
    """Generous bounds: 0.5 us each on the machine it was written on; a scan over all names would take 1,000."""
    by_plz = min(timeit.repeat(lambda: PLACES.locate(plz="20095"), number=1_000, repeat=5)) / 1_000
    by_name = min(timeit.repeat(lambda: PLACES.locate(place="Muenchen"), number=1_000, repeat=5)) / 1_000
    assert by_plz < 20e-6
    assert by_name < 30e-6
