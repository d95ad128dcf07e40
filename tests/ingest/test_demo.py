"""The demo: its server speaks the real feeds' language, never tells the future, and the past goes in over HTTP."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aggregator.catalogue import data_folder
from aggregator.clock import SimulatedClock
from aggregator.errors import FeedUnreachable
from aggregator.instance import Instance, open_instance
from aggregator.model import Filter
from aggregator.outbound.client import Outbound
from aggregator.settings import load_settings
from aggregator.store import reports, runs, statements
from ingest.demo import DemoApi, FeedServer, Reply
from ingest.events import Events, World
from ingest.feed import Feed, parse_feeds
from ingest.replay import catch_up, steps, world_of
from ingest.runner import run_feed
from ingest.scenario import Leg, Scenario, read_scenario

SHOW = datetime(2017, 5, 13, 10, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    """Saturday morning of the shipped scenario alone, in four steps."""
    shipped = read_scenario((data_folder() / "scenarios" / "may_2017.toml").read_text("utf-8"), "may")
    return replace(
        shipped, start=SHOW - 5 * HOUR, catch_up=(Leg(SHOW - HOUR, 2 * HOUR, False), Leg(SHOW, HOUR / 2, True))
    )


@pytest.fixture
def instance(tmp_path: Path, scenario: Scenario) -> Iterator[Instance]:
    settings = load_settings(None, {}, overrides={"home": str(tmp_path)})
    opened = open_instance(settings, SimulatedClock(scenario.start))
    yield opened
    opened.store.close()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    settings = load_settings(None, {}, overrides={"home": str(tmp_path_factory.mktemp("home"))})
    opened = open_instance(settings, SimulatedClock(SHOW))
    opened.store.close()
    return world_of(opened.catalogue)


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(SHOW)


@pytest.fixture
def api(scenario: Scenario, world: World, clock: SimulatedClock) -> DemoApi:
    return DemoApi(Events(scenario, world), clock)


def token(api: DemoApi) -> str:
    reply = api.answer("POST", "/v2/tokens?grant_type=client_credentials", _basic(api.credentials))
    return f"Bearer {json.loads(reply.body)['access_token']}"


def _basic(credentials: str) -> str:
    return f"Basic {b64encode(credentials.encode()).decode()}"


def locations(api: DemoApi, more: str = "", since: datetime = SHOW - HOUR, until: datetime = SHOW) -> Reply:
    span = f"startdate={since:%Y-%m-%dT%H:%M:%S%%2B00:00}&enddate={until:%Y-%m-%dT%H:%M:%S%%2B00:00}"
    return api.answer("GET", f"/v2/slugs/o2/locations?{span}{more}", token(api))


def test_an_item_has_the_form_of_the_real_api(api: DemoApi) -> None:
    item = json.loads(locations(api, "&page_size=10000").body)[0]
    assert set(item) == {"company_id", "created_at", "device", "indicator_id", "location", "network"}
    assert set(item["location"]) == {"latitude", "longitude", "city_id", "country_id", "source"}
    indicator = json.loads(api.answer("GET", f"/v2/indicators/{item['indicator_id']}", token(api)).body)
    assert set(indicator) >= {"slug", "translations"}


def test_the_pages_together_are_the_whole(api: DemoApi) -> None:
    whole = json.loads(locations(api, "&page_size=10000").body)
    page, found = locations(api, "&page_size=40"), []
    found += json.loads(page.body)
    while following := page.headers.get("X-Page-Next"):
        page = locations(api, f"&page_size=40&page={following}")
        found += json.loads(page.body)
    assert found == whole
    assert len(whole) > 80


def test_nothing_of_the_future_is_told(api: DemoApi, clock: SimulatedClock) -> None:
    clock.set(SHOW - HOUR)
    told = json.loads(locations(api, "&page_size=10000", until=SHOW + HOUR).body)
    posts = json.loads(api.answer("GET", "/forum.json", "").body)["items"]
    assert posts
    for item in [*told, *posts]:
        assert datetime.fromisoformat(item["created_at"]) < SHOW - HOUR
    clock.set(SHOW)
    assert [said["stance"] for said in json.loads(api.answer("GET", "/statements.json", "").body)["statements"]] == [
        "acknowledged"
    ]


@pytest.mark.parametrize(
    ("path", "status"),
    [("/v2/slugs/nobody/locations", 404), ("/v2/indicators/9999", 404), ("/v2/slugs/o2/locations", 400), ("/x", 404)],
)
def test_a_wrong_request_gets_the_api_s_form_of_error(api: DemoApi, path: str, status: int) -> None:
    reply = api.answer("GET", path, token(api))
    assert reply.status == status
    assert json.loads(reply.body).keys() == {"error", "message", "statusCode"}


def test_tokens_are_asked_for_and_run_out(api: DemoApi, clock: SimulatedClock) -> None:
    good = token(api)
    assert api.answer("POST", "/v2/tokens", _basic("demo:guess")).status == 401
    assert api.answer("GET", "/v2/indicators/41", "").status == 401
    assert api.answer("GET", "/v2/indicators/41", good).status == 200
    clock.set(SHOW + 2 * HOUR)
    assert api.answer("GET", "/v2/indicators/41", good).status == 401


def test_the_invented_provider_is_not_a_company_of_the_api(api: DemoApi) -> None:
    assert "rheinfunk" not in api.slugs
    assert len(api.slugs) >= 12


def heard(instance: Instance, server: FeedServer) -> list[Feed]:
    return parse_feeds(server.stanzas(), server.environ)


def test_a_short_past_goes_in_over_http_each_report_once(instance: Instance, scenario: Scenario, world: World) -> None:
    clock, looks = instance.clock, []
    assert isinstance(clock, SimulatedClock)
    events = Events(scenario, world)
    with FeedServer(DemoApi(events, clock)) as server:
        feeds = heard(instance, server)
        plan = steps(scenario)
        for _ in catch_up(instance, clock, feeds, lambda: looks.append(clock.now()), plan):
            pass
        again = [run_feed(instance, feed, Outbound()) for feed in feeds]
    assert looks == [SHOW - HOUR / 2, SHOW]
    assert [run.kept for run in again] == [0, 0, 0]
    day = events.day(SHOW.date())
    happened = (day.at < SHOW.timestamp()).sum()  # the feeds see back to midnight, and further
    with instance.store.read() as connection:
        stored = reports.count(connection, Filter(since=datetime(2017, 5, 12, 22, tzinfo=UTC)))
        flood = list(reports.rows(connection, Filter(provider="rheinfunk", since=SHOW - HOUR)))
        [said] = statements.find(connection, Filter(provider="o2"))
        latest = runs.latest(connection)
    assert stored == happened - unlisted(events, SHOW)
    assert (said.own_words, said.assumed_time, said.stance) == (True, True, "acknowledged")
    assert len(flood) > 20
    assert sum(bool(row["counted"]) for row in flood) < 5
    assert {run.listened_until for run in latest.values()} == {SHOW}
    assert {reason for run in latest.values() for reason in run.rejected} == set()


def unlisted(events: Events, until: datetime) -> int:
    """Return how many reports of invented providers came before `until` by no feed: the API does not know them."""
    day = events.day(until.date())
    invented = [n for n, name in enumerate(events.providers) if events.world.providers[name].fictitious]
    lost = (day.at < until.timestamp()) & (day.reporter == 0)
    return int(sum((lost & (day.provider == number)).sum() for number in invented))


def test_a_feed_that_dies_ends_the_catching_up_with_one_sentence(
    instance: Instance, scenario: Scenario, world: World
) -> None:
    clock = instance.clock
    assert isinstance(clock, SimulatedClock)
    with FeedServer(DemoApi(Events(scenario, world), clock)) as server:
        feeds = parse_feeds(server.stanzas(), {"DEMO_FEED_CREDENTIALS": "demo:wrong"})
        with pytest.raises(FeedUnreachable, match="demo-meldungen cannot be heard"):
            list(catch_up(instance, clock, feeds, lambda: None, steps(scenario)))
