"""Every page in German and English: nothing left in the other language, numbers and dates in the language's way."""

from __future__ import annotations

import re
from datetime import date
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_babel import format_date

from aggregator.instance import Instance
from tests.translating import known
from tests.web.everywhere import HAMBURG, PAGES, every_page
from tests.web.reading import german_left, names, read

FORMS = ("/melden?provider=o2", f"/vorfall/{HAMBURG}/einbetten", "/nirgends", "/archiv?since=x", "/daten?region=Narnia")
PICTURES = (f"/vorfall/{HAMBURG}/verlauf.svg", f"/vorfall/{HAMBURG}/karte.svg")
PROPER = names()


def with_language(address: str, language: str) -> str:
    return f"{address}{'&' if '?' in address else '?'}lang={language}"


@pytest.mark.parametrize("address", [*PAGES, *FORMS, *PICTURES])
def test_nothing_on_an_english_page_is_german(client: FlaskClient, address: str) -> None:
    answer = client.get(with_language(address, "en"))
    assert answer.headers["Content-Language"] == "en"
    said = read(answer.text if "svg" not in address else f'<html lang="en">{answer.text}')
    assert said.language == "en"
    assert german_left(said, PROPER) == []


@pytest.mark.parametrize("address", [*PAGES, *FORMS])
def test_no_sentence_of_the_code_is_left_on_an_english_page(client: FlaskClient, address: str) -> None:
    german = {
        text for text, english in known().items() if isinstance(text, str) and text != english and "%" not in text
    }
    said = set(read(client.get(with_language(address, "en")).text).words("en"))
    assert said & german <= {"Text", "Manipulation"}  # words of both languages


@pytest.mark.parametrize("address", [*PAGES, *FORMS])
def test_a_german_page_is_german(client: FlaskClient, address: str) -> None:
    answer = client.get(address, headers={"Accept-Language": "de-DE,de;q=0.9,en;q=0.5"})
    assert answer.headers["Content-Language"] == "de"
    said = read(answer.text)
    assert said.language == "de"
    assert len(german_left(said, PROPER)) == 0
    assert any("Meldung" in text for text in said.words("de"))
    english = {text for german, text in known().items() if isinstance(text, str) and len(text) > 20 and text != german}
    assert set(said.words("de")) & english == set()


def test_no_route_of_the_site_is_left_in_the_other_language(pages: Flask) -> None:
    """Also pages that nobody named in this file."""
    client, left = pages.test_client(), {}
    for address in every_page(pages):
        said = read(client.get(with_language(address, "en")).text)
        if german_left(said, PROPER):
            left[address] = german_left(said, PROPER)
        assert read(client.get(with_language(address, "de")).text).language == "de"
    assert left == {}


def test_the_test_finds_what_was_left(client: FlaskClient) -> None:
    german = read(client.get("/").text.replace('lang="de"', 'lang="en"', 1))
    assert len(german_left(german, PROPER)) > 10
    assert german_left(read('<p lang="en">Only Übung helps'), PROPER) == ["Only Übung helps"]
    assert german_left(read('<p lang="en">Landkreis Göttingen and <q lang="de">das geht nicht</q>'), PROPER) == []


@pytest.mark.parametrize("wish", ["en-GB,en;q=0.9", "fr,en;q=0.5"])
def test_without_a_choice_the_browser_decides(client: FlaskClient, wish: str) -> None:
    answer = client.get("/", headers={"Accept-Language": wish})
    assert answer.headers["Content-Language"] == "en"
    assert "Accept-Language" in answer.headers["Vary"]
    assert not re.search(
        r"[?&;]lang=", re.sub(r'<link rel="alternate"[^>]*>|<a class="sprache"[^>]*>', "", answer.text)
    )


@pytest.mark.parametrize(
    ("wish", "asked"), [("en", "/?lang=de"), ("fr", "/"), ("en", "/?lang=de&as_of=2017-05-13T08:00Z")]
)
def test_the_address_goes_before_the_browser_and_german_before_nothing(
    client: FlaskClient, wish: str, asked: str
) -> None:
    assert client.get(asked, headers={"Accept-Language": wish}).headers["Content-Language"] == "de"


