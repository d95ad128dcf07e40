"""Raw reports: resolved, or rejected with a sentence; persons hashed; equal items told apart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.catalogue import Catalogue, load_catalogue
from aggregator.cleaning import address_block, clean, slug
from aggregator.model import RawReport, Rejected, Report
from aggregator.normalise import Normaliser, normalise
from tests.making import SATURDAY, raw

NOW = SATURDAY + timedelta(days=1)
KEY = b"a key"


@cache
def catalogue() -> Catalogue:
    return load_catalogue()


def resolve(**values: Any) -> Report | Rejected:
    return normalise(raw(**values), catalogue=catalogue(), received_at=NOW, key=KEY)


def kept(**values: Any) -> Report:
    found = resolve(**values)
    assert isinstance(found, Report), found
    return found


def test_names_places_and_times_are_resolved() -> None:
    found = kept(provider="O₂ Telefónica", service="Mobilfunk", comment="Kein\x00 Netz\u202e ")
    assert (found.provider, found.service, found.region, found.plz) == ("o2", "mobile", "02000", "20095")
    assert (found.observed_at, found.received_at) == (SATURDAY, NOW)
    assert found.comment == "Kein  Netz"


@pytest.mark.parametrize(
    "text",
    ["2017-05-13T09:40", "2017-05-13 09:40:00", "2017-05-13T07:40Z", "2017-05-13T03:40-04:00", "20170513T094000",
     datetime(2017, 5, 13, 9, 40),  # noqa: DTZ001 - what a careless caller gives
     datetime(2017, 5, 13, 7, 40, tzinfo=UTC)],
)  # fmt: skip
def test_any_offset_is_taken_and_none_is_german_time(text: datetime | str) -> None:
    assert kept(observed_at=text).observed_at == SATURDAY


def test_in_winter_german_time_is_one_hour_ahead() -> None:
    assert kept(observed_at="2017-01-13T09:40").observed_at == datetime(2017, 1, 13, 8, 40, tzinfo=UTC)


@pytest.mark.parametrize(
    ("values", "reason", "field"),
    [
        ({"provider": " "}, "missing_field", "provider"),
        ({"provider": "Foo & Söhne"}, "unknown_provider", "provider"),
        ({"service": ""}, "missing_field", "service"),
        ({"service": "Rohrpost"}, "unknown_service", "service"),
        ({"observed_at": None}, "missing_field", "observed_at"),
        ({"observed_at": "13.05.2017 09:40"}, "bad_time", "observed_at"),
        ({"observed_at": "2017-05-13"}, "bad_time", "observed_at"),
        ({"observed_at": "2017-02-30T09:40"}, "bad_time", "observed_at"),
        ({"observed_at": "1494661200"}, "bad_time", "observed_at"),
        ({"observed_at": "0001-01-01T00:00+05:00"}, "bad_time", "observed_at"),
        ({"observed_at": "2017-05-15T09:40"}, "future_time", "observed_at"),
        ({"observed_at": "1970-01-01T00:00Z"}, "too_old", "observed_at"),
        ({"observed_at": "2017-04-01T09:40", "source": "form"}, "too_old", "observed_at"),
        ({"received_at": "2018-05-13T09:40"}, "future_time", "received_at"),
        ({"received_at": "gestern"}, "bad_time", "received_at"),
        ({"began_at": "früh"}, "bad_time", "began_at"),
        ({"ended_at": "bald"}, "bad_time", "ended_at"),
        ({"plz": "00000"}, "unknown_place", "plz"),
        ({"plz": "", "place": "Xyzzyhausen-Plugh"}, "unknown_place", "place"),
        ({"plz": "", "place": "Essen"}, "ambiguous_place", "place"),
        ({"plz": "", "region": "99999"}, "unknown_place", "region"),
        ({"plz": "", "lat": "48.85", "lon": "2.35"}, "outside", "lat"),
        ({"plz": "", "lat": "0", "lon": "0"}, "bad_coordinates", "lat"),
        ({"plz": "", "lat": "53.5"}, "bad_coordinates", "lon"),
        ({"plz": "", "lat": "53,5", "lon": "10"}, "bad_number", "lat"),
        ({"plz": "", "lat": 53.5, "lon": float("nan")}, "bad_number", "lon"),
    ],
)
def test_what_cannot_be_used_is_rejected_with_field_line_and_sentence(
    values: dict[str, Any], reason: str, field: str
) -> None:
    found = resolve(**values, where="line 7")
    assert isinstance(found, Rejected)
    assert (found.reason, found.field, found.where) == (reason, field, "line 7")
    assert found.detail.endswith(".")
    assert "\n" not in found.detail


def test_a_report_without_any_place_counts_for_the_nation() -> None:
    found = kept(plz="")
    assert (found.region, found.lat, found.plz, found.place_source) == ("", None, "", "")


def test_a_place_guessed_from_the_address_says_so() -> None:
    assert kept(plz="", lat=53.55, lon=9.99).place_source == "coords"
    assert kept(plz="", lat=53.55, lon=9.99, place_source="ip").place_source == "ip"
    assert kept(plz="", place_source="ip").region == ""


def test_a_postal_code_that_lost_its_zero_gets_it_back() -> None:
    assert (kept(plz="4109").plz, kept(plz="4109").region) == ("04109", "14713")


def test_times_of_receipt_are_taken_from_files_but_not_from_those_who_report() -> None:
    earlier = "2017-05-13T09:45"
    assert kept(source="import", received_at=earlier).received_at == SATURDAY + timedelta(minutes=5)
    assert kept(source="form", received_at=earlier).received_at == NOW
    assert kept(source="api", received_at=earlier).received_at == NOW


@pytest.mark.parametrize(
    ("values", "ended_at"),
    [
        ({}, None),
        ({"ended_at": "2017-05-13T11:00"}, SATURDAY + timedelta(minutes=80)),
        ({"ended_at": "2017-05-13T09:39"}, None),  # before the beginning: dateEnd of real feeds does that
        ({"ended_at": "2017-05-13T09:39", "began_at": "2017-05-13T08:00"}, SATURDAY - timedelta(minutes=1)),
        ({"ended_at": "2017-05-20T11:00"}, None),  # planned, not known
    ],
)
def test_an_end_that_cannot_be_one_yet_is_left_out(values: dict[str, str], ended_at: datetime | None) -> None:
    assert kept(**values).ended_at == ended_at


def test_a_beginning_after_the_report_is_left_out() -> None:
    assert kept(began_at="2017-05-13T11:00").began_at is None
    assert kept(began_at="2017-05-12T17:00").began_at == datetime(2017, 5, 12, 15, tzinfo=UTC)


def test_an_open_feed_brings_providers_of_its_own() -> None:
    found = kept(provider="Stadtwerke Münster & Co.", open_provider=True)
    assert (found.provider, found.provider_name) == (slug("Stadtwerke Münster & Co."), "Stadtwerke Münster & Co.")
    assert found.provider == "stadtwerke-muenster-und-co"
    assert kept(provider="O2", open_provider=True).provider_name == ""


def test_persons_are_hashed_with_the_key_and_by_source() -> None:
    one = kept(reporter="anna@example.org", address="203.0.113.7")
    assert "anna" not in repr(one)
    assert "203.0.113" not in repr(one)
    assert one.reporter == kept(reporter="anna@example.org").reporter
    assert one.reporter != kept(reporter="anna@example.org", source="other").reporter
    other_key = normalise(raw(reporter="anna@example.org"), catalogue=catalogue(), received_at=NOW, key=b"other")
    assert isinstance(other_key, Report)
    assert other_key.reporter != one.reporter


def test_addresses_of_one_block_have_one_hash() -> None:
    assert kept(address="203.0.113.7").block == kept(address="203.0.114.200").block != ""
    assert kept(address="203.0.113.7").block != kept(address="203.0.213.7").block
    assert kept(address="unknown").block == ""


@pytest.mark.parametrize(
    ("address", "block"),
    [("203.0.113.7", "203.0.113.0/24"), ("2001:db8:1:2::3", "2001:db8:1::/48"),
     ("::ffff:203.0.113.9", "203.0.113.0/24"), ("no address", ""), ("", "")],
)  # fmt: skip
def test_the_block_of_an_address(address: str, block: str) -> None:
    assert address_block(address) == block


def test_the_id_is_the_sources_key_or_the_content_and_its_ordinal() -> None:
    assert kept(key="1").report_id == kept(key="1", plz="80331", comment="edited").report_id
    assert kept(key="1").report_id != kept(key="1", source="other").report_id
    assert kept().report_id == kept(observed_at="2017-05-13T07:40:00.7Z").report_id
    assert kept().report_id != kept(observed_at="2017-05-13T07:40:01Z").report_id
    assert kept().report_id != kept(plz="80331").report_id
    assert kept(key="x").report_id != kept(key="").report_id


def test_equal_items_of_a_second_are_numbered_alike_each_time() -> None:
    def ids() -> list[str]:
        normaliser = Normaliser(catalogue(), KEY)
        found = [normaliser.report(item, NOW) for item in (raw(), raw(plz="80331"), raw(), raw())]
        return [item.report_id for item in found if isinstance(item, Report)]

    assert ids() == ids()
    assert len(set(ids())) == 4


def test_two_persons_at_the_form_in_one_second_are_two() -> None:
    assert kept(source="api", reporter="a").report_id != kept(source="api", reporter="b").report_id


@given(st.text(), st.integers(0, 50))
def test_cleaned_text_is_short_storable_and_without_control_characters(text: str, limit: int) -> None:
    found = clean(text, limit)
    assert len(found) <= limit
    found.encode("utf-8")
    assert not any(ord(letter) < 32 or 0x7F <= ord(letter) < 0xA0 for letter in found)


anything = st.text(max_size=40) | st.sampled_from(["o2", "mobile", "20095", "2017-05-13T09:40", "53.5", "9.9", ""])


NAMES = (
    "provider", "service", "symptom", "key", "observed_at", "began_at", "received_at", "region", "plz", "place",
    "lat", "lon", "reporter", "address", "comment", "ended_at",
)  # fmt: skip


@given(st.fixed_dictionaries(dict.fromkeys(NAMES, anything)), st.booleans())
def test_whatever_comes_is_a_report_or_a_reason(values: dict[str, str], open_provider: bool) -> None:
    item: Any = RawReport(source="feed", open_provider=open_provider, **values)  # type: ignore[arg-type]
    found = normalise(item, catalogue=catalogue(), received_at=NOW, key=KEY)
    assert isinstance(found, Report) or found.detail
