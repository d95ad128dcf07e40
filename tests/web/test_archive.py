"""The archive over the demo's own earlier year: what was where in which month can be found, and what was not is not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from aggregator.catalogue import data_folder, load_catalogue
from aggregator.clock import SimulatedClock
from aggregator.instance import Instance
from aggregator.model import Filter
from aggregator.record import Correction
from aggregator.refresh import Detection
from aggregator.store import corrections, incidents
from aggregator.web import archive, create_app
from ingest.earlier import bring_in
from ingest.events import Events
from ingest.replay import world_of
from ingest.scenario import read_scenario
from tests.making import instance

SATURDAY = datetime(2017, 5, 13, 10, 30, tzinfo=UTC)
FILE = data_folder() / "scenarios" / "early_2017.toml"


@pytest.fixture(scope="module")
def netzlage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    scenario = read_scenario(FILE.read_text("utf-8"), FILE.name)
    made = instance(Path(tmp_path_factory.mktemp("earlier")), load_catalogue(), now=scenario.start)
    assert isinstance(made.clock, SimulatedClock)
    steps = list(bring_in(made, made.clock, Events(scenario, world_of(made.catalogue)), Detection(made).refresh))
    assert steps[-1] == scenario.show
    made.clock.set(SATURDAY)
    yield made
    made.store.close()


@pytest.fixture
def client(netzlage: Instance) -> FlaskClient:
    return create_app(netzlage).test_client()


def found(client: FlaskClient, query: str) -> list[str]:
    """Return the names of the incidents that the table lists."""
    page = client.get(f"/archiv?{query}")
    assert page.status_code == 200
    return re.findall(r'<tr><th scope="row"><a href="/vorfall/[^"]+">([^<]+)</a>', page.text)


NORTH = {"Hamburg", "Bremen", "Kiel", "Lübeck", "Rostock", "Region Hannover"}
EAST = {"Berlin", "Leipzig", "Dresden", "Chemnitz"}


def places(names: list[str]) -> set[str]:
    return {name.split(":")[0] for name in names}


def test_every_fault_of_the_earlier_year_was_found_strong_and_is_over(netzlage: Instance) -> None:
    with netzlage.store.read() as connection:
        known = incidents.find(connection, Filter())
    assert {i.state for i in known} == {"over"}
    assert {i.stream.service for i in known} == {"mobile"}
    assert {i.onset.month for i in known} == {1, 2, 3}
    assert all(i.ended_at and i.ended_at.date() == i.onset.date() for i in known)
    assert all((i.recurrence_weeks or 0) >= 13 for i in known)


def test_january_is_the_north_february_berlin_and_saxony_march_the_nation(client: FlaskClient) -> None:
    assert places(found(client, "month=2017-01")) == NORTH
    assert places(found(client, "month=2017-02")) == EAST
    for month in ("Februar+2017", "february+2017", "Feb.+2017", "2/2017", "02.2017"):
        assert places(found(client, f"month={month}")) == EAST, month
    assert places(found(client, "month=2017-03")) == {"Bundesweit"}
    assert found(client, "month=2017-04") == []
    assert places(found(client, "month=2017")) == NORTH | EAST | {"Bundesweit"}


def test_a_region_finds_its_own_and_what_was_everywhere(client: FlaskClient) -> None:
    assert places(found(client, "region=Sachsen")) == {"Leipzig", "Dresden", "Chemnitz", "Bundesweit"}
    assert places(found(client, "region=Kiel")) == {"Kiel", "Bundesweit"}
    assert places(found(client, "region=Bayern")) == {"Bundesweit"}
    assert places(found(client, "region=11&month=2017-02")) == {"Berlin"}


def test_words_providers_services_and_states_narrow_the_search(client: FlaskClient) -> None:
    assert places(found(client, "q=hamburg+o2")) == {"Hamburg"}
    assert places(found(client, "q=sachsen")) == {"Leipzig", "Dresden", "Chemnitz"}
    assert found(client, "q=hamburg+vodafone") == []
    assert len(found(client, "provider=O2&service=mobile&state=strong")) == 11
    assert found(client, "provider=telekom") == found(client, "service=tv") == found(client, "state=open") == []
    assert found(client, "state=suspected") == []


def test_the_calendar_is_as_dark_as_a_day_was_unusual_and_hatched_where_nobody_looked(client: FlaskClient) -> None:
    page = client.get("/archiv").text
    days = dict(re.findall(r'<td class="(\w*)"><a href="/archiv\?since=2017-01-(\d\d)', page))
    assert days == {"strong": "19"}
    assert page.count('<td class="strong">') == 3
    assert re.search(r'<td class="blind">18<span class="nur-lesen">: nicht ausgewertet', page)
    assert '<td class="">14</td>' in page  # tomorrow
    link = re.search(r'<td class="strong"><a href="(/archiv\?since=2017-02-14[^"]+)"', page)
    assert link
    assert places(found(client, link[1].split("?")[1].replace("&amp;", "&"))) == EAST
    assert page.count("<table>") == 5  # months to come are not shown
    assert client.get("/archiv?month=2016").text.count("<table>") == 12
    assert "<h1>Archiv: 11 Vorfälle seit Januar 2017</h1>" in page


def test_the_calendar_of_a_region_shows_only_its_days(client: FlaskClient) -> None:
    page = client.get("/archiv?region=Sachsen&month=2017").text
    assert page.count('<td class="strong">') == 2
    assert '<td class="nothing">19</td>' in page


@pytest.mark.parametrize(
    ("query", "field"),
    [("month=2017-13", "month"), ("month=0", "month"), ("region=Atlantis", "region"), ("state=schlimm", "state"),
     ("since=gestern", "since"), ("provider=niemand", "provider"), ("service=nichts", "service")],
)  # fmt: skip
def test_what_cannot_be_used_is_told_beside_its_field_and_kept(client: FlaskClient, query: str, field: str) -> None:
    answer = client.get(f"/archiv?{query}")
    assert answer.status_code == 400
    assert f'id="fehler-{field}"' in answer.text
    assert query.split("=")[1] in answer.text


def test_a_long_archive_has_pages(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = found(client, "")
    monkeypatch.setattr(archive, "A_PAGE", 4)
    pages = [found(client, f"page={n}") for n in (1, 2, 3)]
    assert [len(page) for page in pages] == [4, 4, 3]
    assert [name for page in pages for name in page] == whole
    assert 'href="/archiv?page=2"' in client.get("/archiv").text
    assert found(client, "page=9") == []


def test_what_was_withdrawn_stays_listed_as_such_and_darkens_no_day(netzlage: Instance, client: FlaskClient) -> None:
    with netzlage.store.read() as connection:
        national = incidents.get(connection, "20170315-o2-mobile-de")
    assert national is not None
    with netzlage.store.write() as connection:
        corrections.withdraw(connection, national, Correction(national.incident_id, SATURDAY, "withdraw", "Test", "x"))
    assert len(found(client, "state=withdrawn")) == 1
    assert client.get("/archiv").text.count('<td class="strong">') == 2


def test_a_region_page_knows_its_past_its_neighbours_and_its_limits(client: FlaskClient) -> None:
    page = client.get("/region/01002").text
    assert "Kiel: Mobilfunk von O2" in page
    assert 'href="/region/01058"' in page  # Rendsburg-Eckernförde lies around it
    assert 'href="/region/01002/feed.atom"' in page
    assert 'href="/abonnieren?region=01002"' in page
    assert "Im Archiv suchen" in page


def test_where_nobody_listens_any_more_no_zero_is_shown(client: FlaskClient) -> None:
    page = client.get("/region/14").text
    assert "<h1>Sachsen: keine Aussage möglich" in page
    assert page.count('<td class="zahl">nicht abgehört</td>') == 2


def test_a_provider_page_knows_its_past(client: FlaskClient) -> None:
    page = client.get("/anbieter/o2").text
    assert "frühere Vorfälle" in page
    assert 'href="/archiv?provider=o2"' in page
    assert 'href="/anbieter/o2/feed.atom"' in page
    assert '<td class="zahl">nicht abgehört</td>' in page