def test_a_language_nobody_speaks_here_is_as_none(client: FlaskClient) -> None:
    assert client.get("/?lang=xx", headers={"Accept-Language": "en"}).headers["Content-Language"] == "en"


@pytest.mark.parametrize("address", [*PAGES, *FORMS])
def test_a_chosen_language_stays_chosen_on_every_link_and_form(client: FlaskClient, address: str) -> None:
    page = client.get(with_language(address, "en")).text
    ours = [
        urlsplit(target)
        for _kind, target in read(page).links
        if target.startswith("/") and not target.startswith(("/static/", "/api/"))
    ]
    pages = [link for link in ours if not re.search(r"\.(csv|json|geojson|parquet|zip|gz|cap\.xml)$", link.path)]
    without = [link.geturl() for link in pages if parse_qs(link.query).get("lang") not in (["en"], ["de"])]
    assert without == []
    assert pages or "einbetten" in address
    for form in re.findall(r"<form.*?</form>", page, re.DOTALL):
        assert 'name="lang" value="en"' in form if 'method="get"' in form else 'lang=en"' in form.partition(">")[0]


@pytest.mark.parametrize("address", ["/?as_of=2017-05-13T08%3A00Z", "/archiv?provider=o2&region=Hamburg"])
def test_the_switch_keeps_what_else_was_asked_for(client: FlaskClient, address: str) -> None:
    page = client.get(address).text
    [switch] = re.findall(r'<a class="sprache" href="([^"]*)" lang="en" hreflang="en">English</a>', page)
    leads = urlsplit(switch.replace("&amp;", "&"))
    asked = urlsplit(address)
    assert leads.path == asked.path
    assert parse_qs(leads.query) == {**parse_qs(asked.query), "lang": ["en"]}
    assert 'lang="de" hreflang="de">Deutsch</a>' in client.get(leads.geturl()).text


@pytest.mark.parametrize("address", PAGES)
def test_every_page_names_its_other_language_to_search_engines(client: FlaskClient, address: str) -> None:
    found = re.findall(r'<link rel="alternate" hreflang="([^"]*)" href="([^"]*)">', client.get(address).text)
    assert [code for code, _address in found] == ["de", "en", "x-default"]
    assert all(where.startswith("http://localhost/") for _code, where in found)


def test_the_thanks_after_a_report_are_in_the_language_of_the_form(pages: Flask) -> None:
    form = pages.test_client().get("/melden?lang=en").text
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))
    asked = {**hidden, "provider": "o2", "service": "fixed_internet", "place": "20095"}
    answer = pages.test_client().post("/melden?lang=en", data=asked)
    assert answer.status_code == 303
    thanks = pages.test_client().get(answer.headers["Location"])
    assert "Thank you for your report" in thanks.text
    assert german_left(read(thanks.text), PROPER) == []
    receipt = pages.test_client().get(f"/melden/beleg?code={hidden['uid']}&lang=en")
    assert german_left(read(receipt.text), PROPER) == []
    assert any("Störung" in text for text in read(receipt.text).words("de"))  # the letter: the provider reads German
    again = pages.test_client().post("/melden/wieder?lang=en", data={"code": hidden["uid"]})
    assert "lang=en" in again.headers["Location"]


def test_what_is_wrong_with_a_report_is_said_in_the_language_of_the_form(client: FlaskClient) -> None:
    answer = client.post("/melden?lang=en", data={"provider": "o2", "place": "Essen", "comment": "x" * 501})
    assert answer.status_code == 422
    assert german_left(read(answer.text), PROPER) == []
    assert "Please choose what is not working." in answer.text


