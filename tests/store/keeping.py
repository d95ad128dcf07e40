"""Backups made, stopped and spoilt for the tests of them."""

from __future__ import annotations

import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from aggregator import backups
from aggregator.store import Store, reports
from aggregator.store.copying import archive, rows, snapshot
from aggregator.store.copying.rows import Passed
from tests import stores
from tests.making import SATURDAY, report
from tests.store import filling

NOW = SATURDAY + timedelta(hours=1)
DAY = timedelta(days=1)


@contextmanager
def quietly(_step: str) -> Iterator[Passed]:
    yield lambda _done, _total: None


def content(store: Store) -> dict[str, list[dict[str, Any]]]:
    with store.read() as connection:
        held = filling.held(connection, rows.TABLES)
    held["meta"] = [row for row in held["meta"] if row["name"] != backups.MADE_AT]
    return {name: some for name, some in held.items() if name not in snapshot.LEFT_OUT}


def keep(store: Store, *given: Any) -> None:
    with store.write() as connection:
        reports.add(connection, given)


def some(number: int, **values: Any) -> list[Any]:
    return [report(f"r{i}", i / 60, reporter=f"person{i}", comment=f"words {i}", **values) for i in range(number)]


def backup(store: Store, path: Path, now: datetime = NOW) -> archive.Manifest:
    return backups.backup(store, path, now, quietly)


def restore(path: Path, url: str, now: datetime = NOW, *, over: bool = False) -> backups.Restored:
    return backups.restore(path, url, now, over=over, steps=quietly)


def unpacked(path: Path, folder: Path) -> Path:
    with zipfile.ZipFile(path) as file:
        return Path(file.extract(archive.DATABASE, folder))


def another(folder: Path, kind: str) -> str:
    (folder / "another").mkdir()
    return stores.address(folder / "another", kind, empty=True)


@contextmanager
def failing_at(step: str) -> Iterator[Any]:
    """Give steps of which one is stopped in the middle by Ctrl-C."""

    @contextmanager
    def steps(name: str) -> Iterator[Passed]:
        def passed(_done: int, _total: int) -> None:
            if name == step:
                raise KeyboardInterrupt

        yield passed

    yield steps


def damaged(path: Path) -> None:
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 1
    path.write_bytes(whole)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def a_letter(path: Path) -> None:
    path.write_text("Dear Netzlage")


def gone(path: Path) -> None:
    path.unlink()


def of_another_program(path: Path) -> None:
    path.unlink()
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("manifest.json", "[]")
        file.writestr(archive.DATABASE, "")


def anew(path: Path, **values: Any) -> None:
    """Write the backup again with other values in its manifest."""
    manifest, folder = archive.look(path), path.parent / "anew"
    unpacked(path, folder)
    path.unlink()
    archive.pack(folder / archive.DATABASE, replace(manifest, **values), path, lambda _: None)


def newer(path: Path) -> None:
    anew(path, form=99)


def of_another_count(path: Path) -> None:
    anew(path, rows={**archive.look(path).rows, "reports": 4})


def of_another_sum(path: Path) -> None:
    anew(path, cube=77)


def of_another_checksum(path: Path) -> None:
    anew(path, sha256="0" * 64)


def of_a_newer_schema(path: Path) -> None:
    folder = path.parent / "newer"
    with closing(sqlite3.connect(unpacked(path, folder))) as file, file:
        file.execute("UPDATE alembic_version SET version_num = '9999'")
    manifest = archive.look(path)
    sha256 = archive.digest(folder / archive.DATABASE, lambda _: None)
    path.unlink()
    archive.pack(folder / archive.DATABASE, replace(manifest, schema="9999", sha256=sha256), path, lambda _: None)
