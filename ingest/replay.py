"""A scenario's past, caught up with: the clock is set step by step and the feeds are polled as they would be. I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from aggregator.catalogue import Catalogue, data_folder
from aggregator.clock import SimulatedClock
from aggregator.errors import FeedUnreachable
from aggregator.factfiles import read_postcodes
from aggregator.instance import Instance
from aggregator.outbound.client import Outbound
from aggregator.places import Located
from ingest.events import Point, World
from ingest.feed import Feed
from ingest.runner import run_feed
from ingest.scenario import Scenario


def world_of(catalogue: Catalogue) -> World:
    """Return the facts that a scenario needs; a PLZ whose middle lies in a neighbouring district is left out."""
    points = []
    for code in read_postcodes(data_folder() / "odbl", catalogue.regions):
        found = catalogue.places.locate(lat=code.lat, lon=code.lon)
        if isinstance(found, Located) and found.region == code.region:
            points.append(Point(code.plz, code.names[0] if code.names else "", code.lat, code.lon, code.region))
    return World(catalogue.regions, catalogue.providers, points)


def steps(scenario: Scenario) -> list[tuple[datetime, bool]]:
    """Return when the feeds are polled while catching up, and whether detection follows."""
    found = []
    at = scenario.start
    for leg in scenario.catch_up:
        while at < leg.until:
            at = min(at + leg.step, leg.until)
            found.append((at, leg.refresh))
    return found


def catch_up(
    instance: Instance,
    clock: SimulatedClock,
    feeds: Sequence[Feed],
    refresh: Callable[[], object],
    plan: Sequence[tuple[datetime, bool]],
) -> Iterator[datetime]:
    """Poll and detect step by step, yielding each time when it is done.

    clock: the instance's. Raises FeedUnreachable where the demo's own server cannot be heard.
    """
    outbound = Outbound()
    for at, detect in plan:
        clock.set(at)
        for feed in feeds:
            run = run_feed(instance, feed, outbound)
            if run.outcome not in {"ok", "not_modified"}:
                raise FeedUnreachable(f"The demo's own feed {feed.name} cannot be heard: {run.error}")
        if detect:
            refresh()
        yield at
