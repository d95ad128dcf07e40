"""What a feed says of an item later: edited, deleted, under another number. The earlier state stays for as_of. I/O."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, select, update

from aggregator.model import Report
from aggregator.store import cube, turns
from aggregator.store.feed_tables import versions
from aggregator.store.schema import reporters, reports
from aggregator.store.select import any_of, not_before, upsert

KEPT: Final = timedelta(days=60)  # since an item was reported: what is edited later stays as it was


@dataclass(frozen=True, slots=True)
class Version:
    """An item as it is stored: under which id, with which content, the how manyth of its versions."""

    report_id: str  # of its source's key
    current_id: str
    observed_at: datetime
    number: int
    print: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """What of a payload is known already, and how it has changed; ids are those of the source's keys."""

    prints: Mapping[str, str] = field(default_factory=dict)  # id -> content, of the whole payload
    known: Mapping[str, Version] = field(default_factory=dict)
    renamed: Mapping[str, Version] = field(default_factory=dict)  # new id -> what vanished with its old one


def compare(connection: Connection, prints: Mapping[str, str]) -> Ledger:
    """Compare a whole payload (id -> print of its content) with what is stored.

    An unknown id whose content is stored under an id that is not in the payload any more is the same item: it got
    another number. Of several such each stands for one.
    """
    if not prints:
        return Ledger()
    c = versions.c
    known = {v.report_id: v for v in _select(connection, any_of(connection, c.report_id, sorted(prints)))}
    fresh: dict[str, list[str]] = defaultdict(list)
    for report_id, content in prints.items():
        if report_id not in known:
            fresh[content].append(report_id)
    vanished: dict[str, list[Version]] = defaultdict(list)
    if fresh:
        for version in _select(connection, any_of(connection, c.print, sorted(fresh))):
            if version.report_id not in prints:
                vanished[version.print].append(version)
    pairs = (zip(ids, vanished[content], strict=False) for content, ids in fresh.items() if content in vanished)
    return Ledger(prints, known, {new: old for pair in pairs for new, old in pair})


def _select(connection: Connection, wanted: Any) -> list[Version]:
    c = versions.c
    query = select(c.report_id, c.current_id, c.observed_at, c.number, c.print).where(wanted).order_by(c.report_id)
    return [Version(*row) for row in connection.execute(query)]


def revise(connection: Connection, arrived: Sequence[Report], ledger: Ledger, now: datetime) -> list[Report]:
    """Return the reports under the ids that they are or will be stored under, and take back what was edited.

    To be called in the transaction that adds them, before it does.
    """
    out, rows = [], []
    for report in arrived:
        content = ledger.prints.get(report.report_id)
        if content is None:
            out.append(report)
            continue
        version = _version(report, content, ledger)
        old = ledger.known.get(report.report_id)
        if old is not None and version.number > old.number:
            _take_back(connection, [old], now)
        out.append(replace(report, report_id=version.current_id))
        if version != old:
            rows.append(version)
    _keep(connection, rows, [v.report_id for new, v in ledger.renamed.items() if new in {r.report_id for r in rows}])
    return out


def _version(report: Report, content: str, ledger: Ledger) -> Version:
    """Return the version that a report is: known, renamed, edited or the first."""
    report_id = report.report_id
    if report_id in ledger.renamed:
        return replace(ledger.renamed[report_id], report_id=report_id)
    old = ledger.known.get(report_id)
    if old is None:
        return Version(report_id, report_id, report.observed_at, 1, content)
    if old.print == content:
        return old
    return Version(report_id, f"{report_id}-{old.number + 1}", report.observed_at, old.number + 1, content)


def _keep(connection: Connection, rows: Iterable[Version], gone: Sequence[str]) -> None:
    if gone:
        connection.execute(delete(versions).where(any_of(connection, versions.c.report_id, sorted(gone))))
    values = {row.report_id: {c.name: getattr(row, c.name) for c in versions.c} for row in rows}
    if values:
        new = upsert(connection, versions)
        told = {c.name: new.excluded[c.name] for c in versions.c if not c.primary_key}
        change = new.on_conflict_do_update(index_elements=["report_id"], set_=told)
        connection.execute(change, list(values.values()))


def withdraw(connection: Connection, ids: Sequence[str], now: datetime) -> int:
    """Take back the items that their source has deleted and return how many of them were stored."""
    found = _select(connection, any_of(connection, versions.c.report_id, sorted(ids))) if ids else []
    return _take_back(connection, found, now)


def _take_back(connection: Connection, old: Sequence[Version], now: datetime) -> int:
    """Let reports be gone since `now`: out of the cube, their reporters free again; as_of before that shows them."""
    if old:
        turns.take_all(connection)
    taken = 0
    for version in old:
        c = reports.c
        known = not_before(reports, version.observed_at)
        at = (c.observed_at == version.observed_at, c.report_id == version.current_id, known)
        row = connection.execute(select(reports).where(*at, c.gone_at.is_(None))).one_or_none()
        if row is None:
            continue
        taken += 1
        connection.execute(update(reports).where(*at).values(gone_at=now))
        if row.counted:
            cube.take_out(connection, row.region, row.observed_at, (row.provider, row.service, row.source))
            _free(connection, row)
    return taken


def _free(connection: Connection, row: Row[Any]) -> None:
    c = reporters.c
    who = (c.reporter == row.reporter, c.provider == row.provider, c.service == row.service)
    if row.reporter:
        connection.execute(delete(reporters).where(*who, c.observed_at == row.observed_at))


def forget(connection: Connection, now: datetime) -> int:
    """Delete what is known of items older than 60 days and return how many these were."""
    return connection.execute(delete(versions).where(versions.c.observed_at < now - KEPT)).rowcount
