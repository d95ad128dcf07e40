"""A folder of day files: its list with sizes and checksums; no file is seen before it is whole. I/O.

Who counts or reads day files in a process of its own needs this and no store.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Final

from aggregator.clock import BERLIN
from aggregator.errors import StoreError

INDEX: Final = "index.json"


@dataclass(frozen=True, slots=True)
class DayFile:
    """A ready file: what of which German day, its name in the folder, its size, its checksum.

    state: of the store when it was written.
    """

    name: str
    table: str
    kind: str
    day: str
    size: int
    sha256: str
    state: str


def bounds(day: date) -> tuple[datetime, datetime]:
    """Return the beginning and the end of a German day."""
    start, end = (datetime(one.year, one.month, one.day, tzinfo=BERLIN) for one in (day, day + timedelta(days=1)))
    return start, end


def known(folder: Path) -> dict[str, DayFile]:
    """Return the files of `folder` by name, the newest day first; an index that cannot be read is none."""
    try:
        rows = json.loads((folder / INDEX).read_text("utf-8"))
        return {row["name"]: DayFile(**row) for row in rows}
    except (OSError, ValueError, TypeError, KeyError):
        return {}


def described(file: BinaryIO, about: DayFile) -> DayFile:
    """Return `about` with the size and the checksum of an open file."""
    file.seek(0)
    digest = sha256()
    while piece := file.read(1 << 20):
        digest.update(piece)
    return replace(about, size=file.tell(), sha256=digest.hexdigest())


def keep_index(folder: Path, files: Mapping[str, DayFile]) -> None:
    """Write the list of the files of `folder`, the newest day first."""
    rows = sorted(files.values(), key=lambda file: (file.day, file.table, file.kind), reverse=True)
    with whole(folder / INDEX) as file:
        file.write(json.dumps([asdict(row) for row in rows], indent=0).encode())


@contextmanager
def whole(path: Path) -> Iterator[BinaryIO]:
    """Open a file that gets its name when all is written, so that nobody reads half of it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".")
        try:
            with os.fdopen(handle, "w+b") as file:
                yield file
            os.chmod(draft, 0o644)
            os.replace(draft, path)
        except BaseException:
            os.unlink(draft)
            raise
    except OSError as error:
        raise StoreError(f"{path} cannot be written ({error.strerror}); make room or mend its rights.") from None
