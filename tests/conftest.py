"""What all tests share: no settings and no folders of the person who runs them, and a browser where there is one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from aggregator.settings import PREFIX
from tests import stores
from tests.commands import Run, runner

settings.register_profile("no stopwatch", deadline=None)  # a busy machine is no fault of the code
settings.load_profile("no stopwatch")


@pytest.fixture(scope="session", autouse=True)
def _nothing_of_the_persons_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Take settings out of the environment, and lead the platform's user data folder into a temporary one."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(PREFIX)]:
            patch.delenv(name)
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data-home")))
        with stores.databases_of_this_run():
            yield


@pytest.fixture(autouse=True)
def _no_database_outlives_its_test(request: pytest.FixtureRequest) -> Iterator[None]:
    """Drop what the test had made on PostgreSQL for its folder."""
    folder = request.getfixturevalue("tmp_path") if "tmp_path" in request.fixturenames else None
    yield
    if folder is not None:
        stores.drop_those_below(folder)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the person choose the database of the tests that work on either."""
    kinds = [stores.SQLITE, stores.POSTGRESQL]
    parser.addoption("--database", choices=kinds, help="what tests work on that work on either (default: sqlite)")


def pytest_configure(config: pytest.Config) -> None:
    """Hand the choice on, also to the processes among which the tests are dealt out."""
    if chosen := config.getoption("--database"):
        os.environ[stores.KIND] = chosen


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what is about SQLite alone where all else runs on PostgreSQL."""
    if stores.kind() == stores.POSTGRESQL:
        for item in items:
            if item.get_closest_marker("sqlite"):
                item.add_marker(pytest.mark.skip("about SQLite"))


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `netzlage` with the given words in an empty folder, with the home `tmp_path / "home"`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NETZLAGE_HOME", str(tmp_path / "home"))
    if stores.kind() != stores.SQLITE:
        monkeypatch.setenv("NETZLAGE_DATABASE", stores.address(tmp_path / "home"))
    return runner(capsys)


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The path of a Chromium; skips where there is none (in CI that is a failure, see below)."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not path:
        pytest.skip("needs Chromium: install it, or name its path in CHROMIUM")
    return Path(path)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let a test fail in CI that was skipped for want of a browser, a PostgreSQL or a Redis: there they must be."""
    report = yield
    needs = [name for name in ("browser", "postgresql", "redis") if item.get_closest_marker(name)]
    if report.skipped and needs and os.environ.get("CI") == "true":
        report.outcome = "failed"
        report.longrepr = f"skipped, but in CI what it needs must be there: {call.excinfo and call.excinfo.value}"
    return report
