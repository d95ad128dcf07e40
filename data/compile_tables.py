"""Rows -> a CSV file of data/: the last step of the compile scripts. I/O."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

DATA = Path(__file__).parent


def write(name: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """One CSV file, UTF-8, line feeds, and a word about it."""
    path = DATA / name
    path.parent.mkdir(exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
    print(f"{name}: {path.stat().st_size:,} bytes")
