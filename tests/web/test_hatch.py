"""The hatch: what it answers and stores is what the app would, and what it leaves to the app is as if it were not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from aggregator.clock import SimulatedClock
from aggregator.errors import StoreBusy
from aggregator.instance import Instance, open_instance
from aggregator.settings import load_settings
from aggregator.store.intake import Direct, Figures
from aggregator.store.schema import comments, reports
from aggregator.web import create_app
from tests import stores
from tests.test_refresh import NOW
from tests.web.test_metrics import figures

PATH = "/api/v1/reports"
REPORT = {"provider": "O2", "service": "mobile", "observed_at": "2017-05-13T12:20", "plz": "20095", "uid": "one"}
UNTOLD = {name: value for name, value in REPORT.items() if name != "uid"}


@dataclass
class Way:
    """A site of its own, and how often its app was entered."""

    app: Flask
    instance: Instance
    entered: int = 0

    def post(self, body: bytes, **kw: Any) -> TestResponse:
        return self.app.test_client().post(PATH, data=body, **{"content_type": "application/json", **kw})

    def stored(self) -> list[list[Any]]:
        with self.instance.store.read() as connection:
            return [
                [tuple(row) for row in connection.execute(select(table).order_by(table.c.report_id))]
                for table in (reports, comments)
            ]


@dataclass
class Both:
    """The same site twice: with the hatch, and with the app alone."""

    home: Path
    patch: pytest.MonkeyPatch
    ways: list[Way] = field(default_factory=list)

    def open(self, intake: Any = None, **settings: Any) -> tuple[Way, Way]:
        made = self._way("hatch", intake, settings)
        with self.patch.context() as patch:
            patch.setattr("aggregator.web.Hatch", lambda app, _desk: app)
            return made, self._way("app", intake, settings)

    def _way(self, name: str, intake: Any, settings: dict[str, Any]) -> Way:
        home = self.home / name
        home.mkdir()
        environ = {"NETZLAGE_HOME": str(home), "NETZLAGE_DATABASE": stores.address(home), "NETZLAGE_SECRET_KEY": "k"}
        opened = open_instance(load_settings(None, environ), SimulatedClock(NOW))
        here = replace(opened, settings=replace(opened.settings, **settings))
        way = Way(create_app(here, cached=True, intake=intake() if intake else Direct(here.store)), here)

        @way.app.before_request
        def _entered() -> None:
            way.entered += 1

        self.ways.append(way)
        return way


@pytest.fixture
def both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Both]:
    monkeypatch.setattr("aggregator.store.daykeys.secrets.token_bytes", lambda size: b"d" * size)
    made = Both(tmp_path, monkeypatch)
    yield made
    for way in made.ways:
        way.instance.store.close()


def seen(answer: TestResponse) -> tuple[str, list[tuple[str, str]], bytes]:
    return answer.status, list(answer.headers), answer.data


def compare(ways: tuple[Way, Way], sent: list[bytes], **kw: Any) -> list[int]:
    """Send the same to both, compare all that can be seen of it, and return the statuses."""
    hatch, app = ([seen(way.post(body, **kw)) for body in sent] for way in ways)
    assert hatch == app
    assert ways[0].stored() == ways[1].stored()
    told = [figures(way.app.test_client())["netzlage_http_requests_total"] for way in ways]
    assert told[0] == told[1]
    return [int(status[:3]) for status, _, _ in hatch]


def as_json(**changes: Any) -> bytes:
    return json.dumps({**REPORT, **changes}).encode()


PROXIED = {"trusted_proxies": 1}
ORDINARY: dict[str, tuple[list[bytes], dict[str, Any], dict[str, Any]]] = {
    "plain": ([as_json()], {}, {}),
    "uid repeated": ([as_json(), as_json(), as_json(uid="two")], {}, {}),
    "IPv6": ([json.dumps(UNTOLD).encode()] * 2, {"environ_overrides": {"REMOTE_ADDR": "2001:db8:1:2::3"}}, {}),
    "of a browser": ([json.dumps(UNTOLD).encode()], {"headers": {"User-Agent": "Browser ü " + "x" * 400}}, {}),
    "behind a proxy": (
        [json.dumps(UNTOLD).encode()],
        {"headers": {"X-Forwarded-For": "198.51.100.7, 203.0.113.9", "X-Forwarded-Proto": "https"}},
        PROXIED,
    ),
    "of a name that the proxy tells": (
        [as_json()],
        {"headers": {"X-Forwarded-Host": "netzlage.example", "Host": "inside"}},
        {**PROXIED, "base_url": "https://netzlage.example"},
    ),
    "comment of a person": ([as_json(comment="Rufen Sie 040 123456789 an, erika@example.org ü")], {}, {}),
    "comment too long to keep": ([as_json(comment="x y " * 300)], {}, {}),
    "over": ([as_json(), as_json(ended_at="2017-05-13T12:25")], {}, {}),
    "coordinates and unknown names": ([as_json(plz=None, lat=53.55, lon="10.0", colour=[1])], {}, {}),
    "numbers": ([as_json(plz=20095, uid=7)], {}, {}),
    "in English": ([as_json()], {"headers": {"Accept-Language": "en"}, "query_string": "lang=en"}, {}),
    "packed": ([as_json()], {"headers": {"Accept-Encoding": "gzip, br"}}, {}),
    "from our own page": ([as_json()], {"headers": {"Sec-Fetch-Site": "same-origin"}}, {}),
    "of our origin": ([as_json()], {"headers": {"Origin": "http://localhost"}}, {}),
    "with a token": ([as_json()], {"headers": {"Authorization": "Bearer nothing"}}, {}),
    "UTF-16": (['{"provider": "O2", "service": "mobile", "observed_at": "2017-05-13T12:20"}'.encode("utf-16")], {}, {}),
}


@pytest.mark.parametrize("name", ORDINARY)
def test_an_ordinary_report_is_answered_and_stored_as_the_app_would(both: Both, name: str) -> None:
    sent, kw, settings = ORDINARY[name]
    ways = both.open(**settings)
    assert set(compare(ways, sent, **kw)) <= {200, 201}
    assert len(ways[0].stored()[0]) >= 1
    assert ways[0].entered == 1  # for its figures
    assert ways[1].entered == 1 + len(sent)


STRANGE: dict[str, tuple[bytes, dict[str, Any], int]] = {
    "wrong fields": (as_json(provider="x", plz="00000"), {}, 422),
    "field too long": (as_json(symptom="x" * 300), {}, 422),
    "a list as field": (as_json(plz=[1]), {}, 422),
    "no JSON": (b'{"provider"', {}, 422),
    "nested for ever": (b"[" * 9_000, {}, 422),
    "no object": (b"[1]", {}, 422),
    "nothing": (b"", {}, 422),
    "too large": (as_json(comment="x" * 70_000), {}, 413),
    "of another kind": (as_json(), {"content_type": "text/plain"}, 422),
    "JSON of a kind": (as_json(), {"content_type": "application/vnd.api+json"}, 201),
    "charset told": (as_json(), {"content_type": "application/json; charset=utf-8"}, 201),
    "of a strange host": (as_json(), {"headers": {"Host": "boese.example"}}, 400),
    "from a foreign page": (as_json(), {"headers": {"Sec-Fetch-Site": "cross-site"}}, 403),
    "of a foreign origin": (as_json(), {"headers": {"Origin": "https://boese.example"}}, 403),
    "half a character": (as_json(uid="\ud800", comment="\ud800"), {}, 201),
}


@pytest.mark.parametrize("name", STRANGE)
def test_what_is_not_ordinary_goes_on_to_the_app_as_it_came(both: Both, name: str) -> None:
    body, kw, status = STRANGE[name]
    assert compare(both.open(), [body], **kw) == [status]


def test_a_request_is_counted_once_on_either_way(both: Both) -> None:
    ways = both.open(rate_limit_block="4 per minute")
    sent = [as_json(), as_json(provider="x"), b"{", as_json(uid="two"), as_json(uid="three"), as_json(uid="four")]
    assert compare(ways, sent) == [201, 422, 422, 201, 429, 429]
    assert len(ways[0].stored()[0]) == 2


def test_of_ipv6_a_line_is_counted_once(both: Both) -> None:
    asked = {"REMOTE_ADDR": "2001:db8:1:2::3"}
    sent = [as_json(), as_json(provider="x"), as_json(uid="two")]
    assert compare(both.open(rate_limit_line="2 per minute"), sent, environ_overrides=asked) == [201, 422, 429]


class Failing:
    """An intake that takes nothing."""

    def __init__(self, error: Exception) -> None:
        self.error, self.asked = error, 0

    def take(self, _sent: Any) -> bool:
        self.asked += 1
        raise self.error

    def figures(self) -> Figures:
        return Figures()


@pytest.mark.parametrize(("error", "status"), [(StoreBusy("locked"), 503), (ValueError("not for the database"), 500)])
def test_what_cannot_be_stored_is_tried_once_and_told_by_the_app(both: Both, error: Exception, status: int) -> None:
    intakes: list[Failing] = []

    def intake() -> Failing:
        intakes.append(Failing(error))
        return intakes[-1]

    assert compare(both.open(intake), [as_json()]) == [status]
    assert [one.asked for one in intakes] == [1, 1]
