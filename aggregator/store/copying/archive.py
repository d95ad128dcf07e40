"""The file of a backup: a ZIP of one SQLite database and a manifest that says what must be in it. I/O."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Final

from aggregator.errors import DataError

FORM: Final = 1  # of the file; raised when an older Netzlage could not read it
DATABASE: Final = "netzlage.sqlite"
MANIFEST: Final = "manifest.json"
PIECE: Final = 1 << 20
LEVEL: Final = 1  # of deflate: half the size at the pace of the disk; more costs five times the time for a tenth

Moved = Callable[[int], object]  # hears how many bytes more are done


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself. rows: of each table; cube and counted: sum of the counts, and what it should be."""

    made_at: str
    netzlage: str
    schema: str
    rows: Mapping[str, int]
    cube: int
    counted: int
    size: int
    sha256: str
    form: int = FORM

    @property
    def when(self) -> datetime:
        """When it was made."""
        return datetime.fromisoformat(self.made_at)


def digest(path: Path, moved: Moved) -> str:
    """Return the SHA-256 of a file."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            found.update(piece)
            moved(len(piece))
    return found.hexdigest()


def pack(database: Path, manifest: Manifest, path: Path, moved: Moved) -> None:
    """Write the file; it is on the disk when this returns. Only its owner can read it."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as out:
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as archive:
            archive.writestr(MANIFEST, json.dumps(asdict(manifest), indent=1))
            with database.open("rb") as file, archive.open(DATABASE, "w", force_zip64=True) as entry:
                _copy(file, entry, moved)
        out.flush()
        os.fsync(out.fileno())


def _copy(source: IO[bytes], target: IO[bytes], moved: Moved) -> None:
    while piece := source.read(PIECE):
        target.write(piece)
        moved(len(piece))


def look(path: Path) -> Manifest:
    """Return what the file says of itself. Raises DataError: it is none of ours, or not whole."""
    try:
        with zipfile.ZipFile(path) as archive:
            said = json.loads(archive.read(MANIFEST))
            archive.getinfo(DATABASE)
    except OSError as error:
        raise DataError(f"The backup {path} cannot be read ({error.strerror}); check its name and rights.") from None
    except (zipfile.BadZipFile, KeyError, ValueError, zlib.error):
        raise DataError(f"{path} is not a whole backup of Netzlage; take another one.") from None
    if not isinstance(said, dict) or not isinstance(said.get("form"), int):
        raise DataError(f"{path} is not a backup of Netzlage; take another one.")
    if said["form"] > FORM:
        raise DataError(f"The backup {path} was made by a newer Netzlage ({said.get('netzlage')}); update Netzlage.")
    try:
        return Manifest(**said)
    except TypeError:
        raise DataError(f"The manifest of {path} is not one of Netzlage; take another backup.") from None


def unpack(path: Path, manifest: Manifest, database: Path, moved: Moved) -> None:
    """Write the database to the new file `database`. Raises DataError when it is not what the manifest says."""
    found = hashlib.sha256()
    try:
        with zipfile.ZipFile(path) as archive, archive.open(DATABASE) as entry, database.open("xb") as out:
            while piece := entry.read(PIECE):
                found.update(piece)
                out.write(piece)
                moved(len(piece))
            out.flush()
            os.fsync(out.fileno())
    except (zipfile.BadZipFile, zlib.error, EOFError):
        raise DataError(f"The backup {path} is damaged; take another one.") from None
    if found.hexdigest() != manifest.sha256:
        raise DataError(f"The backup {path} is damaged: its checksum is another; take another one.")
