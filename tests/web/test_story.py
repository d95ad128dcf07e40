"""The sentences that readers may stop after."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask

from aggregator.catalogue import Catalogue, load_catalogue
from aggregator.model import ALL, Statement
from aggregator.web import story
from tests.making import at, incident


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.fixture(autouse=True)
def _request(app: Flask) -> Iterator[None]:
    with app.test_request_context("/"):
        yield


def test_few_expected_reports_are_told_without_a_ratio(catalogue: Catalogue) -> None:
    said = story.headline(incident(reports=47, service="fixed_internet"), catalogue, at(60))
    assert said == (
        "Hamburg: 47 Meldungen zum Internet (Festnetz) von O2 seit etwa 09:40 Uhr (13. Mai); "
        "üblich wäre in dieser Zeit weniger als eine"
    )


def test_a_ratio_has_an_interval_and_german_numbers(catalogue: Catalogue) -> None:
    national = incident(regions=(), service="portal", reports=1378, expected=31.6, onset=at(-16 * 60 - 31))
    assert story.headline(national, catalogue, at(0)) == (
        "Bundesweit: 1.378 Meldungen zum Kundenportal von O2 seit etwa 17:09 Uhr (12. Mai); "
        "üblich wären in dieser Zeit etwa 32 (44-mal so viele, 41 bis 46)"
    )


def test_an_ended_incident_is_told_with_its_end(catalogue: Catalogue) -> None:
    ended = incident(reports=14, state="over", ended_at=at(50))
    assert story.counted(ended, at(60)).startswith("14 Meldungen, 09:40 bis 10:30 Uhr; ")


def test_the_headline_of_an_ended_incident_names_both_days_once_they_differ(catalogue: Catalogue) -> None:
    ended = incident(reports=14, service="fixed_internet", state="over", ended_at=at(50))
    assert story.headline(ended, catalogue, at(60)).startswith(
        "Hamburg: 14 Meldungen zum Internet (Festnetz) von O2 am 13. Mai von 09:40 bis 10:30 Uhr; "
    )
    long = incident(reports=14, service="fixed_internet", state="over", ended_at=at(2 * 24 * 60))
    assert story.headline(long, catalogue, at(2 * 24 * 60 + 30)).startswith(
        "Hamburg: 14 Meldungen zum Internet (Festnetz) von O2 vom 13. Mai, 09:40 Uhr, bis 15. Mai, 09:40 Uhr; "
    )
    assert "am 13. Mai 2017 von" in story.headline(ended, catalogue, at(400 * 24 * 60))


def test_a_span_over_days_names_the_day_of_its_end_also_when_that_is_today() -> None:
    assert story.span(at(0), at(24 * 60), at(25 * 60)) == "Samstag, 09:40 Uhr bis Sonntag, 09:40 Uhr"


def test_what_a_customer_tells_is_never_labelled_as_the_provider_s_word() -> None:
    said = Statement("1", "o2", ALL, at(0), "8.000 Haushalte", "acknowledged", "hotline_secondhand", "feed")
    assert story.voice(said, "O2") == "zu O2: Hotline, über einen Kunden"
    assert story.voice(replace(said, channel="official"), "O2") == "O2: bestätigt"


@pytest.mark.parametrize(
    ("regions", "words"),
    [
        ((), "Bundesweit"),
        (("02000",), "Hamburg"),
        (("14713", "11000"), "Berlin und Leipzig"),
        (("02000", "09162", "11000", "14713"), "Berlin, Hamburg und 2 weitere Kreise"),
    ],
)
def test_places_are_named_largest_first(catalogue: Catalogue, regions: tuple[str, ...], words: str) -> None:
    assert story.where(incident(regions=regions), catalogue) == words


def test_all_districts_of_a_land_are_the_land(catalogue: Catalogue) -> None:
    saarland = tuple(region for region in catalogue.regions if region.startswith("10"))
    assert story.where(incident(regions=saarland), catalogue) == "Saarland"


def test_several_providers_are_not_one(catalogue: Catalogue) -> None:
    cut = incident(provider=ALL, service=ALL, providers=("o2", "telekom"), pattern="several_providers_regional")
    assert story.title(cut, catalogue) == "Hamburg: Störungen bei mehreren Anbietern"


def test_older_times_carry_their_date() -> None:
    assert story.clock(at(0), at(0) + timedelta(days=1)) == "Samstag, 09:40 Uhr"
    assert story.clock(at(0), at(0) + timedelta(days=30)) == "13. Mai 2017, 09:40 Uhr"
