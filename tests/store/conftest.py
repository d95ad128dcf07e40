"""A fresh store for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aggregator.store import Store, open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Open a store in an empty folder."""
    opened = open_store(f"sqlite:///{tmp_path / 'netzlage.sqlite'}")
    yield opened
    opened.close()
