"""A Nominatim server is asked for places that the gazetteer lacks: only where it is set, once for each, at its pace."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from aggregator.clock import SimulatedClock
from aggregator.geocode import RemoteGazetteer
from aggregator.instance import Instance, open_instance
from aggregator.model import Filter, RawReport
from aggregator.pipeline import accept
from aggregator.settings import load_settings
from aggregator.store import geocoded, reports
from aggregator.whereabouts import MOST_ASKED
from tests.gazetteer import FACTS
from tests.making import SATURDAY, instance, raw
from tests.servers import send, serving

WINZIGDORF = {"lat": "53.60", "lon": "10.05", "display_name": "Winzigdorf, Hamburg"}
VIENNA = {"lat": "48.2", "lon": "16.37", "display_name": "Winzigdorf, Wien"}


class Server:
    """Nominatim's search, answering with what is known of a name."""

    def __init__(self, **known: object) -> None:
        self.known, self.asked = known, list[dict[str, list[str]]]()

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        assert parts.path.endswith("/search")
        query = parse_qs(parts.query)
        self.asked.append(query)
        found = self.known.get(query["q"][0], [])
        send(handler, json.dumps(found).encode(), Content_Type="application/json")


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Instance]:
    made = instance(tmp_path, FACTS)
    yield made
    made.store.close()


def asking(here: Instance, url: str, *, pace: float = 0.0, timeout: float = 5.0) -> Instance:
    return replace(here, remote=RemoteGazetteer(url, FACTS.places, pace=pace, timeout=timeout))


def at(place: str, key: str = "") -> RawReport:
    return raw(plz="", place=place, key=key or place)


def test_a_place_that_only_the_server_knows_is_located_and_asked_for_once(fresh: Instance) -> None:
    server = Server(Winzigdorf=[WINZIGDORF])
    with serving(server) as url:
        here = asking(fresh, f"{url}/nominatim")
        first = accept(here, [at("Winzigdorf", "1"), at("Winzigdorf", "2")])
        second = accept(here, [at("Winzigdorf", "3")])
    assert (first.kept, second.kept, first.districts) == (2, 1, {"02000": 2})
    [query] = server.asked
    assert (query["q"], query["countrycodes"], query["featureType"]) == (["Winzigdorf"], ["de"], ["settlement"])
    with fresh.store.read() as connection:
        assert {row["place_source"] for row in reports.rows(connection, Filter())} == {"place"}


def test_what_the_gazetteer_knows_or_finds_ambiguous_is_not_asked_for(fresh: Instance) -> None:
    server = Server()
    items = [
        at("Hamburg"),
        at("Essen"),
        raw(key="p", place="Winzigdorf"),
        raw(key="r", plz="", region="02000", place="Winzigdorf"),
    ]
    coordinates = raw(key="c", plz="", place="Winzigdorf", lat=53.5, lon=10.0)
    with serving(server) as url:
        accept(asking(fresh, url), [*items, coordinates, raw(key="n", plz="")])
    assert server.asked == []


def test_without_the_setting_nobody_is_asked(fresh: Instance) -> None:
    assert fresh.remote is None
    assert accept(fresh, [at("Winzigdorf")]).rejected == {"unknown_place": 1}


def test_the_setting_makes_an_instance_that_asks(tmp_path: Path) -> None:
    with serving(Server(Winzigdorf=[WINZIGDORF])) as url:
        settings = load_settings(None, {"NETZLAGE_HOME": str(tmp_path), "NETZLAGE_NOMINATIM_URL": url})
        here = open_instance(settings, SimulatedClock(SATURDAY + timedelta(days=1)))
        assert accept(here, [at("Winzigdorf")]).kept == 1
        here.store.close()


@pytest.mark.parametrize("answer", [[], [VIENNA]])
def test_a_place_that_is_nowhere_in_germany_is_rejected_and_not_asked_for_again(
    fresh: Instance, answer: object
) -> None:
    server = Server(Winzigdorf=answer)
    with serving(server) as url:
        here = asking(fresh, url)
        assert accept(here, [at("Winzigdorf")]).rejected == {"unknown_place": 1}
        assert accept(here, [at("Winzigdorf")]).rejected == {"unknown_place": 1}
    assert len(server.asked) == 1


def failing(status: int, body: bytes) -> Callable[[BaseHTTPRequestHandler], None]:
    return lambda handler: send(handler, body, status)


def slow(handler: BaseHTTPRequestHandler) -> None:
    time.sleep(0.6)
    send(handler, b"[]")


@pytest.mark.parametrize(
    "answerer",
    [
        failing(500, b"out of order"),
        failing(429, b"slow down"),
        failing(403, b""),
        failing(200, b"<html>Just a moment...</html>"),
        failing(200, b'{"error": "x"}'),
        failing(200, b'[{"lat": "x", "lon": "y", "display_name": "z"}]'),
        failing(200, b"[1]"),
        slow,
    ],
    ids=["500", "429", "403", "html", "object", "no numbers", "no record", "slow"],
)
def test_a_server_that_fails_rejects_only_that_place_and_is_asked_again_later(
    fresh: Instance, answerer: Callable[[BaseHTTPRequestHandler], None]
) -> None:
    with serving(answerer) as url:
        here = asking(fresh, url, timeout=0.3)
        outcome = accept(here, [at("Winzigdorf"), at("Nochwinzigerdorf"), at("Hamburg")])
    assert (outcome.kept, outcome.rejected) == (1, {"unknown_place": 2})
    with serving(Server(Winzigdorf=[WINZIGDORF])) as url:
        assert accept(asking(fresh, url), [at("Winzigdorf")]).kept == 1


def test_a_server_that_is_not_there_costs_nothing_but_the_place(fresh: Instance) -> None:
    assert accept(asking(fresh, "http://127.0.0.1:1"), [at("Winzigdorf"), at("Kiel")]).kept == 1


def test_a_batch_asks_for_so_many_new_names_and_no_more(fresh: Instance) -> None:
    server = Server()
    with serving(server) as url:
        accept(asking(fresh, url), [at(f"Winzigdorf{'abcdefghijklmnopqrstuvwxyz'[n]}") for n in range(MOST_ASKED + 5)])
    assert len(server.asked) == MOST_ASKED


def test_the_server_is_asked_at_its_pace() -> None:
    with serving(Server()) as url:
        remote = RemoteGazetteer(url, FACTS.places, pace=0.2)
        started = time.monotonic()
        assert [remote.region(name) for name in ("a", "b", "c")] == ["", "", ""]
    assert time.monotonic() - started >= 0.4


def test_an_answer_is_asked_for_again_after_three_months(fresh: Instance) -> None:
    with fresh.store.write() as connection:
        geocoded.keep(connection, {"Winzigdorf": "02000"}, SATURDAY)
    for days, expected in ((89, {"Winzigdorf": "02000"}), (91, {})):
        with fresh.store.read() as connection:
            assert geocoded.known(connection, ["Winzigdorf", "Kiel"], SATURDAY + timedelta(days=days)) == expected
    with fresh.store.write() as connection:
        geocoded.keep(connection, {"Winzigdorf": "01002"}, SATURDAY + timedelta(days=91))
        assert geocoded.known(connection, ["Winzigdorf"], SATURDAY + timedelta(days=92)) == {"Winzigdorf": "01002"}
