"""What others measured or counted, every version of it. Never counted among the reports. I/O."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, and_, exists, insert, or_, select

from aggregator.model import ALL, Filter, Signal
from aggregator.store.schema import signals
from aggregator.store.select import any_of

NAMES: Final = tuple(field.name for field in fields(Signal))


def add(connection: Connection, given: Sequence[Signal]) -> int:
    """Keep those of `given` that are new or say something else than before, and return how many these are.

    Each needs a received_at (ValueError): it is when this version was known. The last of several with one id counts.
    """
    last = {signal.signal_id: signal for signal in given}
    known = {signal.signal_id: signal for signal in _newest(connection, list(last))}
    new = [signal for signal in last.values() if not _says_the_same(known.get(signal.signal_id), signal)]
    if new:
        connection.execute(insert(signals), [_row(signal) for signal in new])
    return len(new)


def _says_the_same(known: Signal | None, signal: Signal) -> bool:
    """Say whether `signal` brings nothing; a version received no later than the known one is an old one again."""
    if signal.received_at is None:
        raise ValueError(f"signal {signal.signal_id} has no received_at")
    if known is None or known.received_at is None:
        return False
    return known.received_at >= signal.received_at or replace(known, received_at=signal.received_at) == signal


def _newest(connection: Connection, ids: list[str]) -> list[Signal]:
    if not ids:
        return []
    query = select(signals).where(any_of(connection, signals.c.signal_id, ids), _is_newest(None))
    return [_signal(row) for row in connection.execute(query)]


def _is_newest(as_of: datetime | None) -> ColumnElement[bool]:
    """Return the condition that a row is the newest version of its signal, of those received by `as_of`."""
    other = signals.alias()
    later = [other.c.signal_id == signals.c.signal_id, other.c.received_at > signals.c.received_at]
    if as_of is None:
        return ~exists().where(*later)
    return and_(signals.c.received_at <= as_of, ~exists().where(*later, other.c.received_at <= as_of))


def find(connection: Connection, f: Filter) -> list[Signal]:
    """Return the signals that fit `f`, oldest first, each in its newest version.

    provider: those about it and those that name none. region: those of it, of what lies in it or round it, and those of
    the nation. since and until: they touch that time. as_of: what was known then. service: signals have none.
    """
    c = signals.c
    wanted = [_is_newest(f.as_of)]
    if f.provider and f.provider != ALL:
        wanted.append(c.provider.in_((f.provider, "")))
    if f.region:
        wanted.append(or_(c.region.in_(("", f.region, f.region[:2])), c.region.startswith(f.region, autoescape=True)))
    if f.since is not None:
        wanted.append(or_(c.ended_at.is_(None), c.ended_at > f.since))
    if f.until is not None:
        wanted.append(c.started_at < f.until)
    query = select(signals).where(*wanted).order_by(c.started_at, c.signal_id)
    return [_signal(row) for row in connection.execute(query)]


def _row(signal: Signal) -> dict[str, Any]:
    row = {name: getattr(signal, name) for name in NAMES}
    return {**row, "details": json.dumps(dict(signal.details), sort_keys=True, ensure_ascii=False)}


def _signal(row: Row[Any]) -> Signal:
    values = dict(row._mapping)
    return Signal(**{**values, "details": json.loads(values["details"])})
