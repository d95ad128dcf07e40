"""What a look back has found so far, day by day in files, so that it goes on where it was stopped. I/O."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from aggregator.export.table import iso
from aggregator.history.folder import whole
from aggregator.model import Incident

TIMES: Final = (
    "onset", "onset_earliest", "onset_latest", "first_alarm_at", "updated_at", "ended_at",
)  # fmt: skip
LISTS: Final = ("providers", "regions")


class Steps:
    """A folder with a file a day: the incidents that this day changed, under the sum of all that they hang on.

    A day hangs on its files, on how is looked, and on the day before it: what has changed is done again, and all after.
    """

    def __init__(self, folder: Path, how: str) -> None:
        self._folder = folder
        self._chain = sha256(how.encode()).hexdigest()

    def load(self, day: datetime, files: str) -> dict[str, Incident] | None:
        """Return what the day changed, None if it is to be done. files: the checksums of all that it reads."""
        self._chain = sha256(f"{self._chain} {iso(day)} {files}".encode()).hexdigest()
        try:
            kept = json.loads(self._path(day).read_text("utf-8"))
            if kept["chain"] != self._chain:
                return None
            return {row["incident_id"]: _incident(row) for row in kept["incidents"]}
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def save(self, day: datetime, changed: Mapping[str, Incident]) -> None:
        """Keep what the day of the last `load` changed. Raises StoreError where the folder cannot be written."""
        rows = [asdict(incident) for incident in changed.values()]
        text = json.dumps({"chain": self._chain, "incidents": rows}, default=_plain)
        with whole(self._path(day)) as file:
            file.write(text.encode())

    def _path(self, day: datetime) -> Path:
        return self._folder / f"{day:%Y-%m-%d}.json"


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is no part of an incident")


def _incident(row: Mapping[str, Any]) -> Incident:
    times = {name: row[name] and datetime.fromisoformat(row[name]) for name in TIMES}
    lists = {name: tuple(row[name]) for name in LISTS}
    return Incident(**{**row, **times, **lists})
