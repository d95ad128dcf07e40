"""Pages are made once per change and not per reader, and nothing of a reader gets into them."""

from __future__ import annotations

import http.client
import threading
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from wsgiref.types import StartResponse, WSGIEnvironment

import brotli
import pytest
from werkzeug.test import Client, TestResponse

from aggregator.catalogue import load_catalogue
from aggregator.cli.channel import Channel
from aggregator.clock import SimulatedClock
from aggregator.errors import StoreError
from aggregator.instance import Instance
from aggregator.store import meta
from aggregator.web import cache, create_app
from aggregator.web.cache import Cache
from tests.making import instance
from tests.servers import waiting

WORDS = "Nichts Auffälliges. " * 100


class Page:
    """An app that counts how often it is asked, and remembers by whom."""

    def __init__(self) -> None:
        self.asked: list[WSGIEnvironment] = []
        self.headers = [("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", "public, max-age=15")]
        self.status = "200 OK"
        self.words = WORDS
        self.wait: Callable[[], object] = lambda: None

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> list[bytes]:
        self.asked.append(environ)
        self.wait()
        start(self.status, self.headers)
        return [self.words.encode()]


@pytest.fixture
def netzlage(tmp_path: Path) -> Iterator[Instance]:
    made = instance(tmp_path, load_catalogue())
    yield made
    made.store.close()


@pytest.fixture
def page() -> Page:
    return Page()


@pytest.fixture
def kept(page: Page, netzlage: Instance, monkeypatch: pytest.MonkeyPatch) -> Cache:
    """A cache that looks for changes at every request."""
    monkeypatch.setattr(cache, "LOOK", 0.0)
    monkeypatch.setattr(cache, "REST", 0.0)
    return Cache(page, netzlage)


def change(netzlage: Instance, words: str = "anything") -> None:
    with netzlage.store.write() as connection:
        meta.put(connection, "test", words)


def get(kept: Any, path: str = "/", **headers: str) -> TestResponse:
    return Client(kept).get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})


def test_a_page_is_made_once_for_all_readers(kept: Cache, page: Page) -> None:
    answers = {get(kept, User_Agent=f"reader {n}").text for n in range(20)}
    assert answers == {WORDS}
    assert len(page.asked) == 1


def test_a_committed_change_makes_it_new(kept: Cache, page: Page, netzlage: Instance) -> None:
    before = get(kept).headers["ETag"]
    page.words = "Hamburg. " * 100
    assert get(kept).headers["ETag"] == before
    change(netzlage)
    assert get(kept).text == "Hamburg. " * 100
    assert len(page.asked) == 2


def test_what_is_not_committed_changes_nothing(kept: Cache, page: Page, netzlage: Instance) -> None:
    get(kept)
    with suppress(ZeroDivisionError), netzlage.store.write() as connection:
        meta.put(connection, "test", "never")
        raise ZeroDivisionError
    get(kept)
    assert len(page.asked) == 1


def test_a_minute_makes_it_new_and_the_same_words_keep_their_etag(kept: Cache, page: Page, netzlage: Instance) -> None:
    clock = netzlage.clock
    assert isinstance(clock, SimulatedClock)
    before = get(kept).headers["ETag"]
    clock.set(clock.now() + timedelta(seconds=20))
    get(kept)
    assert len(page.asked) == 1
    clock.set(clock.now() + timedelta(seconds=60))
    assert get(kept).headers["ETag"] == before
    assert len(page.asked) == 2


def test_a_page_rests_a_while_whatever_changes(page: Page, netzlage: Instance) -> None:
    kept = Cache(page, netzlage)
    get(kept)
    for n in range(5):
        change(netzlage, str(n))
        get(kept)
    assert len(page.asked) == 1


def test_every_encoding_says_the_same_under_an_etag_of_its_own(kept: Cache, page: Page) -> None:
    plain, gzip, br = (get(kept, Accept_Encoding=coding) for coding in ("identity", "gzip;q=0.5", "gzip, br"))
    assert (
        plain.data.decode() == zlib.decompress(gzip.data, 31).decode() == brotli.decompress(br.data).decode() == WORDS
    )
    assert [r.headers.get("Content-Encoding") for r in (plain, gzip, br)] == [None, "gzip", "br"]
    assert len({r.headers["ETag"] for r in (plain, gzip, br)}) == 3
    assert not any(r.headers["ETag"].startswith("W/") for r in (plain, gzip, br))
    assert len(page.asked) == 1


def test_who_has_it_is_told_so_without_a_body(kept: Cache) -> None:
    etag = get(kept, Accept_Encoding="br").headers["ETag"]
    for known in (etag, f'"other", {etag}', f"W/{etag}", "*"):
        answer = get(kept, Accept_Encoding="br", If_None_Match=known)
        assert (answer.status_code, answer.data) == (304, b"")
        assert answer.headers["ETag"] == etag
        assert answer.headers["Cache-Control"].startswith("public")
    assert get(kept, Accept_Encoding="br", If_None_Match='"other"').status_code == 200
    assert get(kept, Accept_Encoding="gzip", If_None_Match=etag).status_code == 200


def test_head_has_the_length_and_no_body(kept: Cache) -> None:
    answer = Client(kept).head("/")
    assert (answer.data, int(answer.headers["Content-Length"])) == (b"", len(WORDS.encode()))


