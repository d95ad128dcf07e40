"""A small site behind the real server, for programs that ask it thousands of things: an hour of Hamburg, a token."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from aggregator.clock import SimulatedClock
from aggregator.feedmodel import Source
from aggregator.instance import Instance, open_instance
from aggregator.model import FeedRun, RawReport
from aggregator.pipeline import accept
from aggregator.settings import load_settings
from aggregator.store import incidents, sources, tokens
from aggregator.web import create_app
from tests.making import incident
from tests.servers import waiting
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
    try:
        token = fill(opened)
        with waiting(create_app(opened)) as url:
            yield Scene(url, token, opened)
    finally:
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
