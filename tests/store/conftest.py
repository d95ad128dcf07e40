"""A fresh store for each test, on each kind of database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aggregator.store import Store, open_store
from tests import stores


@pytest.fixture(params=stores.BOTH)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of a fresh database."""
    return stores.address(tmp_path, request.param)


@pytest.fixture(params=stores.BOTH)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of a database in which nothing is yet."""
    folder = tmp_path / "empty"
    folder.mkdir()
    return stores.address(folder, request.param, empty=True)


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    """Open a store in an empty folder."""
    opened = open_store(database)
    yield opened
    opened.close()
