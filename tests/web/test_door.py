"""Who is turned away: programs, pages of others, strange hosts, files; and that nobody loses what they typed."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from aggregator.clock import SimulatedClock
from aggregator.instance import Instance
from aggregator.web import create_app, seal
from tests.web.test_api import REPORT, in_store
from tests.web.test_form import FILLED


@pytest.fixture(autouse=True)
def _haste_counts(_no_haste: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seal, "LEAST", timedelta(seconds=2))


@pytest.fixture
def person(empty: Instance) -> FlaskClient:
    """Somebody whose forms have the seal that came with them, and no other."""
    return create_app(empty).test_client()


def later(instance: Instance, **time: float) -> None:
    assert isinstance(instance.clock, SimulatedClock)
    instance.clock.set(instance.clock.now() + timedelta(**time))


def hidden_fields(page: str) -> dict[str, str]:
    return dict(re.findall(r'type="hidden" name="(uid|seal)" value="([^"]*)"', page))


def form_of(person: FlaskClient, **values: str) -> dict[str, str]:
    return {**FILLED, **hidden_fields(person.get("/melden").text), **values}


def test_a_form_is_taken_with_its_seal_and_sets_no_cookie(person: FlaskClient, empty: Instance) -> None:
    form = form_of(person)
    later(empty, seconds=2)
    answer = person.post("/melden", data=form)
    assert answer.status_code == 303
    assert "Set-Cookie" not in answer.headers
    assert len(in_store(empty)) == 1


def test_a_line_that_was_down_for_hours_loses_nothing(person: FlaskClient, empty: Instance) -> None:
    form = form_of(person)
    later(empty, hours=23)
    assert person.post("/melden", data=form).status_code == 303
    assert "again=1" in person.post("/melden", data=form).location
    assert len(in_store(empty)) == 1


WRONG: dict[str, tuple[dict[str, float], dict[str, str]]] = {
    "no seal": ({"seconds": 9}, {"seal": ""}),
    "of another form": ({"seconds": 9}, {"uid": "another"}),
    "forged": ({"seconds": 9}, {"seal": "5916e8a8.00000000000000000000000000000000"}),
    "nonsense": ({"seconds": 9}, {"seal": "ö.\x00ü"}),
    "a day old": ({"days": 1, "seconds": 1}, {}),
    "too fast": ({"seconds": 1}, {}),
    "filled in by a program": ({"seconds": 9}, {"website": "https://example.org"}),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_may_be_a_program_is_asked_again_and_loses_nothing(
    person: FlaskClient, empty: Instance, name: str
) -> None:
    waited, values = WRONG[name]
    form = form_of(person, comment="seit heute früh", **values)
    later(empty, **waited)
    again = person.post("/melden", data=form)
    assert again.status_code == 422
    assert in_store(empty) == []
    assert "noch einmal" in again.text
    assert "seit heute früh" in again.text
    later(empty, seconds=3)
    assert person.post("/melden", data={**FILLED, **hidden_fields(again.text)}).status_code == 303
    assert len(in_store(empty)) == 1


def test_who_corrects_a_field_at_once_is_not_too_fast(person: FlaskClient, empty: Instance) -> None:
    form = form_of(person, place="Nirgendwo am Meer")
    later(empty, seconds=5)
    wrong = person.post("/melden", data=form)
    assert wrong.status_code == 422
    assert person.post("/melden", data={**FILLED, **hidden_fields(wrong.text)}).status_code == 303


@pytest.mark.parametrize(
    ("headers", "taken"),
    [
        ({}, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Origin": "http://localhost"}, True),
        ({"Origin": "https://boese.example"}, False),
        ({"Origin": "null"}, False),
        (
            {"Origin": "https://boese.example", "Sec-Fetch-Site": "same-origin"},
            True,
        ),
    ],
)
def test_a_page_of_another_site_sends_nothing_in_a_readers_name(
    person: FlaskClient, empty: Instance, headers: dict[str, str], taken: bool
) -> None:
    form = form_of(person)
    later(empty, seconds=9)
    page = person.post("/melden", data=form, headers=headers)
    program = person.post("/api/v1/reports", data=REPORT, headers=headers)
    back = person.post("/melden/wieder", data={"code": "x"}, headers=headers)
    assert [page.status_code, program.status_code, back.status_code] == ([303, 201, 422] if taken else [422, 403, 403])
    assert len(in_store(empty)) == (2 if taken else 0)
    assert taken or 'value="20095"' in page.text


def site_at(instance: Instance, **settings: Any) -> FlaskClient:
    return create_app(replace(instance, settings=replace(instance.settings, **settings))).test_client()


HOSTS = [
    ("", (), {"localhost:8000", "127.0.0.1", "[::1]:8000", "192.0.2.7:8000"}, {"boese.example", "", "a b", "[::1"}),
    (
        "https://netzlage.example/da",
        ("mirror.example",),
        {"netzlage.example", "netzlage.example:443", "NETZLAGE.example.", "mirror.example", "localhost"},
        {"192.0.2.7", "boese.example", "netzlage.example.boese.example", "netzlage.example@boese.example"},
    ),
]


@pytest.mark.parametrize(("base_url", "allowed", "known", "strange"), HOSTS)
def test_only_known_hosts_are_answered(
    empty: Instance, base_url: str, allowed: tuple[str, ...], known: set[str], strange: set[str]
) -> None:
    site = site_at(empty, base_url=base_url, allowed_hosts=allowed)
    for host in known:
        assert site.get("/api/v1/services", headers={"Host": host}).status_code == 200, host
    for host in strange:
        answer = site.get("/", headers={"Host": host})
        assert answer.status_code == 400, host
        assert "nicht zu erreichen" in answer.text
        assert "allowed_hosts" in answer.text
        assert site.post("/api/v1/reports", json=REPORT, headers={"Host": host}).status_code == 400
    assert site.get("/api/v1/health", headers={"Host": "192.0.2.7"}).status_code == 200


@pytest.mark.parametrize("path", ["/melden", "/api/v1/reports", "/melden/wieder"])
def test_files_are_refused_with_a_sentence(person: FlaskClient, empty: Instance, path: str) -> None:
    data = {**REPORT, "place": "20095", "bild": (io.BytesIO(b"GIF89a"), "bild.gif")}
    answer = person.post(path, data=data, content_type="multipart/form-data")
    assert answer.status_code == 415
    assert "Files are not taken" in answer.text or "Dateien nehmen wir nicht an" in answer.text
    assert in_store(empty) == []


@pytest.mark.parametrize("name", ["place", "uid", "comment"])
def test_a_field_that_is_too_long_is_told_and_nothing_is_cut_in_silence(
    person: FlaskClient, empty: Instance, name: str
) -> None:
    answer = person.post("/melden", data=form_of(person, **{name: "x" * 1001}))
    assert answer.status_code == 422
    assert "Bitte kürzen Sie" in answer.text


@pytest.mark.parametrize("name", ["provider", "service", "place", "uid", "reporter", "comment", "symptom"])
def test_a_field_that_is_too_long_is_told_to_programs(person: FlaskClient, empty: Instance, name: str) -> None:
    answer = person.post("/api/v1/reports", json={**REPORT, name: "x" * 2001})
    assert answer.status_code == 422
    assert "characters" in answer.get_json()["errors"][name]
    assert in_store(empty) == []


@pytest.mark.parametrize(
    ("base_url", "proxies", "headers", "strict"),
    [
        ("", 0, {}, False),
        ("", 0, {"X-Forwarded-Proto": "https"}, False),  # anybody may claim that
        ("", 1, {"X-Forwarded-Proto": "https"}, True),
        ("https://netzlage.example", 0, {}, True),
    ],
)
def test_behind_tls_browsers_are_told_to_stay_there(
    empty: Instance, base_url: str, proxies: int, headers: dict[str, str], strict: bool
) -> None:
    site = site_at(empty, base_url=base_url, trusted_proxies=proxies)
    said = site.get("/api/v1/services", headers=headers).headers
    assert ("Strict-Transport-Security" in said) is strict


def test_only_the_embedded_page_may_be_framed(site: FlaskClient) -> None:
    (known, *_others) = site.get("/api/v1/incidents").get_json()["items"]
    page = site.get(f"/vorfall/{known['incident_id']}")
    frame = site.get(f"/vorfall/{known['incident_id']}/einbetten")
    assert (page.status_code, frame.status_code) == (200, 200)
    assert page.headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in frame.headers
    assert "frame-ancestors *" in frame.headers["Content-Security-Policy"]
