"""The gazetteer speaks geopy."""

from __future__ import annotations

import pytest
from geopy.exc import GeocoderQueryError
from geopy.geocoders.base import Geocoder
from geopy.point import Point

from aggregator.catalogue import load_catalogue
from aggregator.geocode import EmbeddedGazetteer

GAZETTEER = EmbeddedGazetteer(load_catalogue().places)


def test_it_is_a_geopy_geocoder() -> None:
    assert isinstance(GAZETTEER, Geocoder)


@pytest.mark.parametrize(
    ("text", "region"), [("Munich", "09162"), ("20095", "02000"), ("Halle (Saale)", "15002"), ("Hambrug", "02000")]
)
def test_a_text_becomes_a_location_with_its_district(text: str, region: str) -> None:
    found = GAZETTEER.geocode(text)
    assert found.raw["region"] == region
    assert 47 < found.latitude < 55.1
    assert 5.8 < found.longitude < 15.1


def test_a_misspelt_text_is_marked_as_roughly_placed() -> None:
    assert GAZETTEER.geocode("Hambrug").raw["approximate"] is True
    assert GAZETTEER.geocode("Hamburg").raw["approximate"] is False


def test_an_ambiguous_name_gives_no_single_place_but_a_choice() -> None:
    assert GAZETTEER.geocode("Essen") is None
    choice = GAZETTEER.geocode("Essen", exactly_one=False)
    assert [location.raw["region"] for location in choice] == ["05113", "03453"]
    assert choice[0].address == "Essen (Nordrhein-Westfalen)"


def test_a_clear_name_as_a_choice_is_a_list_of_one() -> None:
    assert [location.address for location in GAZETTEER.geocode("Köln", exactly_one=False)] == ["Köln"]


@pytest.mark.parametrize("one", [True, False])
def test_an_unknown_name_gives_nothing(one: bool) -> None:
    assert GAZETTEER.geocode("Xyzzyabc", exactly_one=one) is None


@pytest.mark.parametrize("point", [(53.55, 9.99), "53.55, 9.99", Point(53.55, 9.99)])
def test_a_point_becomes_its_district(point: Point | str | tuple[float, float]) -> None:
    found = GAZETTEER.reverse(point)
    assert (found.address, found.raw["region"], found.latitude) == ("Hamburg", "02000", 53.55)


def test_a_point_abroad_gives_nothing() -> None:
    assert GAZETTEER.reverse((48.2, 16.37)) is None


def test_what_is_neither_text_nor_point_is_a_query_error() -> None:
    with pytest.raises(GeocoderQueryError, match="is text, not int"):
        GAZETTEER.geocode(20095)  # type: ignore[arg-type]
    with pytest.raises(GeocoderQueryError, match="not a point"):
        GAZETTEER.reverse("nonsense")
