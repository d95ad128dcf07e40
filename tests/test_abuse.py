"""Somebody sends thousands through the form, and at the same time Hamburg's lines really fail: named scenarios.

Everything goes through the site, the store and the detection. The limits of what a network may send are off here: what
is proven is that the weighing holds when nobody is kept out.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import numpy as np
import pytest
from flask.testing import FlaskClient

from aggregator.clock import SimulatedClock
from aggregator.instance import Instance, open_instance
from aggregator.model import Filter, RawReport
from aggregator.pipeline import accept
from aggregator.refresh import Detection
from aggregator.settings import load_settings
from aggregator.store import incidents, reports
from aggregator.web import create_app
from aggregator.web.seal import seal
from aggregator.web.sending import raw_report
from tests.test_scenarios import DAY, DSL, HAMBURG, HOUR, NOW, fill, maker, quiet

START = NOW - HOUR
MUNICH, HAMBURGS = "80331", "20095"
TOWNS = ("80331", "50667", "60311", "70173", "40213", "04109", "01067", "28195", "30159", "90402")
SAMPLE = 25  # every so manyth form goes over the wire, the others in at the same door by hundreds
PHONES = [f"Mozilla/5.0 (Linux; Android {n}; K) Chrome/{n + 40}.0" for n in range(8, 16)]


@dataclass(frozen=True, slots=True)
class Post:
    """One form that is sent."""

    at: datetime
    address: str
    browser: str
    plz: str
    uid: str
    comment: str = ""


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a Netzlage with 28 quiet days behind it."""
    home, since = tmp_path_factory.mktemp("past"), NOW - 28 * DAY
    opened = open_instance(load_settings(None, {"NETZLAGE_HOME": str(home)}), SimulatedClock(START))
    fill(opened, *quiet(maker(opened), since, NOW), since=since)
    opened.store.fold()
    opened.store.close()
    return home


@pytest.fixture
def instance(past: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Instance]:
    """That Netzlage, of which each scenario gets its own; it waits for no disk."""
    fast = ("journal_mode = WAL", "synchronous = OFF", "busy_timeout = 10000", "cache_size = -32000")
    monkeypatch.setattr("aggregator.store.engine.PRAGMAS", fast)
    shutil.copytree(past, tmp_path / "home")
    settings = load_settings(None, {"NETZLAGE_HOME": str(tmp_path / "home"), "NETZLAGE_RATE_LIMITS": "off"})
    opened = open_instance(settings, SimulatedClock(START))
    yield opened
    opened.store.close()


def spread(count: int, seed: int) -> list[datetime]:
    """Return `count` moments of the last hour, ascending."""
    return [START + HOUR * float(part) for part in np.sort(np.random.default_rng(seed).uniform(0, 1, count))]


def attack(
    addresses: Iterable[str], count: int, *, plz: str = MUNICH, comment: str = "", one_browser: bool = False
) -> list[Post]:
    """Make a flood: each address in turn, another browser each time unless told otherwise."""
    found = list(addresses)
    return [
        Post(at, found[n % len(found)], "bot" if one_browser else f"bot {n}", plz, f"flood-{n}", comment)
        for n, at in enumerate(spread(count, 1))
    ]


def outage(count: int = 40, through_a_gateway: float = 0.0) -> list[Post]:
    """Make Hamburg report: people at home all over the net, some of them by phone through one address."""
    found = []
    for n, at in enumerate(spread(count, 2)):
        gateway = (n % 10) < through_a_gateway * 10
        address = "100.64.0.1" if gateway else f"{80 + n % 20}.{n * 7 % 250}.{n * 13 % 250}.{n % 250 + 1}"
        browser = PHONES[n % len(PHONES)] if gateway else f"Firefox {n % 6}"
        found.append(Post(at, address, browser, HAMBURGS, f"real-{n}"))
    return found


