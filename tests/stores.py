"""Which database a test works on: SQLite, or with `pytest --database postgresql` a PostgreSQL that the tests start."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import make_url

from tests.postgres import PROGRAMS, Server, programs

KIND: Final = "TEST_DATABASE"  # environment: sqlite or postgresql
RUNNING: Final = "TEST_POSTGRES"  # environment: the URL of the server of this run, for processes that tests start
SQLITE: Final = "sqlite"
POSTGRESQL: Final = "postgresql"
BOTH: Final = (SQLITE, pytest.param(POSTGRESQL, marks=pytest.mark.postgresql))
ON_SQLITE: Final = pytest.mark.parametrize("database", [SQLITE], indirect=True)  # of a test that would run on both


def kind() -> str:
    """Return on which kind of database tests work that know of none."""
    return os.environ.get(KIND, SQLITE)


def address(folder: Path, on: str = "", *, empty: bool = False) -> str:
    """Return the URL of the database that belongs to `folder`: the same each time, fresh the first time.

    on: SQLITE or POSTGRESQL; left out: as pytest was told. empty: without our tables until it is opened. It goes when
    the test to which `folder` belongs is over.
    """
    if (on or kind()) == SQLITE:
        return f"sqlite:///{folder / 'netzlage.sqlite'}"
    name = f"t{sha256(str(folder).encode()).hexdigest()[:24]}"
    if not _databases.cache_info().currsize and RUNNING in os.environ:  # a process that a test has started
        return make_url(os.environ[RUNNING]).set(database=name).render_as_string(hide_password=False)
    databases = _databases()
    if name in databases.made:
        return databases.server.url(name)
    databases.made[name] = folder
    return databases.server.empty(name) if empty else databases.server.fresh(name)


def server() -> Server:
    """Return the server of this run; a test that asks for it is skipped where there is none (in CI it fails)."""
    return _databases().server


@contextmanager
def databases_of_this_run() -> Iterator[None]:
    """Stop the server at the end, if anybody has asked for it."""
    yield
    if _databases.cache_info().currsize:
        _databases().server.__exit__(None, None, None)
        _databases.cache_clear()
        del os.environ[RUNNING]


def drop_those_below(folder: Path) -> None:
    """Drop the databases that belong to `folder` and what lies in it."""
    if not _databases.cache_info().currsize:
        return
    databases = _databases()
    for name in [name for name, where in databases.made.items() if where.is_relative_to(folder)]:
        databases.server.drop(name)
        del databases.made[name]


class _Databases:
    def __init__(self) -> None:
        self.server = Server().__enter__()
        os.environ[RUNNING] = self.server.url()
        self.made: dict[str, Path] = {}  # name -> the folder that it belongs to


@cache
def _databases() -> _Databases:
    if programs() is None:
        pytest.skip(f"needs PostgreSQL: install it, or name the folder of its programs in {PROGRAMS}")
    return _Databases()
