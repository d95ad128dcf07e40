"""The names that people write: other languages, typos, namesakes; and what the form suggests."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.places import Located, NotLocated
from tests.gazetteer import FACTS, PLACES, reason_of, region_of


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("München", "09162"),
        ("Munich", "09162"),
        ("Muenchen", "09162"),
        ("MÜNCHEN", "09162"),
        ("Munchen", "09162"),
        ("Mu\u0308nchen", "09162"),
        ("Köln", "05315"),
        ("Cologne", "05315"),
        ("Koeln", "05315"),
        ("Koln", "05315"),
        ("Nürnberg", "09564"),
        ("Nuremberg", "09564"),
        ("Hannover", "03241"),
        ("Hanover", "03241"),
        ("Braunschweig", "03101"),
        ("Brunswick", "03101"),
        ("Frankfurt am Main", "06412"),
        ("Frankfurt/Main", "06412"),
        ("Frankfurt a. M.", "06412"),
        ("FFM", "06412"),
        ("Frankfurt (Oder)", "12053"),
        ("Frankfurt/Oder", "12053"),
        ("Halle (Saale)", "15002"),
        ("Halle/Saale", "15002"),
        ("Halle an der Saale", "15002"),
        ("Halle (Westf.)", "05754"),
        ("Essen (Landkreis Cloppenburg)", "03453"),
        ("Essen, NRW", "05113"),
        ("Neustadt an der Weinstraße", "07316"),
        ("St. Augustin", "05382"),
        ("Sankt Augustin", "05382"),
        ("Freiburg", "08311"),
        ("Eisenach", "16063"),
        ("Helgoland", "01056"),
        ("Stadt Leipzig", "14713"),
        ("20095 Hamburg", "02000"),
        ("Hamburg 20095", "02000"),
        ("Berlin, Deutschland", "11000"),
        ("Hattersheim am Main", "06436"),
        ("Mühldorf a. Inn", "09183"),
        ("Landkreis München", "09184"),
        ("Region Hannover", "03241"),
        ("Vaihingen an der Enz", "08118"),
    ],
)
def test_a_town_is_found_as_people_write_it(text: str, region: str) -> None:
    found = PLACES.locate(place=text)
    assert region_of(found) == region
    assert isinstance(found, Located)
    assert not found.approximate


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("Hambrug", "02000"),
        ("Düsseldrof", "05111"),
        ("Stutgart", "08111"),
        ("Leipizg", "14713"),
        ("Köln-Ehrenfeld", "05315"),
        ("Berlin Xhain", "11000"),
    ],
)
def test_a_misspelt_town_or_a_quarter_is_found_roughly(text: str, region: str) -> None:
    found = PLACES.locate(place=text)
    assert region_of(found) == region
    assert isinstance(found, Located)
    assert found.approximate


@pytest.mark.parametrize(
    "text", ["Essen", "Halle", "Münster", "Neustadt", "Frankfurt", "Lorch", "essen", " Frankfurt "]
)
def test_an_ambiguous_name_asks_back(text: str) -> None:
    found = PLACES.locate(place=text)
    assert reason_of(found) == "ambiguous_place"
    assert isinstance(found, NotLocated)
    assert len(found.candidates) >= 2


def test_an_ambiguous_name_with_a_postcode_is_clear() -> None:
    assert region_of(PLACES.locate(place="Essen", plz="45127")) == "05113"


def test_every_candidate_is_a_text_that_is_found_in_a_district_of_its_own() -> None:
    names = [region.name.rpartition(" ")[2] for region in FACTS.regions.values()]
    asked = 0
    for name in ("Essen", "Halle", "Münster", "Neustadt", "Frankfurt", "Oldenburg", "Offenbach", "Mülheim", *names):
        found = PLACES.locate(place=name)
        if isinstance(found, NotLocated) and found.reason == "ambiguous_place":
            asked += 1
            regions = [region_of(PLACES.locate(place=text)) for text in found.candidates]
            assert len(set(regions)) == len(regions), (name, found.candidates)
    assert asked > 10


def test_a_land_is_not_a_place_but_a_city_that_is_one_is() -> None:
    assert reason_of(PLACES.locate(place="Bayern")) == "ambiguous_place"
    assert region_of(PLACES.locate(place="Hamburg")) == "02000"


@pytest.mark.parametrize("text", ["", "   ", "Xyzzyabc", "Paris", "?", "日本", "a" * 10_000, "🙂"])
def test_a_name_that_no_place_has_is_not_located(text: str) -> None:
    assert reason_of(PLACES.locate(place=text)) == "unknown_place"


def test_the_form_is_offered_places_that_are_found() -> None:
    assert PLACES.suggest("Ham")[0] == "Hamburg"
    assert PLACES.suggest("mun")[:1] == ["Munster"] or "München" in PLACES.suggest("mün")
    assert "Essen (Nordrhein-Westfalen)" in PLACES.suggest("essen")
    assert PLACES.suggest("2009")[:2] == ["20095 Hamburg", "20097 Hamburg"]
    assert PLACES.suggest("hambrug") == ["Hamburg"]
    assert PLACES.suggest("") == PLACES.suggest("§$%") == []
    assert len(PLACES.suggest("a", limit=3)) == 3


@given(st.text(max_size=6))
def test_each_suggestion_is_found(text: str) -> None:
    for suggestion in PLACES.suggest(text):
        assert isinstance(PLACES.locate(place=suggestion), Located), suggestion
