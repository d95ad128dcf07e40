"""The fault matrix: each way in which a server can fail, for each format. Nothing breaks, nothing is made up."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aggregator.catalogue import Catalogue, load_catalogue
from aggregator.instance import Instance
from aggregator.store import open_store
from ingest.parsers import KINDS
from ingest.runner import run_feed
from tests import stores
from tests.ingest.faults import FAULTS, FINE, FIRST
from tests.ingest.formats import CASES, Case
from tests.ingest.scene import made, staged

THRICE = "the same item three times"  # without keys these are three people
NOTHING_NEW = {THRICE, "a byte-order mark", "a wrong charset", "ids that change at each poll"}


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with nothing in it, to be copied: migrating costs more than a cell of the matrix."""
    folder = tmp_path_factory.mktemp("empty")
    open_store(stores.address(folder, stores.SQLITE)).close()
    return folder / "netzlage.sqlite"


@pytest.fixture
def instance(tmp_path: Path, empty_store: Path, catalogue: Catalogue) -> Iterator[Instance]:
    shutil.copy(empty_store, tmp_path)
    opened = made(tmp_path, catalogue)
    yield opened
    opened.store.close()


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_server_that(case: Case, fault: str, instance: Instance) -> None:
    spoiled = FAULTS[fault]
    right = FINE if spoiled.fine_for(case) else spoiled.outcomes
    with staged(instance, case, slow=spoiled.slow) as scene:
        first = scene.poll(None)
        assert (first.outcome, first.kept, first.rejected) == ("ok", 1, {}), first.error
        before = scene.stored()
        for number in (1, 2):
            scene.later()
            run = scene.poll(spoiled)
            assert run.outcome in right, run
            assert run.error.count("\n") == 0
            if run.outcome != "ok":
                assert run.error.endswith((".", ".)")), run.error
                assert (run.listened_until, scene.heard(FIRST)) == (None, 0.0)  # blind, never zero
                assert scene.health().light in {"yellow", "red"}
                assert scene.health().state.failures == number
        assert run_feed(instance, scene.other, scene.outbound).outcome == "ok"
        during = scene.stored()
        if right != FINE or fault in NOTHING_NEW:
            assert during == before or (fault == THRICE and not case.keyed), (before, during)
        scene.later()
        scene.poll(None)
        assert scene.health().light == "green"
        assert scene.stored() == during
        assert scene.cube_sum() <= 3  # so few reports that nothing can be an alarm


def test_there_are_at_least_thirty_faults_and_every_format_and_kind_is_among_the_cases() -> None:
    assert len(FAULTS) >= 30
    told = {(feed.format, feed.kind) for feed in (case.feed("http://x") for case in CASES)}
    assert told == {(name, kind) for name, kinds in KINDS.items() for kind in kinds}


def test_no_server_can_fill_the_memory() -> None:
    """All that is large, one format after the other in one process: the worker as it is in life."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.ingest.memory"], capture_output=True, text=True, check=True, timeout=300
    )
    assert int(done.stdout) < 300, done.stdout
