"""A row of our own CSV of reports -> the same report again: its id, its source, whether it counts. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final, cast, get_args

from aggregator.export.columns import REPORTS
from aggregator.export.guard import unguarded
from aggregator.model import PlaceSource, RawReport, Rejected, Report
from aggregator.normalise import LONGEST, NotAReport, moment

OURS: Final = frozenset({"report_id", "source", "place_source", "counted"})  # what no other file has all of
COUNTED: Final = {"true": True, "false": False, "wahr": True, "falsch": False}
ID: Final = re.compile(r"[\w.-]{1,64}", re.ASCII)
SOURCE: Final = re.compile(r"[^\s\x00-\x1f]{1,120}")


@dataclass(frozen=True, slots=True)
class Exported:
    """A row as it was given out: what is resolved again, and what stays as it is."""

    raw: RawReport
    report_id: str
    source: str
    symptom: str
    place_source: PlaceSource
    counted: bool
    ended_at: str


def is_export(names: Collection[str]) -> bool:
    """Say whether a table with these columns is an export of reports."""
    return OURS.issubset(names)


def reader(names: Sequence[str]) -> Callable[[Sequence[str], str], Exported | Rejected]:
    """Return what turns a row (and where it stands) of a file with the columns `names` into an Exported."""
    known = {column.name for column in REPORTS}
    wanted = [(name, index) for index, name in enumerate(names) if name in known]

    def read(row: Sequence[str], where: str) -> Exported | Rejected:
        return _read({name: unguarded(row[index]) for name, index in wanted}, where)

    return read


def _read(row: dict[str, str], where: str) -> Exported | Rejected:
    fields = {"report_id": ID.fullmatch(row["report_id"]), "source": SOURCE.fullmatch(row["source"]),
              "place_source": row["place_source"] in get_args(PlaceSource),
              "counted": row["counted"].strip().lower() in COUNTED}  # fmt: skip
    for name, good in fields.items():
        if not good:
            said = f"{name} {row[name][:40]!r} is not as an export writes it; take the file as it was given out."
            return Rejected("bad_field", said, name, where)
    raw = RawReport(
        "import", row.get("provider", ""), row.get("service", ""), key=row["report_id"], region=row.get("region", ""),
        observed_at=row.get("observed_at"), began_at=row.get("began_at"), received_at=row.get("received_at"),
        open_provider=True, where=where,
    )  # fmt: skip
    place, counted = cast(PlaceSource, row["place_source"]), COUNTED[row["counted"].strip().lower()]
    symptom = row.get("symptom", "")[:LONGEST]
    return Exported(raw, row["report_id"], row["source"], symptom, place, counted, row.get("ended_at", ""))


def as_report(item: Exported, resolve: Callable[[RawReport], Report | Rejected]) -> Report | Rejected:
    """Return the report again, checked by `resolve` as any other; or why it is none."""
    found = resolve(item.raw)
    if isinstance(found, Rejected):
        return found
    try:
        ended_at = moment(item.ended_at, "ended_at")
    except NotAReport as error:
        return Rejected(error.reason, error.detail, error.field, item.raw.where)
    return replace(
        found, report_id=item.report_id, source=item.source, symptom=item.symptom, place_source=item.place_source,
        counted=item.counted, ended_at=ended_at,
    )  # fmt: skip
