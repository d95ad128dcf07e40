"""A store that is ill, and what people see: a real `netzlage serve`, a real small disk, locks of another process.

Nothing that was acknowledged is lost, nothing that was refused is stored, what was typed stays, and once the disk has
room or the lock is gone it goes on by itself.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from aggregator.normalise import id_of_key
from aggregator.store import open_store
from tests.test_serve import start

pytestmark = pytest.mark.sqlite
COULD_NOT = "konnte gerade nicht gespeichert werden"
QUICK = 4.5  # seconds: less than who waits for a lock would wait (5, the database itself 10), also on a busy machine


@dataclass
class Answer:
    """What came back, and after how many seconds."""

    status: int
    headers: dict[str, str]
    text: str
    seconds: float


@dataclass
class Site:
    """A running `netzlage serve`."""

    process: subprocess.Popen[str]
    address: str
    home: Path
    sent: set[str] = field(default_factory=set)
    acknowledged: set[str] = field(default_factory=set)

    def ask(self, method: str, path: str, body: str = "", kind: str = "") -> Answer:
        """Send one request on a connection of its own."""
        begun = time.monotonic()
        with closing(HTTPConnection(urlsplit(self.address).netloc, timeout=30)) as line:
            line.request(method, path, body.encode(), {"Content-Type": kind} if kind else {})
            answer = line.getresponse()
            text = answer.read().decode("utf-8", "replace")
            return Answer(answer.status, dict(answer.headers), text, time.monotonic() - begun)

    def post(self, uid: str, comment: str = "") -> Answer:
        """Send a report by the API."""
        fields = {"provider": "o2", "service": "mobile", "plz": "20095", "uid": uid, "comment": comment}
        fields |= {"observed_at": f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime())}Z", "reporter": uid}
        answer = self.ask("POST", "/api/v1/reports", json.dumps(fields), "application/json")
        self.sent.add(uid)
        if answer.status in {200, 201}:
            self.acknowledged.add(uid)
        return answer

    def health(self) -> tuple[str, str]:
        """Return how it says that it is, and why."""
        told = json.loads(self.ask("GET", "/api/v1/health").text)
        return told["status"], " ".join([*told.get("reasons", []), *told.get("errors", {}).values()])

    def log(self) -> list[str]:
        """End it and return the lines of its log."""
        self.process.send_signal(signal.SIGTERM)
        _, err = self.process.communicate(timeout=80)
        assert self.process.returncode == 0
        return err.splitlines()


@contextmanager
def serving(home: Path, **settings: str) -> Iterator[Site]:
    """Serve from `home`, whose database may be there already; settings: as in the environment."""
    process = start(home, "serve", "--port", "0", settings=settings)
    try:
        assert process.stdout
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        yield Site(process, line.strip().removeprefix("Netzlage: ").split()[0], home)
    finally:
        process.kill()
        with suppress(ValueError):
            process.communicate()


def until(true: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.1)


def stored(home: Path) -> set[str]:
    store = open_store(f"sqlite:///{home / 'netzlage.sqlite'}")
    try:
        with store.read() as connection:
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
            return set(connection.exec_driver_sql("SELECT report_id FROM reports").scalars())
    finally:
        store.close()


def assert_nothing_is_lost_and_nothing_invented(site: Site) -> None:
    """What was acknowledged is there; what was refused is not, since nobody sent it again."""
    assert stored(site.home) == {id_of_key("api", uid) for uid in site.acknowledged}


def a_filled_form(site: Site) -> str:
    """Return the fields of the form as somebody filled them in some seconds after it was shown."""
    page = site.ask("GET", "/melden").text
    uid, seal = (page.split(f'name="{name}" value="')[1].split('"')[0] for name in ("uid", "seal"))
    time.sleep(2.1)  # faster than any person would look like a program
    filled = {"provider": "o2", "service": "mobile", "place": "20095", "comment": "seit heute früh", "since": "60"}
    return urlencode({**filled, "uid": uid, "seal": seal})


def assert_the_form_keeps_what_was_typed(answer: Answer) -> None:
    assert answer.status == 503
    assert answer.headers["Retry-After"]
    assert COULD_NOT in answer.text
    assert 'value="o2" selected' in answer.text
    assert 'value="20095"' in answer.text
    assert "seit heute früh" in answer.text


def assert_the_api_says_come_again(answer: Answer) -> None:
    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert list(json.loads(answer.text)["errors"]) == ["store"]
    assert "/" not in json.loads(answer.text)["errors"]["store"].replace("netzlage restore", "")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 6 MB."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_refuses_kindly_loses_nothing_and_goes_on_when_there_is_room(small_disk: Path) -> None:
    with serving(small_disk) as site:
        assert site.post("first").status == 201
        filled = a_filled_form(site)
        filler = small_disk / "filler"
        with suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)
        number = 0
        while (answer := site.post(f"n{number}", "y" * 400)).status == 201:  # the log of the store had some room left
            number += 1
            assert number < 20_000
        assert_the_api_says_come_again(answer)
        assert_the_form_keeps_what_was_typed(site.ask("POST", "/melden", filled, "application/x-www-form-urlencoded"))
        status, why = site.health()
        assert (status, "reports are not stored: the disk is full" in why) == ("degraded", True)
        assert site.ask("GET", "/").status == 200
        assert site.ask("GET", "/api/v1/incidents").status == 200
        filler.unlink()
        until(lambda: "not stored" not in site.health()[1])
        assert site.ask("POST", "/melden", filled, "application/x-www-form-urlencoded").status == 303
        assert site.post("after").status == 201
        log = site.log()
        mine = id_of_key("form", dict(part.split("=") for part in filled.split("&"))["uid"])
        assert stored(site.home) == {id_of_key("api", uid) for uid in site.acknowledged} | {mine}
    assert sum("Reports are not stored" in line for line in log) == 1
    assert sum("Reports are stored again" in line for line in log) == 1
    assert len(log) < 12


def test_a_lock_of_another_process_keeps_reports_out_and_readers_in(tmp_path: Path) -> None:
    with serving(tmp_path) as site:
        assert site.post("first").status == 201
        filled = a_filled_form(site)
        with closing(sqlite3.connect(tmp_path / "netzlage.sqlite", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            held_until = time.monotonic() + float(os.environ.get("LOCKED_FOR", "12"))
            answer = site.post("second")
            assert_the_api_says_come_again(answer)
            assert answer.seconds < 10
            begun = time.monotonic()
            assert_the_form_keeps_what_was_typed(
                site.ask("POST", "/melden", filled, "application/x-www-form-urlencoded")
            )
            assert time.monotonic() - begun < QUICK  # known by now: nobody waits for it
            while time.monotonic() < held_until:
                assert site.ask("GET", "/").seconds < QUICK
                status, why = site.health()
                assert (status, "locked" in why) == ("degraded", True)
                assert site.post("third").seconds < QUICK
                time.sleep(0.2)
            other.execute("ROLLBACK")
        until(lambda: site.post("fourth").status in {200, 201})
        site.log()
        assert_nothing_is_lost_and_nothing_invented(site)
        assert id_of_key("api", "third") not in stored(site.home)


def test_a_damaged_file_is_told_with_what_to_do(tmp_path: Path) -> None:
    with serving(tmp_path) as site:
        for number in range(50):
            assert site.post(f"n{number}").status == 201
        site.log()
    database = tmp_path / "netzlage.sqlite"
    with closing(sqlite3.connect(database)) as it:
        it.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        page, size = it.execute("SELECT rootpage FROM sqlite_master WHERE name = 'seen'").fetchone()[0], 4096
    with database.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xa5" * size)
    with serving(tmp_path) as site:
        answer = site.post("one more")
        assert_the_api_says_come_again(answer)
        status, why = site.health()
        assert (status, "the database is damaged" in why) == ("degraded", True)
        assert "netzlage restore" in why
        assert site.ask("GET", "/").status == 200  # the damage is elsewhere
        log = site.log()
    (told,) = [line for line in log if "Reports are not stored" in line]
    assert "is damaged; stop Netzlage and put a backup back with `netzlage restore FILE`" in told


def test_a_folder_that_is_gone_takes_no_report_and_goes_on_when_it_is_back(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with serving(home) as site:
        assert site.post("first").status == 201
        home.rename(tmp_path / "away")
        assert_the_api_says_come_again(site.post("second"))
        status, why = site.health()
        assert status in {"degraded", "failed"}
        assert "gone" in why
        assert not home.exists()
        (tmp_path / "away").rename(home)
        until(lambda: site.post("third").status in {200, 201})
        log = site.log()
        assert stored(home) == {id_of_key("api", uid) for uid in ("first", "third")}
    assert sum("is gone from its folder" in line for line in log) >= 1


def test_a_file_that_may_not_be_written_is_told_in_one_sentence_at_the_start(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with serving(home) as site:
        assert site.post("first").status == 201
        site.log()
    drop = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search"]
    (home / "netzlage.sqlite").chmod(0o444)
    home.chmod(0o555)
    try:
        process = start(home, "serve", "--port", "0", before=drop if os.geteuid() == 0 else [])
        _, err = process.communicate(timeout=40)
    finally:
        home.chmod(0o755)
    assert process.returncode == 1
    assert len(err.splitlines()) == 1
    assert "check the" in err


STANZA = """
[[feed]]
name = "away"
format = "json_records"
url = "http://feed.invalid/reports.json"
every = "60s"
provider = "o2"
service = "mobile"
[feed.fields]
report_id = "id"
observed_at = "at"
"""


def test_a_name_that_nobody_resolves_is_a_feed_out_of_reach_and_harms_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "feeds.toml").write_text(STANZA, "utf-8")  # .invalid: kept free for this, it never resolves
    with serving(tmp_path) as site:
        until(lambda: "feed away: unreachable" in site.health()[1], 60)
        assert site.post("meanwhile").status == 201
        page = site.ask("GET", "/quellen")
        assert page.status == 200
        assert "away" in page.text
        with sqlite3.connect(tmp_path / "netzlage.sqlite") as it:
            listened = it.execute("SELECT count(*) FROM listening WHERE source = 'away'").fetchone()[0]
            (error,) = it.execute("SELECT error FROM feed_runs WHERE source = 'away'").fetchone()
        it.close()
        assert listened == 0  # not heard is not silence
        assert "feed.invalid" in error
        site.log()