def test_nothing_of_the_reader_reaches_the_page(kept: Cache, page: Page) -> None:
    get(
        kept,
        Cookie="who=me",
        Authorization="Bearer me",
        User_Agent="me",
        Referer="http://me/",
        Accept_Language="en-US,xx",
    )
    (seen,) = page.asked
    assert not [name for name, value in seen.items() if "me" in str(value) and name.startswith("HTTP_")]
    assert seen["HTTP_ACCEPT_LANGUAGE"] == "en"


def test_each_language_host_and_question_is_a_page_of_its_own(kept: Cache, page: Page) -> None:
    for headers in ({"Accept_Language": "en"}, {"Accept_Language": "de"}, {"Host": "elsewhere"}):
        get(kept, **headers)
    get(kept, "/?provider=o2")
    get(kept, "/archiv")
    assert len(page.asked) == 5


@pytest.mark.parametrize("path", ["/melden", "/api/v1/incidents", "/vorfall/x.csv", f"/?q={'x' * 400}"])
def test_what_is_the_readers_own_or_streams_is_not_kept(kept: Cache, page: Page, path: str) -> None:
    get(kept, path)
    get(kept, path)
    assert len(page.asked) == 2


@pytest.mark.parametrize(
    ("status", "header"),
    [
        ("404 NOT FOUND", ("X-Nothing", "1")),
        ("200 OK", ("Set-Cookie", "a=b")),
        ("200 OK", ("Cache-Control", "no-store")),
    ],
)
def test_what_is_not_for_everybody_is_not_kept(kept: Cache, page: Page, status: str, header: tuple[str, str]) -> None:
    page.status, page.headers = status, [*page.headers, header]
    assert get(kept).status == status
    get(kept)
    assert len(page.asked) == 2


def test_a_posted_form_goes_to_the_app(kept: Cache, page: Page) -> None:
    Client(kept).post("/")
    Client(kept).post("/")
    assert len(page.asked) == 2


def test_many_who_come_at_once_wait_for_one_making(kept: Cache, page: Page) -> None:
    page.wait = lambda: threading.Event().wait(0.2)
    with ThreadPoolExecutor(8) as readers:
        answers = list(readers.map(lambda _: get(kept).text, range(8)))
    assert answers == [WORDS] * 8
    assert len(page.asked) == 1


def test_while_it_is_made_anew_readers_get_the_old_one(kept: Cache, page: Page, netzlage: Instance) -> None:
    get(kept)
    change(netzlage)
    making, go_on = threading.Event(), threading.Event()
    page.words = "neu " * 200

    def wait() -> None:
        making.set()
        go_on.wait(10)

    page.wait = wait
    with ThreadPoolExecutor(1) as other:
        fresh = other.submit(lambda: get(kept).text)
        assert making.wait(10)
        assert get(kept).text == WORDS
        go_on.set()
        assert fresh.result(10) == "neu " * 200
    assert len(page.asked) == 2


def test_the_shelf_is_bounded_and_what_is_read_stays(kept: Cache, page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "MOST_BYTES", 20_000)
    for n in range(40):
        get(kept, "/")
        get(kept, f"/?q={n}")
    assert len(page.asked) == 41
    assert sum(one.size for one in kept._kept.values()) <= 20_000


def test_a_store_that_cannot_be_asked_leaves_the_page_as_it_was(
    kept: Cache, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    get(kept)

    def fails() -> str:
        raise StoreError("gone")

    monkeypatch.setattr(kept._watch, "word", fails)
    assert get(kept).text == WORDS
    assert len(page.asked) == 1


def test_a_store_that_was_long_away_is_not_answered_for(
    kept: Cache, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    get(kept)
    page.status, page.words = "503 SERVICE UNAVAILABLE", "not reachable"

    def fails() -> str:
        raise StoreError("gone")

    monkeypatch.setattr(kept._watch, "word", fails)
    assert get(kept).status_code == 200
    monkeypatch.setattr(cache, "FORSAKEN", 0.0)
    assert get(kept).status_code == 503


def test_two_processes_agree_on_the_etag(netzlage: Instance) -> None:
    first, second = (create_app(netzlage, cached=True).wsgi_app for _ in range(2))
    for path in ("/", "/archiv", "/methodik", "/static/netzlage.css"):
        assert get(first, path).headers["ETag"] == get(second, path).headers["ETag"]
        assert "s-maxage" in get(first, path).headers["Cache-Control"] or path.startswith("/static")


def test_the_connection_stays_open_after_a_304(page: Page, netzlage: Instance) -> None:
    with waiting(Cache(page, netzlage), threads=2, channel=Channel) as url:
        reader = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
        reader.request("GET", "/")
        first = reader.getresponse()
        etag, door = first.headers["ETag"], reader.sock
        assert first.read().decode() == WORDS
        for _ in range(2):
            reader.request("GET", "/", headers={"If-None-Match": str(etag)})
            answer = reader.getresponse()
            answer.read()
            assert answer.status == 304
            assert answer.headers.get("Connection") is None
            assert reader.sock is door
        reader.request("GET", "/", headers={"If-None-Match": str(etag), "Connection": "close"})
        assert reader.getresponse().headers["Connection"] == "close"
        reader.close()
