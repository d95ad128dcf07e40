"""The sentence above the situation."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from aggregator.catalogue import Catalogue, load_catalogue
from aggregator.model import ALL, Stream
from aggregator.web.headline import concerning, situation
from tests.making import incident


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.fixture(autouse=True)
def _request(app: Flask) -> Iterator[None]:
    with app.test_request_context("/"):
        yield


def test_strong_ones_are_named_by_matter(catalogue: Catalogue) -> None:
    going = [
        incident("a", state="strong", regions=(), service="portal"),
        incident("b", state="strong", service="fixed_internet"),
        incident("c", state="strong", service="fixed_internet", regions=("09162",)),
        incident("d", state="suspected", service="tv"),
    ]
    assert situation(going, {"a", "b", "c"}, catalogue) == (
        "Auffällig viele Meldungen zu O2: "
        "bundesweit zum Kundenportal und zum Internet (Festnetz) aus Hamburg und München"
    )


def test_a_provider_is_not_named_again_on_its_own_page(catalogue: Catalogue) -> None:
    going = [incident("a", state="easing", regions=(), service="portal"), incident("b", state="easing", service="tv")]
    assert situation(going, {"a", "b"}, catalogue, of="o2") == (
        "Noch auffällig viele Meldungen, aber weniger als zuvor: "
        "bundesweit zum Kundenportal und zum Fernsehen aus Hamburg"
    )
    assert situation(going[1:], {"b"}, catalogue, of="o2").endswith("zuvor: zum Fernsehen aus Hamburg")
    assert situation(going[1:], {"b"}, catalogue).endswith("zuvor: zum Fernsehen von O2 aus Hamburg")


def test_several_providers_are_named_each_with_its_matter(catalogue: Catalogue) -> None:
    going = [incident("a", provider="telekom", service="tv"), incident("b", service="mobile")]
    assert situation(going, set(), catalogue) == (
        "Mehr Meldungen als üblich, noch kein sicheres Zeichen: "
        "zum Fernsehen von Telekom aus Hamburg und zum Mobilfunk von O2 aus Hamburg"
    )


def test_what_was_strong_is_so_in_a_past_that_is_looked_at_again(catalogue: Catalogue) -> None:
    assert situation([incident("a", state="over")], {"a"}, catalogue).startswith("Auffällig viele Meldungen")


def test_what_eases_is_told_so(catalogue: Catalogue) -> None:
    assert "aber weniger als zuvor" in situation([incident("a", state="easing")], {"a"}, catalogue)


def test_suspected_ones_alone_are_told_with_doubt_and_nothing_is_said_plainly(catalogue: Catalogue) -> None:
    assert "noch kein sicheres Zeichen" in situation([incident("a")], set(), catalogue)
    assert situation([], set(), catalogue) == "Zurzeit sind nirgends auffällig viele Meldungen"


def test_what_does_not_fit_into_the_sentence_is_counted(catalogue: Catalogue) -> None:
    services = ("mobile", "tv", "portal", "email", "hotline")
    going = [incident(service, state="strong", service=service) for service in services]
    assert situation(going, set(services), catalogue).endswith("und zu 2 weiteren Sachen")


def test_four_places_are_named_and_of_more_the_unlikeliest_three(catalogue: Catalogue) -> None:
    regions = ("02000", "09162", "14713", "11000", "05315")
    going = [incident(region, state="strong", service="tv", regions=(region,)) for region in regions]
    four, five = situation(going[:4], set(regions), catalogue), situation(going, set(regions), catalogue)
    assert four.endswith("aus Hamburg, München, Leipzig und Berlin")
    assert five.endswith("aus Hamburg, München, Leipzig und 2 weiteren Gebieten")


def test_a_filter_is_named_behind_the_reports(catalogue: Catalogue) -> None:
    assert concerning(Stream("o2", ALL), catalogue) == "zu O2"
    assert concerning(Stream(ALL, "mobile"), catalogue) == "zu Mobilfunk"
    assert concerning(Stream("o2", "mobile"), catalogue) == "zu Mobilfunk von O2"
    assert concerning(Stream(ALL, ALL), catalogue) == ""
