"""What is forgotten of persons changes no look back: incidents are found as they were."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from aggregator.clock import SimulatedClock
from aggregator.instance import Instance, open_instance
from aggregator.model import Incident
from aggregator.refresh import Detection
from aggregator.retention import forget
from aggregator.settings import load_settings
from tests.test_scenarios import DAY, DSL, HAMBURG, HOUR, NOW, Made, fill, maker, quiet


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Instance]:
    """28 days with a gateway in them, then a flood, copies of a text, and an outage of Hamburg."""
    opened = open_instance(load_settings(None, {"NETZLAGE_HOME": str(tmp_path)}), SimulatedClock(NOW))
    make, since = maker(opened), NOW - 28 * DAY
    usual = named(make(DSL, since, NOW, 8), {0: "gateway", 3: "gateway"})
    flood = named(make(DSL, NOW - 2 * HOUR, NOW, 2000), dict.fromkeys(range(10), "flood"))
    copies = [replace(r, comment="Alle bitte hier melden, sofort!") for r in make(DSL, NOW - HOUR, NOW, 900)]
    outage = named(make(DSL, NOW - HOUR, NOW, 60, where=(HAMBURG,)), dict.fromkeys(range(6), "gateway"))
    fill(opened, *quiet(make, since, NOW), usual, flood, copies, outage, since=since)
    yield opened
    opened.store.close()


def named(given: Made, blocks: dict[int, str]) -> Made:
    """Give reports a reporter each, and blocks by the last figure of their number, of which each day has its own."""
    return [
        replace(
            r,
            reporter=f"person {r.report_id}",
            block=f"{r.observed_at:%d}{blocks[n % 10]}" if n % 10 in blocks else f"{r.observed_at:%d} home {n}",
        )
        for n, r in enumerate(given)
    ]


def look_back(instance: Instance) -> list[Incident]:
    return Detection(instance).replay([NOW - HOUR + n * timedelta(minutes=20) for n in range(4)])


def test_a_look_back_finds_the_same_to_the_last_bit_when_everything_is_forgotten(instance: Instance) -> None:
    before = look_back(instance)
    assert {incident.regions for incident in before if incident.state == "strong"} == {(HAMBURG,)}
    for days in (1, 2, 31, 91):
        forgotten = forget(instance.store, NOW + days * DAY)
        assert look_back(instance) == before, forgotten
