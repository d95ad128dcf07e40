"""Area codes and quarters find their district."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.model import Rejected, Report
from aggregator.normalise import normalise
from aggregator.places import Located
from ingest.parsers import NO_HINTS, PARSERS, Feed
from tests.gazetteer import FACTS, PLACES, reason_of, region_of
from tests.making import SATURDAY, raw


@pytest.mark.parametrize(
    ("code", "region"),
    [
        ("040", "02000"),
        ("40", "02000"),
        ("+49 40 123456", "02000"),
        ("0049 (0)341 99", "14713"),
        ("(0341) 123", "14713"),
        ("089/123456", "09162"),
        ("069", "06412"),
        ("0335", "12053"),
        ("0345", "15002"),
        ("0201", "05113"),
        ("06172", "06434"),
        ("0471", "04012"),
        ("04101", "01056"),
        ("08031", "09163"),
    ],
)
def test_an_area_code_is_in_its_district(code: str, region: str) -> None:
    found = PLACES.locate(area_code=code)
    assert region_of(found) == region
    assert isinstance(found, Located)
    assert found.place_source == "area_code"


@pytest.mark.parametrize("code", ["0", "00", "0151 123", "0800 330", "110", "abc", "٠٤٠", "0-4", "(", "+49"])
def test_what_is_no_area_code_is_not_located(code: str) -> None:
    assert reason_of(PLACES.locate(area_code=code)) == "unknown_place"


def test_a_code_whose_place_the_gazetteer_lacks_lies_amid_its_neighbours() -> None:
    found = PLACES.locate(area_code="033084")
    assert isinstance(found, Located)
    assert (found.region, found.approximate) == ("12065", True)


def test_a_name_that_is_clear_comes_before_the_area_code_and_an_ambiguous_one_after_it() -> None:
    assert region_of(PLACES.locate(place="Leipzig", area_code="040")) == "14713"
    assert region_of(PLACES.locate(place="Neustadt", area_code="06321")) == "07316"
    assert reason_of(PLACES.locate(place="Neustadt", area_code="0800")) == "ambiguous_place"


@pytest.mark.parametrize(
    ("quarter", "region"),
    [
        ("Schwabing", "09162"),
        ("Ehrenfeld", "05315"),
        ("Connewitz", "14713"),
        ("Barmbek", "02000"),
        ("Prenzlauer Berg", "11000"),
        ("Bad Cannstatt", "08111"),
        ("Köln-Ehrenfeld", "05315"),
        ("Hamburg Altona", "02000"),
    ],
)
def test_a_quarter_of_a_big_city_is_in_its_city(quarter: str, region: str) -> None:
    assert region_of(PLACES.locate(place=quarter)) == region


def test_a_quarter_with_namesakes_is_ambiguous_and_offered_with_its_city() -> None:
    found = PLACES.locate(place="Sachsenhausen")
    assert reason_of(found) == "ambiguous_place"
    assert "Sachsenhausen (Frankfurt am Main)" in found.candidates  # type: ignore[union-attr]
    assert region_of(PLACES.locate(place="Sachsenhausen (Frankfurt am Main)")) == "06412"


def test_whose_facts_the_area_codes_are_is_said() -> None:
    assert any("libphonenumber" in attribution.line for attribution in FACTS.attributions)


@given(st.text(max_size=60))
def test_no_text_is_too_odd_for_an_area_code(text: str) -> None:
    PLACES.locate(area_code=text)


def test_a_report_with_an_area_code_alone_is_located_by_it() -> None:
    found = normalise(raw(plz="", area_code="0341 99"), catalogue=FACTS, received_at=SATURDAY, key=b"k")
    assert isinstance(found, Report)
    assert (found.region, found.place_source) == ("14713", "area_code")


def test_an_area_code_that_is_none_rejects_the_report_and_is_named() -> None:
    found = normalise(raw(plz="", area_code="0800"), catalogue=FACTS, received_at=SATURDAY, key=b"k")
    assert isinstance(found, Rejected)
    assert (found.reason, "0800" in found.detail) == ("unknown_place", True)


def test_reports_without_an_area_code_keep_their_ids() -> None:
    plain, with_code = (
        normalise(raw(key="", area_code=code), catalogue=FACTS, received_at=SATURDAY, key=b"k") for code in ("", "040")
    )
    assert isinstance(plain, Report)
    assert isinstance(with_code, Report)
    assert plain.report_id == "07275e3f0ae57558b6874b88"  # as before there were area codes
    assert with_code.report_id != plain.report_id


def test_a_feed_may_map_an_area_code() -> None:
    feed = Feed(name="f", format="json_records", url="x", fields={"area_code": "vorwahl", "report_id": "id"})
    [report] = PARSERS["json_records"](b'[{"id": 1, "vorwahl": "040"}]', feed, NO_HINTS).reports
    assert report.area_code == "040"
