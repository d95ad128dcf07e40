"""A small site behind the real server, for programs that ask it thousands of things: an hour of Hamburg, a token."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import waitress

from aggregator.clock import SimulatedClock
from aggregator.feedmodel import Source
from aggregator.instance import Instance, open_instance
from aggregator.model import FeedRun, RawReport
from aggregator.pipeline import accept
from aggregator.settings import load_settings
from aggregator.store import incidents, sources, tokens
from aggregator.web import create_app
from tests.making import incident
from tests.servers import until_closed
from tests.test_refresh import NOW, hamburg

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Scene:
    """Where the site is, a token that may write, and the instance behind it."""

    url: str
    token: str
    instance: Instance


@contextmanager
def asked(home: Path) -> Iterator[Scene]:
    """Serve until the end of the block; nobody is asked to wait."""
    settings = load_settings(None, {"NETZLAGE_HOME": str(home), "NETZLAGE_RATE_LIMITS": "off"})
    opened = open_instance(settings, SimulatedClock(NOW))
    server = None
    try:
        token = fill(opened)
        server = waitress.create_server(create_app(opened), host="127.0.0.1", port=0, threads=4)
        thread = threading.Thread(target=until_closed, args=(server,), daemon=True)
        thread.start()
        yield Scene(f"http://127.0.0.1:{server.effective_port}", token, opened)
    finally:
        if server:
            server.task_dispatcher.shutdown()  # first, or a thread that has just answered finds the server gone
            server.close()
            thread.join(5)
        opened.store.close()


def fill(opened: Instance) -> str:
    """Store an hour of reports and two incidents; return a token for everything that the API lets be written."""
    raws = [
        RawReport(r.source, r.provider, r.service, key=r.report_id, observed_at=r.observed_at, region=r.region)
        for r in hamburg()
    ]
    run = FeedRun("feed", NOW - timedelta(minutes=1), NOW, "ok", listened_from=NOW - HOUR, listened_until=NOW)
    accept(opened, raws, run=run)
    known = [incident(), incident("20170513-telekom-mobile-de", provider="telekom", regions=(), scope="national")]
    with opened.store.write() as connection:
        sources.keep(connection, [Source("feed", republish="rows")])
        incidents.save(connection, known, [])
        return tokens.add(connection, "test", list(tokens.SCOPES), NOW).text
