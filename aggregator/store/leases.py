"""Leases: each job of the schedule is done by one worker at a time; a number that grows tells who is the last. I/O.

Which time: that of the database, never a worker's. The clocks of two hosts differ, a demonstration's clock runs sixty
times as fast as life or stands still, and a lease is about how long a process may be silent: seconds of life. On
PostgreSQL it is `clock_timestamp()` (`now()` is the time at which the transaction began, maybe long before it got a
lock), on SQLite the clock of the one host on which the file lies. Set back, it would let a dead worker hold its lease
for hours: what runs further into the future than a lease is long counts as run out. All that a wrong clock can do is to
give a job away too early or too late: that nobody writes who has lost it follows from the number alone.

The same row says when a job was begun that was done: so that it is due is judged alike by all workers, and by a worker
that has just started. How far two runs are apart is told in seconds of life as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    and_,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    true,
    type_coerce,
    update,
)

from aggregator.errors import LeaseLost
from aggregator.store.columns import MICROSECOND, UtcTime
from aggregator.store.lease_tables import leases
from aggregator.store.select import upsert

UNIX_EPOCH: Final = 2_440_587.5  # as a Julian day
MICROSECONDS: Final = 86_400_000_000.0  # of a day
ALWAYS: Final = timedelta(0)  # a pace at which a job is due whenever it is asked for


@dataclass(frozen=True, slots=True)
class Lease:
    """That `holder` does the job `name`, with the number that it was given for it."""

    name: str
    holder: str
    token: int


@dataclass(frozen=True, slots=True)
class Holding:
    """How a job stands: who had it last, whether it is still held, when it was begun that was done."""

    name: str
    holder: str
    token: int
    held: bool
    seconds: float  # for which it is still held
    done_at: datetime | None


def acquire(
    connection: Connection, name: str, holder: str, length: timedelta, every: timedelta = ALWAYS
) -> Lease | None:
    """Take the job `name` for `length`, in one statement; None: somebody holds it, or it is not due.

    holder: a name that no other process has. every: due if it was begun so long ago, or never done.
    """
    now, c = _now(connection), leases.c
    new = upsert(connection, leases).values(
        name=name, holder=holder, token=1, held_until=_after(connection, now, length), begun_at=now, done_at=null()
    )
    taken = {"holder": holder, "token": c.token + 1, "held_until": _after(connection, now, length), "begun_at": now}
    statement = new.on_conflict_do_update(
        index_elements=["name"], set_=taken, where=and_(_free(connection, now, length), _due(connection, now, every))
    )
    token = connection.execute(statement.returning(c.token)).scalar_one_or_none()
    return None if token is None else Lease(name, holder, token)


def is_wanted(connection: Connection, name: str, length: timedelta, every: timedelta) -> bool:
    """Say whether `acquire` would give the job now: reads only, for those who ask often and are refused mostly."""
    now = _now(connection)
    open_now = and_(_free(connection, now, length), _due(connection, now, every))
    found = connection.execute(select(open_now).where(leases.c.name == name)).scalar_one_or_none()
    return True if found is None else bool(found)


def renew(connection: Connection, lease: Lease, length: timedelta) -> bool:
    """Hold the job for `length` from now; False: somebody else has it."""
    until = _after(connection, _now(connection), length)
    return connection.execute(update(leases).where(*_of(lease)).values(held_until=until)).rowcount == 1


def release(connection: Connection, lease: Lease, *, done: bool) -> bool:
    """Give the job back; done: it is due again its pace after it was begun. False: somebody else has it."""
    values: dict[str, Any] = {"held_until": _now(connection)} | ({"done_at": leases.c.begun_at} if done else {})
    return connection.execute(update(leases).where(*_of(lease)).values(values)).rowcount == 1


def check(connection: Connection, lease: Lease) -> None:
    """Raise LeaseLost unless `lease` is the last of its job; nobody can take the job before this transaction ends.

    On PostgreSQL the row is locked for that; on SQLite nobody else writes meanwhile.
    """
    query = select(leases.c.token).where(*_of(lease)).with_for_update(read=True)
    if connection.execute(query).scalar_one_or_none() is None:
        raise LeaseLost(f"Another worker has taken over {lease.name}; what this one had in hand was not stored.")


def holding(connection: Connection, name: str) -> Holding | None:
    """Return how a job stands; None: nobody has ever done it."""
    found = [one for one in all_of(connection) if one.name == name]
    return found[0] if found else None


def all_of(connection: Connection) -> list[Holding]:
    """Return how every job stands, by name."""
    c, now = leases.c, _now(connection)
    micro = connection.dialect.name == "sqlite"
    ends, present = (type_coerce(c.held_until, BigInteger), now) if micro else (c.held_until, now)
    rows = connection.execute(select(c.name, c.holder, c.token, ends, present, c.done_at).order_by(c.name))
    found = []
    for name, holder, token, until, moment, done_at in rows:
        left = ((until - moment) * MICROSECOND if micro else until - moment).total_seconds()
        found.append(Holding(name, holder, token, left > 0, max(0.0, left), done_at and done_at.astimezone(UTC)))
    return found


def _of(lease: Lease) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions that the row is still that of `lease`; the holder too: a restored database begins anew."""
    return leases.c.name == lease.name, leases.c.token == lease.token, leases.c.holder == lease.holder


def _free(connection: Connection, now: ColumnElement[Any], length: timedelta) -> ColumnElement[bool]:
    until = _raw(connection, leases.c.held_until)
    return or_(until <= now, until > _after(connection, now, 2 * length))


def _due(connection: Connection, now: ColumnElement[Any], every: timedelta) -> ColumnElement[bool]:
    """Return the condition that a job of this pace is due; one that was done in the future was so by a wrong clock."""
    done = _raw(connection, leases.c.done_at)
    if every <= ALWAYS:
        return true()
    return or_(leases.c.done_at.is_(None), done <= _after(connection, now, -every), done > now)


def _now(connection: Connection) -> ColumnElement[Any]:
    if connection.dialect.name == "postgresql":
        return func.clock_timestamp(type_=UtcTime)
    return cast((func.julianday("now") - UNIX_EPOCH) * MICROSECONDS, BigInteger)


def _after(connection: Connection, moment: ColumnElement[Any], length: timedelta) -> ColumnElement[Any]:
    if connection.dialect.name == "postgresql":
        return moment.op("+")(literal(length))
    return moment + length // MICROSECOND


def _raw(connection: Connection, column: ColumnElement[Any]) -> ColumnElement[Any]:
    return column if connection.dialect.name == "postgresql" else type_coerce(column, BigInteger)
