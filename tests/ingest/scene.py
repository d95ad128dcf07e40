"""A feed at a server that can be spoiled, and what is stored of it: the stage of the fault matrix."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from aggregator.catalogue import Catalogue
from aggregator.clock import SimulatedClock
from aggregator.health import Health, health
from aggregator.instance import Instance
from aggregator.model import FeedRun, Filter
from aggregator.outbound.client import Outbound
from aggregator.settings import load_settings
from aggregator.store import cube, open_store, reports, signals, statements
from ingest.feed import Feed, parse_feeds
from ingest.runner import run_feed
from tests import stores
from tests.ingest.faults import FIRST, Ask, Fault
from tests.ingest.formats import Case
from tests.servers import send, serving

STEP = timedelta(minutes=5)
OTHER = '[[feed]]\nname = "other"\nformat = "json_records"\nurl = "{}/other"\n'


@dataclass
class Server:
    """A server that has every format's helpers, and one document that a fault may spoil."""

    case: Case
    clock: SimulatedClock
    fault: Fault | None = None
    polls: int = field(default=0)

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        path = handler.path.partition("?")[0]
        if path == "/robots.txt":
            send(handler, b"", 404)
        elif path == "/other":
            send(handler, b"[]")
        elif path == "/v2/tokens":
            send(handler, b'{"access_token": "t", "expires_in": 3600}')
        elif path.startswith("/v2/indicators/"):
            send(handler, b'{"slug": "mobile-network"}')
        elif path == "/v2/entities/query":
            send(handler, b'{"data": [{"code": "1", "name": "Hamburg"}]}')
        else:
            self._document(Ask(handler, self.case, self.clock.now(), self.polls))

    def _document(self, ask: Ask) -> None:
        if self.fault:
            self.fault.answer(ask)
        else:
            send(ask.handler, ask.good())


def made(folder: Path, catalogue: Catalogue) -> Instance:
    """Return an instance on the store in `folder`, its clock standing at the first poll."""
    store = open_store(stores.address(folder))
    return Instance(load_settings(None, {}), SimulatedClock(FIRST), catalogue, store, b"key")


@dataclass
class Scene:
    """A feed, its server, and what is stored."""

    instance: Instance
    server: Server
    feed: Feed
    other: Feed
    outbound: Outbound

    def poll(self, fault: Fault | None) -> FeedRun:
        self.server.fault = fault
        self.server.polls += 1
        return run_feed(self.instance, self.feed, self.outbound)

    def later(self) -> None:
        assert isinstance(self.instance.clock, SimulatedClock)
        self.instance.clock.set(self.instance.clock.now() + STEP)

    def stored(self) -> tuple[int, int, int]:
        with self.instance.store.read() as connection:
            found = reports.count(connection, Filter()), statements.find(connection, Filter())
            return found[0], len(found[1]), len(signals.find(connection, Filter()))

    def cube_sum(self) -> int:
        with self.instance.store.read() as connection:
            counted = reports.frame(connection, Filter(), counted_only=True)
            assert int(cube.frame(connection, Filter())["count"].sum()) == len(counted)
        return len(counted)

    def heard(self, since: datetime) -> float:
        with self.instance.store.read() as connection:
            found = cube.listening(connection, since, since + 2 * STEP)
        return float(found[found["source"] == "main"]["share"].sum())

    def health(self) -> Health:
        with self.instance.store.read() as connection:
            return next(one for one in health(connection, self.instance.clock.now()) if one.name == "main")


@contextmanager
def staged(instance: Instance, case: Case, *, slow: bool) -> Iterator[Scene]:
    assert isinstance(instance.clock, SimulatedClock)
    server = Server(case, instance.clock)
    with serving(server) as base:
        feed = case.feed(base)
        [other] = parse_feeds(OTHER.format(base), {})
        outbound = Outbound(allowed=lambda address: address == "127.0.0.1", pause=0)
        feed = replace(feed, timeout=timedelta(seconds=1)) if slow else feed
        yield Scene(instance, server, feed, other, outbound)
