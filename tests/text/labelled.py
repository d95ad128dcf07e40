"""The labelled sentences, their two parts, and how well a reader does on one of them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from pathlib import Path

from ingest.text import Reader, Reading

FILE = Path(__file__).parent / "labelled.csv"


@dataclass(frozen=True, slots=True)
class Labelled:
    """One sentence and what a person says that it says; columns as in the README."""

    text: str
    posted_at: datetime
    kind: str
    providers: frozenset[str]
    service: str
    region: str
    began_at: datetime | None

    @property
    def kept_apart(self) -> bool:
        """Whether it belongs to the third that is not looked at while tuning."""
        return int.from_bytes(blake2b(self.text.encode(), digest_size=8).digest(), "big") % 3 == 0


def load(*, kept_apart: bool) -> list[Labelled]:
    """One of the two parts."""
    with FILE.open(encoding="utf-8", newline="") as file:
        found = [_labelled(row) for row in csv.DictReader(file)]
    return [item for item in found if item.kept_apart == kept_apart]


def _labelled(row: dict[str, str]) -> Labelled:
    began = row["began_at"]
    return Labelled(
        row["text"],
        datetime.fromisoformat(row["posted_at"]),
        row["kind"],
        frozenset(row["provider"].split()),
        row["service"],
        row["region"],
        datetime.fromisoformat(began) if began else None,
    )


@dataclass(slots=True)
class Score:
    """Counts of one question, and what comes out of them."""

    right: int = 0
    wrong: int = 0  # found, but not so
    missed: int = 0

    def add(self, expected: Iterable[object], found: Iterable[object]) -> None:
        """Count one sentence."""
        expected, found = set(expected), set(found)
        self.right += len(expected & found)
        self.wrong += len(found - expected)
        self.missed += len(expected - found)

    @property
    def precision(self) -> float:
        """How much of what was found is so."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    @property
    def recall(self) -> float:
        """How much of what is so was found."""
        return self.right / (self.right + self.missed) if self.right + self.missed else 1.0


def measure(reader: Reader, items: Sequence[Labelled]) -> dict[str, Score]:
    """Read all and count: report, providers and place of every sentence, of reports also service and time."""
    scores = {name: Score() for name in ("is a report", "provider", "place", "service", "since when")}
    for item in items:
        reading = reader.read(item.text, item.posted_at)
        scores["is a report"].add({1} if item.kind == "report" else (), {1} if reading.is_report else ())
        scores["provider"].add(item.providers, (find.value for find in reading.providers))
        scores["place"].add({item.region} - {""}, {reading.place.region} if reading.place else ())
        if item.kind == "report" and reading.is_report:
            scores["service"].add({item.service} - {""}, {reading.service.value} - {""})
            if item.began_at:
                scores["since when"].add({item.began_at}, _moment(reading))
    return scores


def _moment(reading: Reading) -> set[datetime]:
    return {reading.began_at.replace(second=0, microsecond=0)} if reading.began_at else set()
