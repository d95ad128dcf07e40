"""`netzlage doctor` finds what is set up wrongly, names the check, and says how to mend it. More: test_operate.py."""

from __future__ import annotations

import os
import platform
import stat
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from aggregator.clock import SimulatedClock
from aggregator.model import FeedRun
from aggregator.store import open_store, runs
from tests import stores
from tests.commands import Run
from tests.test_operate import assert_broken

Plant = Callable[[Path, pytest.MonkeyPatch], None]


def settings(**values: str) -> Plant:
    """Plant settings in the environment."""

    def plant(_home: Path, patch: pytest.MonkeyPatch) -> None:
        for name, value in values.items():
            patch.setenv(f"NETZLAGE_{name.upper()}", value)

    return plant


def open_config(_home: Path, _patch: pytest.MonkeyPatch) -> None:
    Path("netzlage.toml").write_text('secret_key = "a secret of some length"', "utf-8")
    Path("netzlage.toml").chmod(0o644)


def open_home(home: Path, _patch: pytest.MonkeyPatch) -> None:
    home.chmod(home.stat().st_mode | stat.S_IWOTH)


def database_to_read_only(home: Path, patch: pytest.MonkeyPatch) -> None:
    open_store(f"sqlite:///{home}/netzlage.sqlite").close()
    may = os.access
    patch.setattr(os, "access", lambda path, mode, **kw: may(path, mode, **kw) and not str(path).endswith(".sqlite"))


def no_files_left(_home: Path, patch: pytest.MonkeyPatch) -> None:
    told = os.statvfs("/")
    values = {name: getattr(told, name) for name in ("f_bavail", "f_frsize", "f_blocks", "f_bfree")}
    patch.setattr(os, "statvfs", lambda _path: SimpleNamespace(**{**values, "f_files": 10_000, "f_favail": 3}))


def at(moment: datetime) -> Plant:
    def plant(_home: Path, patch: pytest.MonkeyPatch) -> None:
        patch.setattr("aggregator.cli.checks.SystemClock", lambda: SimulatedClock(moment))

    return plant


def heard_tomorrow(home: Path, _patch: pytest.MonkeyPatch) -> None:
    store = open_store(stores.address(home))
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    with store.write() as connection:
        runs.add(connection, FeedRun("feed", tomorrow, tomorrow, "ok"))
    store.close()


def feeds(text: str) -> Plant:
    def plant(_home: Path, patch: pytest.MonkeyPatch) -> None:
        Path("feeds.toml").write_text(text, "utf-8")
        patch.setenv("NETZLAGE_FEEDS", "feeds.toml")

    return plant


PLANTED: dict[str, tuple[Plant, str, str]] = {
    "https without a proxy": (settings(base_url="https://netzlage.example"), "site", "set trusted_proxies = 1"),
    "a proxy without an address": (settings(trusted_proxies="1"), "site", "set base_url"),
    "a number of proxies that nobody has": (
        settings(trusted_proxies="30", base_url="https://netzlage.example"), "site", "proxies of your own",
    ),
    "an address with a path": (settings(base_url="http://netzlage.example/da"), "site", "leave that out"),
    "an address that nobody reaches": (settings(base_url="http://0.0.0.0:8000"), "site", "write the public name"),
    "no limits in public": (settings(base_url="http://netzlage.example", rate_limits="off"), "limits", "set it to on"),
    "limits upside down": (
        settings(rate_limit_block="900 per minute", rate_limit_all="100 per minute"), "limits", "all the larger",
    ),
    "a Redis that is away": (settings(redis_url="redis://127.0.0.1:1/0"), "limits", "start it or mend the URL"),
    "a Redis of another kind": (settings(redis_url="radish://127.0.0.1"), "limits", "write redis://"),
    "a key to guess": (settings(secret_key="geheim"), "secrets", "leave it out"),
    "a settings file for all": (open_config, "secrets", "chmod 600"),
    "a home for all": (open_home, "secrets", "chmod o-w"),
    "a database to read only": (database_to_read_only, "room", "chmod u+w"),
    "no files left": (no_files_left, "room", "delete some"),
    "a clock of 1970": (at(datetime(1970, 1, 1, 12, tzinfo=UTC)), "clock", "switch on NTP"),
    "a clock behind the store": (heard_tomorrow, "clock", "timedatectl set-ntp true"),
    "a database that is none": (settings(database="dbase://db.example/n"), "store", "use sqlite or postgresql"),
    "a database in a folder that is not there": (settings(database="sqlite:////nowhere/n.sqlite"), "room", "make it"),
    "mail without links": (settings(smtp_url="smtp://mail.example"), "alerts", "base_url is empty"),
    "a feeds file that is no TOML": (feeds("[[feed"), "feeds", "mend that line"),
    "a feed of a format nobody knows": (
        feeds('[[feed]]\nname = "x"\nformat = "fax"\nurl = "https://x.example"\nevery = "60s"'), "feeds", "fax",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_found_with_its_mend(
    name: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").mkdir(mode=0o755)
    plant, check, mend = PLANTED[name]
    plant(tmp_path / "home", monkeypatch)
    answer = run("doctor")
    assert_broken(answer, check, mend)
    assert answer.err.startswith(f"Broken: {check}")


WRONG: dict[str, tuple[dict[str, str], str]] = {
    "a name that is mistyped": ({"trusted_proxy": "1"}, "did you mean NETZLAGE_TRUSTED_PROXIES"),
    "a rate in other words": ({"rate_limit_all": "many"}, "rate_limit_all"),
    "a host with its scheme": ({"allowed_hosts": "https://netzlage.example"}, "without https://"),
    "a switch that is neither": ({"publish_comments": "maybe"}, 'must be "on" or "off"'),
    "an address without scheme": ({"base_url": "netzlage.example"}, "must be a URL"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_setting_that_cannot_be_read_is_one_sentence(name: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    values, said = WRONG[name]
    for setting, value in values.items():
        monkeypatch.setenv(f"NETZLAGE_{setting.upper()}", value)
    answer: Any = run("doctor")
    assert answer.status == 1
    assert said in answer.err


def test_a_public_site_that_is_set_up_well_has_no_fault(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    settings(base_url="https://netzlage.example", trusted_proxies="1")(Path(), monkeypatch)
    assert run("doctor").status == 0


class Far:
    """A clock a minute behind that of the database."""

    def now(self) -> datetime:
        return datetime.now(UTC) - timedelta(minutes=1)


@pytest.mark.postgresql
def test_hosts_at_one_database_must_agree_on_key_and_time(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = stores.address(tmp_path, stores.POSTGRESQL)
    settings(database=url)(tmp_path, monkeypatch)
    with monkeypatch.context() as patch:
        patch.setattr(platform, "node", lambda: "another")
        other = open_store(url)
    with closing(other), other.read():
        assert_broken(run("doctor"), "hosts", "another work on this database, too", "give all the one in")
        settings(secret_key="the same on all of them")(tmp_path, monkeypatch)
        assert "each web process counts senders for itself" in run("doctor").out
        monkeypatch.setattr("aggregator.cli.checks.SystemClock", Far)
        assert_broken(run("doctor"), "hosts", "60 seconds ahead of that of this one", "switch on NTP on both")
