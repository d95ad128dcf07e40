"""/abonnieren: nothing without a confirmation, nothing by a link alone, the same answer to everybody."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser

from aggregator.clock import SimulatedClock
from aggregator.instance import Instance
from aggregator.notices import CONFIRMATION, Delivery, Subscription
from aggregator.store import outbox, subscriptions
from aggregator.web import create_app
from aggregator.web.subscribe import find_region, is_address
from aggregator.web.telling import confirm_address, leave_address, teller
from aggregator.web.tickets import read_ticket, write_ticket
from tests.alert.scene import SITE, letter, netzlage, subscribe
from tests.gazetteer import FACTS
from tests.making import at
from tests.servers import waiting

WISH = {"email": "anna@example.org", "provider": "o2", "place": "Hamburg", "threshold": "strong"}


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Instance]:
    made = netzlage(tmp_path, smtp_url="smtp://localhost")
    yield made
    made.store.close()


@pytest.fixture
def site(here: Instance) -> FlaskClient:
    return create_app(here).test_client()


def kept(instance: Instance) -> list[Subscription]:
    with instance.store.read() as connection:
        return subscriptions.everyone(connection)


def mails(instance: Instance) -> list[Delivery]:
    with instance.store.write() as connection:
        return outbox.claim(connection, "w", at(1000), timedelta(minutes=2), 100)


def test_from_the_form_to_the_first_message_and_out_again(here: Instance, site: FlaskClient) -> None:
    answer = site.post("/abonnieren", data=WISH)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/abonnieren/gesendet")
    assert "Bitte sehen Sie in Ihr Postfach" in site.get("/abonnieren/gesendet").text
    [asked] = kept(here)
    assert (asked.provider, asked.region, asked.language, asked.confirmed_at) == ("o2", "02", "de", None)
    [mail] = mails(here)
    assert mail.change_id == CONFIRMATION
    notice = teller(create_app(here))(mail)
    assert notice
    assert "O2, Hamburg, ab „stark auffällig“" in notice.text
    assert notice.unsubscribe == ""
    found = re.search(rf"{SITE}(/abonnieren/bestaetigen\S+)", notice.text)
    assert found
    page = site.get(found[1])
    assert 'method="post"' in page.text
    assert kept(here)[0].confirmed_at is None  # a program that follows links has confirmed nothing
    assert "Abonniert" in site.post(found[1]).text
    assert kept(here)[0].confirmed_at == at(12)
    leave = leave_address(here, kept(here)[0]).removeprefix(SITE)
    assert "Abbestellen?" in site.get(leave).text
    assert kept(here)[0].ended_at is None
    assert "Abbestellt" in site.post(leave).text
    assert (kept(here)[0].target, kept(here)[0].ended_why) == ("", "left")
    assert site.get(found[1]).status_code == 410
    assert site.post(leave).status_code == site.get(leave).status_code == 200


def test_the_pages_set_no_cookie_and_are_kept_by_nobody(here: Instance, site: FlaskClient) -> None:
    subscribe(here, letter(confirmed_at=None))
    for path in ("/abonnieren/gesendet", confirm_address(here, letter()), leave_address(here, letter())):
        answer = site.get(path.removeprefix(SITE))
        assert "no-store" in answer.headers["Cache-Control"]
        assert "Set-Cookie" not in answer.headers
        assert "noindex" in answer.text


def test_whether_an_address_is_known_is_told_to_nobody(here: Instance, site: FlaskClient) -> None:
    first = site.post("/abonnieren", data=WISH)
    again = site.post("/abonnieren", data={**WISH, "email": "ANNA@example.org"})
    assert (first.status_code, first.headers["Location"], first.data) == (
        again.status_code, again.headers["Location"], again.data,
    )  # fmt: skip
    assert len(kept(here)) == len(mails(here)) == 1


def test_one_address_block_cannot_make_us_write_to_many(here: Instance, site: FlaskClient) -> None:
    for number in range(subscriptions.OF_A_BLOCK + 5):
        assert site.post("/abonnieren", data={**WISH, "email": f"a{number}@example.org"}).status_code == 303
    assert len(mails(here)) == subscriptions.OF_A_BLOCK


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", ""), ("email", "anna"), ("email", "anna@example.org\nBcc: all@example.org"), ("email", "a@b"),
        ("email", "a@@example.org"), ("email", "<anna@example.org>"), ("email", "ä@example.org"),
        ("email", f"{'a' * 250}@example.org"), ("provider", "nobody"), ("place", "Nirgendwo"), ("threshold", "all"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_beside_the_field_and_what_was_typed_stays(
    here: Instance, site: FlaskClient, field: str, value: str
) -> None:
    answer = site.post("/abonnieren", data={**WISH, field: value})
    assert answer.status_code == 422
    assert f'id="fehler-{field}"' in answer.text
    assert f'href="#{field}"' in answer.text
    if field != "place":
        assert 'value="Hamburg"' in answer.text
    assert kept(here) == []


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("", ""), ("20095", "02000"), ("Hamburg", "02"), ("niedersachsen", "03"), ("Lower Saxony", None),
        ("Landkreis Rostock", "13072"), ("02000", "02000"), ("Altona", "02000"), ("Neustadt", None), ("1", None),
    ],
)  # fmt: skip
def test_a_place_is_a_postcode_a_town_a_kreis_or_a_land(here: Instance, text: str, region: str | None) -> None:
    with create_app(here).test_request_context("/"):
        assert find_region(text, FACTS) == region


def test_a_land_may_be_named_in_english(here: Instance) -> None:
    with create_app(here).test_request_context("/?lang=en"):
        assert find_region("Lower Saxony", FACTS) == "03"


def test_the_form_knows_where_the_reader_comes_from(site: FlaskClient) -> None:
    page = site.get("/abonnieren?provider=o2&region=13072").text
    assert '<option value="o2" selected>' in page
    assert 'value="Landkreis Rostock"' in page
    assert 'href="/region/13072/feed.atom"' in page
    assert 'href="/anbieter/o2/feed.atom"' in page
    assert site.get("/abonnieren?provider=%00&region=x").status_code == 200


def test_a_ticket_holds_for_its_purpose_its_time_and_its_instance_only(here: Instance, site: FlaskClient) -> None:
    subscribe(here, letter(confirmed_at=None, created_at=at(0)))
    good = write_ticket(here.key, "confirm", "e1", at(60))
    assert read_ticket(here.key, "confirm", good, at(60)) == "e1"
    for purpose, key, now in (("leave", here.key, 0), ("confirm", b"other", 0), ("confirm", here.key, 61)):
        assert read_ticket(key, purpose, good, at(now)) is None  # type: ignore[arg-type]
    name, end, sign = good.split(".")
    for wrong in ("", ".", "..", good[:-1], good + "x", f"e2.{end}.{sign}", f"{name}.{int(end) + 1}.{sign}", "ä.1.ä"):
        assert read_ticket(here.key, "confirm", wrong, at(0)) is None
        assert site.post("/abonnieren/bestaetigen", query_string={"t": wrong}).status_code == 410
    assert kept(here)[0].confirmed_at is None
    assert isinstance(here.clock, SimulatedClock)
    here.clock.set(at(0) + timedelta(hours=48, seconds=1))
    address = confirm_address(here, kept(here)[0]).removeprefix(SITE)
    assert site.post(address).status_code == 410


def test_a_page_of_others_cannot_subscribe_anybody(here: Instance, site: FlaskClient) -> None:
    answer = site.post("/abonnieren", data=WISH, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert kept(here) == []


@pytest.mark.parametrize("settings", [{}, {"smtp_url": "smtp://localhost", "base_url": ""}])
def test_where_no_mail_is_sent_the_page_says_so_and_offers_the_feed(tmp_path: Path, settings: dict[str, str]) -> None:
    made = netzlage(tmp_path, **settings)  # type: ignore[arg-type]
    site = create_app(made).test_client()
    page = site.get("/abonnieren").text
    assert "verschickt keine E-Mails" in page
    assert 'href="/feed.atom"' in page
    assert "<form" not in page.partition("<main")[2].partition("</main>")[0]
    assert site.post("/abonnieren", data=WISH).status_code == 404
    made.store.close()


def test_a_simulation_writes_to_nobody(empty: Instance) -> None:
    site = create_app(empty).test_client()
    assert "In der Simulation verschicken wir keine E-Mails" in site.get("/abonnieren").text
    assert site.post("/abonnieren", data=WISH).status_code == 404


def test_addresses_of_newsrooms_are_addresses() -> None:
    assert all(map(is_address, ("redaktion@example.org", "a.b+netz@sub.example.co.uk", "x_y-z@ex-ample.de")))


@pytest.mark.parametrize("language", ["de", "en"])
def test_who_asks_in_a_language_is_told_in_it(here: Instance, site: FlaskClient, language: str) -> None:
    answer = site.post(f"/abonnieren?lang={language}", data=WISH)
    assert answer.headers["Location"] == f"/abonnieren/gesendet?lang={language}"
    assert kept(here)[0].language == language
    [mail] = mails(here)
    notice = teller(create_app(here))(mail)
    assert notice
    assert ("Bitte bestätigen" in notice.subject) == (language == "de")
    assert ("bestätigen" in notice.text) == (language == "de")


@pytest.mark.browser
def test_by_keyboard_without_javascript_on_a_small_phone(here: Instance, browser: Browser) -> None:
    app = create_app(here)

    def at_home(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer as the site at its own address."""
        environ["HTTP_HOST"], environ["HTTP_ORIGIN"] = "netzlage.example", SITE
        return app(environ, start)

    context = browser.new_context(viewport={"width": 320, "height": 640}, java_script_enabled=False, locale="de-DE")
    page = context.new_page()
    with waiting(at_home) as url:
        page.goto(f"{url}/abonnieren")
        page.focus("#email")
        page.keyboard.type("anna@example.org")
        page.keyboard.press("Tab")
        page.keyboard.type("O2")
        page.keyboard.press("Tab")
        page.keyboard.type("20095")
        page.keyboard.press("Enter")
        page.wait_for_url("**/abonnieren/gesendet")
        assert page.get_by_role("heading", level=1).inner_text() == "Bitte sehen Sie in Ihr Postfach"
        assert context.cookies() == []
        context.close()
    [asked] = kept(here)
    assert (asked.target, asked.provider, asked.region) == ("anna@example.org", "o2", "02000")
