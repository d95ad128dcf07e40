"""A site over a real store: twelve quiet days, then Hamburg reports O2."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, sync_playwright
from werkzeug.test import TestResponse

from aggregator.catalogue import load_catalogue
from aggregator.clock import SimulatedClock
from aggregator.feedmodel import Source
from aggregator.instance import Instance, open_instance
from aggregator.model import FeedRun, RawReport, Statement
from aggregator.pipeline import accept
from aggregator.refresh import Detection
from aggregator.settings import load_settings
from aggregator.store import incidents, runs, sources, statements
from aggregator.web import create_app, seal
from aggregator.web.desk import KEY
from tests import stores
from tests.making import instance
from tests.servers import waiting
from tests.test_refresh import NOW, START, fill, hamburg, quiet


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """Read only: shared by all tests that change nothing."""
    opened = _opened(tmp_path_factory.mktemp("filled"))
    raws = [
        RawReport(r.source, r.provider, r.service, key=r.report_id, observed_at=r.observed_at, region=r.region)
        for r in (*quiet(), *hamburg())
    ]
    run = FeedRun("feed", NOW - timedelta(minutes=1), NOW, "ok", listened_from=START, listened_until=NOW)
    accept(opened, raws, run=run)
    with opened.store.write() as connection:
        sources.keep(connection, [Source("feed", republish="rows")])
    Detection(opened).refresh()
    yield opened
    opened.store.close()


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Instance]:
    """An instance with nothing in it."""
    opened = _opened(tmp_path)
    yield opened
    opened.store.close()


def _opened(home: Path) -> Instance:
    environ = {"NETZLAGE_HOME": str(home), "NETZLAGE_DATABASE": stores.address(home)}
    return open_instance(load_settings(None, environ), SimulatedClock(NOW))


@pytest.fixture(scope="session")
def app(filled: Instance) -> Flask:
    return create_app(filled)


@pytest.fixture
def site(app: Flask) -> FlaskClient:
    """A reader of the filled site."""
    return Reader(app, app.response_class)


class Reader(FlaskClient):
    """Somebody who takes a file to its end, though the test looks at its header alone."""

    def open(self, *args: Any, **kw: Any) -> TestResponse:
        """Ask, and take everything."""
        return super().open(*args, **{"buffered": True, **kw})


class Sender(FlaskClient):
    """Somebody who has had the form before them for ten seconds when they send it."""

    def post(self, *args: Any, **kw: Any) -> TestResponse:
        """Send, with the seal that came with the form unless one is given."""
        data = kw.get("data")
        if args == ("/melden",) and isinstance(data, dict) and "seal" not in data:
            here: Instance = self.application.extensions[KEY].instance
            made = seal.seal(here.key, data.get("uid", ""), here.clock.now() - timedelta(seconds=10))
            kw["data"] = {**data, "seal": made}
        return super().post(*args, **kw)


@pytest.fixture(autouse=True)
def _no_haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a browser under a clock that stands still send its form at once."""
    monkeypatch.setattr(seal, "LEAST", timedelta(0))


@pytest.fixture
def sender(empty: Instance) -> FlaskClient:
    """Somebody at the empty site."""
    app = create_app(empty)
    app.test_client_class = Sender
    return app.test_client()


@pytest.fixture(scope="module")
def netzlage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """A quiet fortnight, Hamburg's fault, what O2 said, a feed that is dead."""
    made = instance(Path(tmp_path_factory.mktemp("pages")), load_catalogue(), now=NOW)
    fill(made, quiet(), hamburg())
    said = Statement(
        "s1",
        "o2",
        "fixed_internet",
        NOW - timedelta(minutes=30),
        "Einzelne <Probleme>",
        "denied",
        "official",
        "auskunft",
    )
    with made.store.write() as connection:
        incidents.save_hotspots(connection, NOW - timedelta(hours=3.5), [])  # before it began
        statements.add(connection, [said])
        runs.add(connection, FeedRun("auskunft", NOW, NOW, "ok", "statements", NOW - timedelta(days=1), NOW))
        runs.add(connection, FeedRun("tot", NOW, NOW, "unreachable", error="No answer within 10 seconds."))
    Detection(made).refresh()
    yield made
    made.store.close()


@pytest.fixture(scope="module")
def pages(netzlage: Instance) -> Flask:
    """The site over it."""
    return create_app(netzlage)


@pytest.fixture
def client(pages: Flask) -> FlaskClient:
    """A reader of it."""
    return pages.test_client()


@pytest.fixture(scope="module")
def address(pages: Flask) -> Iterator[str]:
    """Where it is served."""
    with waiting(pages) as url:
        yield url


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    """A real one, for all tests of a module."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()