def test_numbers_and_times_are_written_in_the_way_of_the_language(client: FlaskClient, netzlage: Instance) -> None:
    german, english = (client.get(f"/vorfall/{HAMBURG}?lang={language}").text for language in ("de", "en"))
    at = netzlage.clock.now()
    assert f"{at.day}. Mai 2017, " in german
    assert f"{at.day} May 2017, " in english
    assert "German time" in english
    assert " Uhr" in german
    assert not re.search(r"\d\. May", english)
    german, english = (client.get(f"/region/02000?lang={language}").text for language in ("de", "en"))
    assert "1.847.253 Einwohner" in german
    assert "1,847,253 inhabitants" in english
    for page in ("Alle Zeiten sind deutsche Ortszeit.", "All times are German local time."):
        assert page in german + english


@pytest.mark.parametrize(("language", "day"), [("de", "Samstag, 13. Mai 2017"), ("en", "Saturday, 13 May 2017")])
def test_a_day_in_full_is_written_as_in_the_country_of_the_language(pages: Flask, language: str, day: str) -> None:
    with pages.test_request_context(f"/?lang={language}"):
        assert format_date(date(2017, 5, 13), "full") == day


@pytest.mark.parametrize("language", ["de", "en"])
def test_a_picture_speaks_the_language_of_its_address(client: FlaskClient, language: str) -> None:
    picture = client.get(f"/vorfall/{HAMBURG}/verlauf.svg?lang={language}").text
    assert ("SIMULATION · Meldungen nachgestellt" in picture) == (language == "de")
    assert ("SIMULATION · reports re-enacted" in picture) == (language == "en")


def test_the_headline_says_the_same_in_both_languages(client: FlaskClient) -> None:
    german, english = (client.get(f"/vorfall/{HAMBURG}?lang={language}").text for language in ("de", "en"))
    count = re.search(r"<h1>Hamburg: ([\d.]+) Meldungen zum Internet \(Festnetz\) von O2 seit etwa [\d:]+ Uhr", german)
    assert count
    assert f"<h1>Hamburg: {count.group(1)} reports about O2 fixed internet since about " in english


def test_the_feed_speaks_the_language_that_is_asked_for_and_keeps_it(client: FlaskClient) -> None:
    german, english = (client.get(f"/feed.atom?lang={language}").text for language in ("de", "en"))
    assert 'xml:lang="en"' in english
    assert "Netzlage: unusual clusters of reports</title>" in english
    assert "Hamburg: " in english
    assert " reports about O2 fixed internet since about " in english
    assert f'/vorfall/{HAMBURG}?lang=en"/>' in english
    assert re.findall("<id>(.*)</id>", german) == re.findall("<id>(.*)</id>", english)
    assert german_left(read(f'<html lang="en">{english}</html>'), PROPER) == []


def test_what_is_embedded_stays_in_its_language(client: FlaskClient) -> None:
    asked = f"/oembed?url=http://localhost/vorfall/{HAMBURG}%3Flang%3Den"
    offer = client.get(asked, headers={"Accept-Language": "de"}).get_json()
    assert offer["title"] == "SIMULATION: Hamburg: O2 fixed internet"
    assert f"/vorfall/{HAMBURG}/einbetten?lang=en" in offer["html"]
    assert offer["thumbnail_url"].endswith("/verlauf.png?lang=en")
    german = client.get(f"/oembed?url=http://localhost/vorfall/{HAMBURG}", headers={"Accept-Language": "de"}).get_json()
    assert german["title"] == "SIMULATION: Hamburg: Internet (Festnetz) von O2"


def test_a_warning_says_it_in_both_languages(client: FlaskClient) -> None:
    warning = client.get(f"/vorfall/{HAMBURG}.cap.xml").text
    assert "<headline>SIMULATION: Hamburg: Internet (Festnetz) von O2</headline>" in warning
    assert "<headline>SIMULATION: Hamburg: O2 fixed internet</headline>" in warning
    assert warning == client.get(f"/vorfall/{HAMBURG}.cap.xml?lang=en").text  # one message, whoever asks


@pytest.mark.parametrize("language", ["de", "en"])
def test_the_code_to_embed_an_incident_names_the_language_of_the_page(client: FlaskClient, language: str) -> None:
    page = client.get(f"/vorfall/{HAMBURG}", headers={"Accept-Language": language}).text
    assert f"/vorfall/{HAMBURG}/einbetten?lang={language}&#34;" in page
