"""A store kept in one file and put back from it. Joins the rooms of the store with the periods of retention. I/O.

What a backup holds: everything the store holds at that moment but the keys that persons are hashed with, when reporters
were counted and who was asked to confirm a subscription (store/copying/snapshot.py); of what is written into files,
nothing: day files and Parquet are made again from the store, the secret key is a file of its own. It outlives the
periods after which the store forgets; so old backups are to be deleted, and a restore forgets before anybody can read.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from aggregator.errors import DataError, StoreError
from aggregator.retention import Forgotten, forget
from aggregator.store import Store, checkup, meta, open_store
from aggregator.store.copying import archive, putback, rows, snapshot
from aggregator.store.copying.archive import Manifest
from aggregator.store.migrate import revisions

MADE_AT: Final = "backup_made_at"  # in `meta`
Steps = Callable[[str], AbstractContextManager[rows.Passed]]  # what is being done -> hears how much of how much


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back. rows: of each table; cube and counted: sum of the counts, and the reports that count."""

    manifest: Manifest
    forgotten: Forgotten
    rows: dict[str, int]
    cube: int
    counted: int
    former: Path | None = None  # the database that was there before


def backup(store: Store, path: Path, now: datetime, steps: Steps) -> Manifest:
    """Write what `store` holds now to the file `path`, which is there when it is whole, not before.

    Raises DataError when the file cannot be written, StoreError.
    """
    try:
        with _folder_beside(path, "part") as folder:
            manifest = _make(store, folder, now, steps)
            os.replace(folder / "backup", path)
    except OSError as error:
        raise DataError(f"{path} cannot be written ({error.strerror}); name another file.") from None
    except sqlite3.Error as error:
        raise DataError(f"{path} cannot be written ({error}); make room there or name another file.") from None
    with store.write() as connection:
        meta.put(connection, MADE_AT, manifest.made_at)
    return manifest


def _make(store: Store, folder: Path, now: datetime, steps: Steps) -> Manifest:
    copy = folder / archive.DATABASE
    with steps("copy") as passed:
        snapshot.take(store, copy, passed)
    size = copy.stat().st_size
    with steps("checksum") as passed:
        sha256 = archive.digest(copy, _adding(passed, size))
    counts, (cube, counted) = snapshot.tables(copy), snapshot.sums(copy)
    schema, _ = revisions(store.read, store.name)
    made_at = now.astimezone(UTC).isoformat(timespec="seconds")
    manifest = Manifest(made_at, version("netzlage"), str(schema), counts, cube, counted, size, sha256)
    with steps("pack") as passed:
        archive.pack(copy, manifest, folder / "backup", _adding(passed, size))
    return manifest


def _adding(passed: rows.Passed, total: int) -> archive.Moved:
    done = 0

    def moved(more: int) -> None:
        nonlocal done
        done += more
        passed(done, total)

    return moved


@contextmanager
def _folder_beside(path: Path, what: str) -> Iterator[Path]:
    """Give an empty folder in the folder of `path`, gone at the end; one that a kill has left behind goes first."""
    folder = path.parent / f".{path.name}.{what}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def last_made(url: str) -> datetime | None:
    """Return when the last backup of the database at `url` was made; None: never, or it cannot be asked."""
    made_at = checkup.noted(url, MADE_AT)
    return datetime.fromisoformat(made_at) if made_at else None


def restore(path: Path, url: str, now: datetime, *, over: bool, steps: Steps) -> Restored:
    """Put the backup in `path` into the database at `url`; what should have been forgotten since then is, before.

    over: it may take the place of data. Raises DataError for a file that is none of ours, damaged or newer than we are,
    StoreError when the database holds data or is in use. Whatever stops it: the former state stays until the new one
    is whole.
    """
    manifest = archive.look(path)
    putback.check_place(url, over=over)
    target = checkup.file_of(url)
    beside = (target or path).absolute()
    try:
        with _folder_beside(beside, "restore") as folder:
            copy = folder / archive.DATABASE
            with steps("unpack") as passed:
                archive.unpack(path, manifest, copy, _adding(passed, manifest.size))
            _check(path, copy, manifest)
            found = _prepare(copy, manifest, now)
            if target is not None:
                return replace(found, former=putback.into_file(copy, target.absolute(), now, keep=over))
            with steps("put back") as passed:
                putback.into_server(copy, url, passed)
            return found
    except OSError as error:
        raise StoreError(f"Nothing can be unpacked beside {beside} ({error.strerror}); make room there.") from None
    except sqlite3.Error as error:
        raise StoreError(f"Nothing can be unpacked beside {beside} ({error}); make room there.") from None


def _check(path: Path, copy: Path, manifest: Manifest) -> None:
    try:
        found = snapshot.tables(copy), *snapshot.sums(copy)
    except sqlite3.DatabaseError as error:
        raise DataError(f"The database in {path} is damaged ({error}); take another backup.") from None
    if found != (dict(manifest.rows), manifest.cube, manifest.counted):
        raise DataError(f"The database in {path} does not hold what its manifest says; take another backup.")


def _prepare(copy: Path, manifest: Manifest, now: datetime) -> Restored:
    """Bring the copy to the present schema, forget what is due, and count what is left."""
    store = open_store(f"sqlite:///{copy}")
    try:
        forgotten = forget(store, now)
        with store.write() as connection:
            meta.put(connection, MADE_AT, manifest.made_at)
            counts, (cube, counted) = rows.counts(connection), rows.sums(connection)
    finally:
        store.close()
    if (cube, counted) != (manifest.cube, manifest.counted):
        raise DataError(f"After forgetting, the cube has {cube} reports and {counted} count; this should not happen.")
    snapshot.strip(copy)
    return Restored(manifest, forgotten, counts, cube, counted)
