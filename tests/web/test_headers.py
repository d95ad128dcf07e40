"""What every answer carries, and what a broken page shows."""

from __future__ import annotations

import gzip
import io
import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from waitress.buffers import ReadOnlyFileBasedBuffer

from aggregator.clock import SystemClock
from aggregator.instance import Instance
from aggregator.web import create_app, headers

PAGES = ["/", "/melden", "/melden/danke?provider=o2", "/daten", "/api/v1/incidents", "/nothing", "/api/v1/nothing"]
TEMPLATES = Path(headers.__file__).parent / "templates"


@pytest.mark.parametrize("path", PAGES)
def test_every_answer_is_locked_down_and_sets_no_cookie(site: FlaskClient, path: str) -> None:
    answer = site.get(path)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Referrer-Policy" in answer.headers
    assert "Set-Cookie" not in answer.headers
    assert "noindex" in answer.headers["X-Robots-Tag"]


@pytest.mark.parametrize("path", ["/", "/melden", "/daten", "/nothing"])
def test_no_page_has_anything_that_the_policy_forbids(site: FlaskClient, path: str) -> None:
    answer = site.get(path)
    page = answer.text
    for text in re.findall(r"<style>(.*?)</style>", page, re.DOTALL):
        assert (
            f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
            in answer.headers["Content-Security-Policy"]
        )
    assert not re.search(r"<style[^>]|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page)
    assert not re.search(r'(?:src|<link[^>]*href)="https?://(?!localhost/)', page)


@pytest.mark.parametrize("path", ["/", "/daten"])
def test_the_same_page_is_sent_once(site: FlaskClient, path: str) -> None:
    first = site.get(path)
    assert "max-age" in first.headers["Cache-Control"]
    again = site.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    packed = site.get(path, headers={"If-None-Match": first.headers["ETag"], "Accept-Encoding": "gzip"})
    assert packed.status_code == 304


@pytest.mark.parametrize("path", ["/daten", "/api/v1/regions?limit=500", "/daten/reports.csv"])
def test_text_is_packed_for_who_unpacks_it(site: FlaskClient, path: str) -> None:
    plain, packed = site.get(path), site.get(path, headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert gzip.GzipFile(fileobj=io.BytesIO(packed.data)).read() == plain.data
    assert len(packed.data) < len(plain.data) / 2


def test_a_file_that_the_server_hands_out_itself_is_packed_too(site: FlaskClient) -> None:
    asked = {"Accept-Encoding": "gzip"}
    path, server = "/static/netzlage.css", {"wsgi.file_wrapper": ReadOnlyFileBasedBuffer}  # as waitress has it
    packed = site.get(path, headers=asked, environ_overrides=server)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.GzipFile(fileobj=io.BytesIO(packed.data)).read() == site.get(path).data


def test_a_failure_is_a_page_for_people_and_json_for_programs(
    filled: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("aggregator.web.data.reports.count", broken)
    site = create_app(filled).test_client()
    page = site.get("/daten")
    assert page.status_code == 500
    assert "Hier ist etwas schiefgegangen" in page.text
    assert "secret detail" not in page.text
    monkeypatch.setattr("aggregator.web.wellbeing.incidents.last_look", broken)
    program = site.get("/api/v1/health")
    assert program.status_code == 500
    assert list(program.get_json()["errors"]) == ["server"]


def test_a_page_that_is_not_there_says_so_in_german(site: FlaskClient) -> None:
    answer = site.get("/nothing")
    assert answer.status_code == 404
    assert "Diese Seite gibt es nicht" in answer.text
    assert site.get("/nothing?lang=en").status_code == 404


@pytest.mark.parametrize("wish", ["en", "fr", "de", "../../x", ""])
def test_any_language_that_is_wished_gets_a_page(site: FlaskClient, wish: str) -> None:
    for path in ("/", "/melden", "/daten"):
        assert site.get(path, query_string={"lang": wish}, headers={"Accept-Language": wish}).status_code == 200


def test_a_real_instance_may_be_found_by_search_engines(filled: Instance) -> None:
    real = create_app(replace(filled, clock=SystemClock())).test_client()
    answer = real.get("/api/v1/services")
    assert "X-Robots-Tag" not in answer.headers
    assert answer.get_json()["simulated"] is False
