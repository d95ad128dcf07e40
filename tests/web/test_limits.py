"""How much one line, one block and all together may send, and that nobody behind a proxy answers for others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from aggregator.clock import SystemClock
from aggregator.errors import SettingsError
from aggregator.instance import Instance
from aggregator.web import create_app

Site = Callable[..., FlaskClient]


@pytest.fixture
def site_with(empty: Instance) -> Site:
    """Make a site with the given settings."""

    def made(**settings: Any) -> FlaskClient:
        return create_app(replace(empty, settings=replace(empty.settings, **settings))).test_client()

    return made


def send(site: FlaskClient, address: str, **headers: str) -> int:
    return site.post("/api/v1/reports", json={}, environ_base={"REMOTE_ADDR": address}, headers=headers).status_code


def statuses(site: FlaskClient, addresses: list[str]) -> list[int]:
    return [send(site, address) for address in addresses]


def test_a_block_is_asked_to_wait_and_its_neighbour_is_not(site_with: Site) -> None:
    site = site_with(rate_limit_block="3 per minute")
    assert statuses(site, [f"192.0.2.{n}" for n in range(4)]) == [422, 422, 422, 429]
    assert statuses(site, ["192.0.3.1", "2001:db8::1"]) == [422, 422]


def test_of_ipv6_a_line_and_a_block_each_have_a_limit(site_with: Site) -> None:
    site = site_with(rate_limit_block="4 per minute", rate_limit_line="2 per minute")
    assert statuses(site, ["2001:db8:1:1::1", "2001:db8:1:1::2", "2001:db8:1:1::3"]) == [422, 422, 429]
    assert statuses(site, ["2001:db8:1:2::1", "2001:db8:1:3::1"]) == [422, 429]
    assert statuses(site, ["2001:db8:2:1::1"]) == [422]


def test_an_ipv4_address_has_no_limit_of_its_own_because_a_gateway_is_one(site_with: Site) -> None:
    site = site_with(rate_limit_block="9 per minute", rate_limit_line="2 per minute")
    assert statuses(site, ["192.0.2.1"] * 9) == [422] * 9


def test_all_together_have_a_limit(site_with: Site) -> None:
    site = site_with(rate_limit_all="3 per minute")
    assert statuses(site, [f"192.0.{n}.1" for n in range(4)]) == [422, 422, 422, 429]


def test_who_has_to_wait_is_told_how_long_in_a_sentence(site_with: Site) -> None:
    site = site_with(rate_limit_block="1 per minute; 5 per hour")
    site.post("/melden", data={"provider": "o2"})
    page = site.post("/melden", data={"provider": "o2", "place": "20095", "comment": "noch da"})
    assert page.status_code == 429
    assert page.headers["Retry-After"] == "60"
    assert "zu viele Meldungen auf einmal" in page.text
    assert "noch da" in page.text
    assert 'value="20095"' in page.text
    program = site.post("/api/v1/reports", json={})
    assert program.headers["Retry-After"] == "60"
    assert "come again in" in program.get_json()["errors"]["request"]


def test_readers_are_not_counted(site_with: Site) -> None:
    site = site_with(rate_limit_all="1 per minute")
    assert [site.get("/melden").status_code for _ in range(5)] == [200] * 5


def test_switched_off_nobody_waits(site_with: Site) -> None:
    site = site_with(rate_limits=False, rate_limit_all="1 per minute")
    assert statuses(site, ["192.0.2.1"] * 5) == [422] * 5


@pytest.mark.parametrize(
    ("proxies", "said", "seen"),
    [
        (0, "198.51.100.1", "192.0.2.1"),  # anybody may claim that: not believed
        (1, "198.51.100.1", "198.51.100.1"),
        (1, "203.0.113.1, 198.51.100.1", "198.51.100.1"),  # what came before the proxy of ours is a claim
        (2, "203.0.113.1, 198.51.100.1", "203.0.113.1"),
    ],
)
def test_the_address_is_the_one_that_the_trusted_proxies_saw(
    site_with: Site, proxies: int, said: str, seen: str
) -> None:
    site = site_with(trusted_proxies=proxies, rate_limit_block="1 per minute")
    neighbour = f"{seen.rpartition('.')[0]}.200"
    assert send(site, "192.0.2.1", **{"X-Forwarded-For": said}) == 422
    if proxies == 0:
        assert send(site, neighbour, **{"X-Forwarded-For": "203.0.113.200"}) == 429
    else:
        behind = [neighbour, *said.split(", ")[1:]] if proxies == 2 else [neighbour]
        assert send(site, "192.0.9.9", **{"X-Forwarded-For": ", ".join(behind)}) == 429


def test_no_address_lies_in_the_memory_of_the_limits(site_with: Site) -> None:
    site = site_with()
    send(site, "198.51.100.77")
    limiter = next(iter(site.application.extensions["limiter"]))
    memory = repr(vars(limiter.storage))
    assert memory.count("LIMITER") >= 2
    assert "198.51" not in memory


def test_a_redis_that_is_away_keeps_nobody_out_and_each_process_counts_for_itself(site_with: Site) -> None:
    site = site_with(redis_url="redis://127.0.0.1:1/0", rate_limit_block="2 per minute")
    assert statuses(site, ["192.0.2.1"] * 3) == [422, 422, 429]


def test_a_redis_address_that_is_none_is_told_with_the_mend(site_with: Site) -> None:
    with pytest.raises(SettingsError, match="redis_url"):
        site_with(redis_url="radish://here")


def test_the_limits_go_by_the_worlds_time(empty: Instance) -> None:
    real = replace(empty, clock=SystemClock(), settings=replace(empty.settings, rate_limit_block="1 per minute"))
    site = create_app(real).test_client()
    assert statuses(site, ["192.0.2.1"] * 2) == [422, 429]