def play(instance: Instance, *posts: list[Post]) -> None:
    """Send everything at its time, and look each quarter of an hour."""
    site, clock, detection = create_app(instance).test_client(), instance.clock, Detection(instance)
    assert isinstance(clock, SimulatedClock)
    waiting = sorted((post for some in posts for post in some), key=lambda post: post.at)
    for quarter in range(1, 5):
        until = START + quarter * HOUR / 4
        now = [post for post in waiting if post.at < until]
        waiting = waiting[len(now) :]
        for post in now[::SAMPLE]:
            clock.set(post.at)
            send(site, instance, post)
        clock.set(until)
        take(instance, [post for n, post in enumerate(now) if n % SAMPLE])
        detection.refresh()


def send(site: FlaskClient, instance: Instance, post: Post) -> None:
    """Send one form."""
    form = {
        "provider": DSL.provider, "service": DSL.service, "place": post.plz, "uid": post.uid, "comment": post.comment,
        "seal": seal(instance.key, post.uid, post.at - timedelta(seconds=30)),
    }  # fmt: skip
    asked = {"REMOTE_ADDR": post.address, "HTTP_USER_AGENT": post.browser}
    assert site.post("/melden", data=form, environ_overrides=asked).status_code == 303


def take(instance: Instance, posts: list[Post]) -> None:
    """Take in at once what the form makes of so many, to spare ten thousand requests."""
    accept(instance, [raw_of(post) for post in posts])


def raw_of(post: Post) -> RawReport:
    asked = {"REMOTE_ADDR": post.address, "HTTP_USER_AGENT": post.browser}
    fields = {"provider": DSL.provider, "service": DSL.service, "plz": post.plz, "uid": post.uid}
    raw = raw_report({**fields, "comment": post.comment}, "form", asked)
    assert isinstance(raw, RawReport)
    return replace(raw, observed_at=post.at)


def strong(instance: Instance) -> set[tuple[str, ...]]:
    """Return the districts of the incidents that were ever strong."""
    with instance.store.read() as connection:
        return {
            incident.regions
            for incident in incidents.find(connection, Filter())
            if any(t.state == "strong" for t in incidents.transitions(connection, incident.incident_id))
        }


def block_of(start: str, count: int, step: int = 1) -> list[str]:
    first = int(ip_address(start))
    six = ":" in start
    return [str(ip_address(first + n * step)) if six else str(ip_address(first + n)) for n in range(count)]


FLOODS = {
    "10,000 from one /24": lambda: attack(block_of("198.51.100.0", 256), 10_000),
    "10,000 from one IPv6 /48, another /64 each": lambda: attack(block_of("2001:db8:5::1", 10_000, 1 << 64), 10_000),
    "3,000 from 300 addresses of one network": lambda: attack(block_of("203.0.112.0", 300), 3000),
    "3,000 from 300 addresses, one browser": lambda: attack(block_of("203.0.112.0", 300), 3000, one_browser=True),
    "1,000 copies of a text": lambda: attack(
        [f"{n % 190 + 20}.{n * 11 % 250}.{n * 17 % 250}.9" for n in range(1000)], 1000,
        comment="Bei allen ist das Internet weg, bitte alle melden!",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_makes_nothing_strong_and_hamburg_beside_it_is(instance: Instance, name: str) -> None:
    """60 % of Hamburg comes through one carrier's gateway, which is the harder case."""
    play(instance, FLOODS[name](), outage(60, through_a_gateway=0.6))
    assert strong(instance) == {(HAMBURG,)}


def test_hamburg_at_home_is_found_beside_a_flood_too(instance: Instance) -> None:
    play(instance, FLOODS["10,000 from one /24"](), outage(40))
    assert strong(instance) == {(HAMBURG,)}


def test_a_uid_that_is_replayed_from_everywhere_is_one_report(instance: Instance) -> None:
    posts = [replace(post, uid="the same") for post in attack(block_of("198.51.100.0", 2000, 300), 2000)]
    play(instance, posts, outage(60, through_a_gateway=0.6))
    assert strong(instance) == {(HAMBURG,)}
    with instance.store.read() as connection:
        mine = Filter(DSL.provider, DSL.service, region="09162", since=START)
        assert reports.count(connection, mine, sources=["form"]) == 1
