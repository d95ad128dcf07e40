"""Comments of reports where they are published: which may be seen, who complained, what was hidden. I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, delete, func, or_, select, update

from aggregator.model import Filter
from aggregator.store.forgetting import NUMBER
from aggregator.store.privacy_tables import comment_marks
from aggregator.store.schema import comments, reports
from aggregator.store.select import any_of, conditions, upsert

OWN_DOORS: Final = ("form", "api")  # what others wrote elsewhere is not ours to publish
ENOUGH: Final = 3  # complaints hide a comment until somebody has looked at it


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment and what became of it."""

    report_id: str
    observed_at: datetime
    provider: str
    service: str
    region: str
    comment: str
    complaints: int
    reason: str  # of the last complaint
    hidden_at: datetime | None

    @property
    def shown(self) -> bool:
        """Say whether readers may see it, where comments are published at all."""
        return self.hidden_at is None and self.complaints < ENOUGH


def find(connection: Connection, *, only: str = "", limit: int | None = None) -> list[Remark]:
    """Return the comments that came through our own doors, newest first. only: "hidden" or "complained"."""
    wanted: dict[str, list[ColumnElement[bool]]] = {
        "hidden": [~_seen()],
        "complained": [comment_marks.c.complaints > 0],
    }
    return _remarks(connection, _query().where(*wanted.get(only, [])).limit(limit))


def public(connection: Connection, f: Filter, regions: Sequence[str] | None, limit: int) -> list[Remark]:
    """Return the newest comments that readers may see of counted reports that fit `f` in `regions` (None: all).

    Of a text that comes again and again only the newest.
    """
    where = [reports.c.counted, _seen(), *conditions(reports, f, "observed_at", "received_at")]
    if regions is not None:
        where.append(any_of(connection, reports.c.region, sorted(regions)))
    found = _remarks(connection, _query().where(*where).limit(limit))
    newest: dict[str, Remark] = {}
    for remark in found:
        newest.setdefault(remark.comment, remark)
    return list(newest.values())


def hide(connection: Connection, report_id: str, at: datetime) -> bool:
    """Hide a comment; False: there is none of that id."""
    if not _there(connection, report_id):
        return False
    _mark(connection, report_id)
    connection.execute(update(comment_marks).where(comment_marks.c.report_id == report_id).values(hidden_at=at))
    return True


def show(connection: Connection, report_id: str) -> bool:
    """Show a comment again and put the complaints about it aside; False: there is none of that id."""
    connection.execute(delete(comment_marks).where(comment_marks.c.report_id == report_id))
    return _there(connection, report_id)


def complain(connection: Connection, report_id: str, reason: str, at: datetime) -> bool:
    """Note a complaint about a comment; False: there is none of that id."""
    if not _there(connection, report_id):
        return False
    _mark(connection, report_id)
    c = comment_marks.c
    said = {"complaints": c.complaints + 1, "reason": reason, "complained_at": at}
    connection.execute(update(comment_marks).where(c.report_id == report_id).values(**said))
    return True


def _there(connection: Connection, report_id: str) -> bool:
    return connection.execute(select(comments.c.report_id).where(comments.c.report_id == report_id)).first() is not None


def _mark(connection: Connection, report_id: str) -> None:
    fresh = {"report_id": report_id, "complaints": 0, "complained_at": None, "reason": "", "hidden_at": None}
    connection.execute(upsert(connection, comment_marks).on_conflict_do_nothing(), fresh)


def _seen() -> ColumnElement[bool]:
    c = comment_marks.c
    return or_(c.report_id.is_(None), c.hidden_at.is_(None) & (c.complaints < ENOUGH))


def _query() -> Select[Any]:
    r, m = reports.c, comment_marks.c
    query = select(
        r.report_id, r.observed_at, r.provider, r.service, r.region, comments.c.comment,
        func.coalesce(m.complaints, 0).label("complaints"), func.coalesce(m.reason, "").label("reason"), m.hidden_at,
    )  # fmt: skip
    query = query.select_from(reports).join(comments, comments.c.report_id == r.report_id)
    query = query.outerjoin(comment_marks, m.report_id == r.report_id)
    left = ~comments.c.comment.startswith(NUMBER)
    return query.where(left, r.source.in_(OWN_DOORS), r.gone_at.is_(None)).order_by(r.observed_at.desc(), r.report_id)


def _remarks(connection: Connection, query: Select[Any]) -> list[Remark]:
    return [Remark(*row) for row in connection.execute(query)]
