"""A store that takes nothing in, and whoever sends something other than a report: complaints, wishes, a moderator.

They get a clear page within seconds, nothing of theirs is half written, and what they send afterwards arrives.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from aggregator.notices import Subscription
from aggregator.store import incidents, open_store, reports, subscriptions, tokens
from aggregator.web.tickets import write_ticket
from tests.making import incident, report
from tests.test_sick_store import Answer, Site, serving, small_disk, until

__all__ = ["small_disk"]
pytestmark = pytest.mark.sqlite
HAMBURG = "20170513-o2-mobile-02000"
FORM = "application/x-www-form-urlencoded"
KEY = "a key of these tests, long enough"
SETTINGS = {
    "NETZLAGE_PUBLISH_COMMENTS": "on",
    "NETZLAGE_SECRET_KEY": KEY,
    "NETZLAGE_BASE_URL": "http://localhost",
    "NETZLAGE_SMTP_URL": "smtp://127.0.0.1:9",
}
TABLES = ("comment_marks", "subscriptions", "confirmations")


class Writers:
    """A filled Netzlage, and the five who write to it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        now = datetime.now(UTC)
        store = open_store(f"sqlite:///{home / 'netzlage.sqlite'}")
        with store.write() as connection:
            began = dict.fromkeys(("onset", "onset_earliest", "onset_latest", "first_alarm_at", "updated_at"), now)
            incidents.save(connection, [incident(HAMBURG, **began)], [])
            sent: dict[str, Any] = {"source": "form", "comment": "Nichts geht", "observed_at": now, "received_at": now}
            reports.add(connection, [report("ours", 0, **sent)])  # of today: comments do not grow old
            for name in ("wish", "done"):
                asked = Subscription(name, "email", f"{name}@example.org", "", "", "strong", "de", now)
                subscriptions.ask(connection, asked, name, "")
            subscriptions.confirm(connection, "done", now)
            self.token = tokens.add(connection, "desk", ["moderation"], now).text
        store.close()

    def all_send(self, site: Site) -> Iterator[tuple[str, Answer]]:
        """Send what each has to send."""
        sent = {
            f"/vorfall/{HAMBURG}/anmerkungen": urlencode({"id": "ours", "reason": "stimmt nicht"}),
            "/abonnieren": urlencode({"email": "new@example.org", "threshold": "strong"}),
            f"/abonnieren/bestaetigen?t={write_ticket(KEY.encode(), 'confirm', 'wish')}": "",
            f"/abonnieren/abmelden?t={write_ticket(KEY.encode(), 'leave', 'done')}": "",
        }
        for path, body in sent.items():
            yield path, site.ask("POST", path, body, FORM)
        yield "/api/v1/comments/ours", self._moderate(site)

    def _moderate(self, site: Site) -> Answer:
        begun = time.monotonic()
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        with closing(HTTPConnection(urlsplit(site.address).netloc, timeout=30)) as line:
            line.request("POST", "/api/v1/comments/ours", b'{"shown": false}', headers)
            answer = line.getresponse()
            return Answer(answer.status, dict(answer.headers), answer.read().decode(), time.monotonic() - begun)

    def written(self) -> dict[str, list[tuple[object, ...]]]:
        """Return every row that one of them could have changed."""
        with closing(sqlite3.connect(f"file:{self.home / 'netzlage.sqlite'}?mode=ro", uri=True)) as it:
            return {name: sorted(it.execute(f"SELECT * FROM {name}"), key=str) for name in TABLES}


def assert_all_are_sent_away_kindly(writers: Writers, site: Site) -> None:
    before = writers.written()
    for path, answer in writers.all_send(site):
        assert (path, answer.status) == (path, 503)
        assert int(answer.headers["Retry-After"]) > 0
        assert answer.seconds < 15
        if path.startswith("/api/"):
            assert list(json.loads(answer.text)["errors"]) == ["store"]
        else:
            assert "nicht gespeichert werden" in answer.text, path
            assert "Traceback" not in answer.text
        assert str(writers.home) not in answer.text
    assert writers.written() == before


def assert_all_arrive(writers: Writers, site: Site) -> None:
    before = writers.written()
    assert [answer.status for _path, answer in writers.all_send(site)] == [303, 303, 200, 200, 200]
    after = writers.written()
    assert all(before[name] != after[name] for name in TABLES)


@contextmanager
def locked(home: Path) -> Iterator[None]:
    with closing(sqlite3.connect(home / "netzlage.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def test_a_locked_store_sends_all_writers_away_at_once_when_it_is_known_to_be(tmp_path: Path) -> None:
    writers = Writers(tmp_path)
    with serving(tmp_path, **SETTINGS) as site:
        assert site.post("first").status == 201
        with locked(tmp_path):
            assert site.post("found out").status == 503
            begun = time.monotonic()
            assert_all_are_sent_away_kindly(writers, site)
            assert time.monotonic() - begun < 10
        until(lambda: site.post("again").status in {200, 201})
        assert_all_arrive(writers, site)


def test_a_full_disk_sends_all_writers_away_and_takes_them_when_there_is_room(small_disk: Path) -> None:
    writers = Writers(small_disk)
    with serving(small_disk, **SETTINGS) as site:
        assert site.post("first").status == 201
        filler = small_disk / "filler"
        with suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)
        number = 0
        while site.post(f"n{number}", "y" * 400).status == 201:  # the log of the store had some room left
            number += 1
        assert_all_are_sent_away_kindly(writers, site)
        filler.unlink()
        until(lambda: site.post("again").status in {200, 201})
        assert_all_arrive(writers, site)
