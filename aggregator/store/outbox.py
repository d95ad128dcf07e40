"""The outbox: changes to tell, written with the transition; each change to each subscriber once; claims that end. I/O.

A delivery is claimed for a while, sent outside any transaction, and marked by who holds the claim. A worker that dies
loses its claims when they run out. Between sending and marking nobody can know; then it is sent again, under the same
message id.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from aggregator.model import Incident, Transition
from aggregator.notices import Attempt, Change, ChangeKind, Delivery, Status, Subscription
from aggregator.store.alert_tables import changes, deliveries, delivery_attempts, subscriptions
from aggregator.store.schema import transitions as transitions_table
from aggregator.store.select import upsert

TRIES: Final = 8
KEPT: Final = timedelta(days=30)  # of what was told, and of the log
COLUMNS: Final = tuple(subscriptions.c[field.name] for field in fields(Subscription))
CHANGE: Final = tuple(changes.c[field.name] for field in fields(Change))
KEY: Final = tuple_(deliveries.c.change_id, deliveries.c.subscription_id)


def change_id(incident_id: str, at: datetime, kind: str) -> str:
    """Return the id of a change: the same whoever finds it, so that two workers that find it write it once."""
    return blake2b(f"{incident_id}\x1f{at.isoformat()}\x1f{kind}".encode(), digest_size=10).hexdigest()


def put(connection: Connection, given: Iterable[Transition]) -> None:
    """Note the changes of state to be told. To be called before they are added, in the same transaction.

    One that leads where the incident is already (another worker was first, at an earlier look) is no change.
    """
    for transition in given:
        if _state(connection, transition.incident_id) != transition.state:
            note(connection, transition.incident_id, transition.at, transition.state)


def _state(connection: Connection, incident_id: str) -> str | None:
    c = transitions_table.c
    query = select(c.state).where(c.incident_id == incident_id).order_by(c.at.desc(), c.id.desc()).limit(1)
    return connection.execute(query).scalar()


def note(connection: Connection, incident_id: str, at: datetime, kind: ChangeKind) -> None:
    """Note one change to be told; the same again changes nothing."""
    row = {"change_id": change_id(incident_id, at, kind), "incident_id": incident_id, "at": at, "kind": kind}
    connection.execute(upsert(connection, changes).on_conflict_do_nothing(), {**row, "spread_at": None})


def unspread(connection: Connection, limit: int) -> list[Change]:
    """Return the oldest changes whose deliveries are not written yet."""
    query = select(*CHANGE).where(changes.c.spread_at.is_(None)).order_by(changes.c.at, changes.c.change_id)
    return [Change(**row._mapping) for row in connection.execute(query.limit(limit))]


def spread(connection: Connection, change: Change, incident: Incident | None, now: datetime) -> int:
    """Write a delivery for each subscriber who is to be told of a change; return how many are new.

    incident: as it was then; None: too late to tell, or gone. A change is spread once, whoever is first. Of the
    subscribers of a district all are told what is nationwide: it may be theirs too.
    """
    mine = update(changes).where(changes.c.change_id == change.change_id, changes.c.spread_at.is_(None))
    if connection.execute(mine.values(spread_at=now)).rowcount != 1 or incident is None:
        return 0
    c = subscriptions.c
    known: list[ColumnElement[bool]] = [
        c.confirmed_at.is_not(None),
        c.ended_at.is_(None),
        c.provider.in_(["", *incident.providers]),
    ]
    if incident.regions:
        lands = {region[:2] for region in incident.regions}
        known.append(c.region.in_(["", *sorted(lands), *incident.regions]))
    if not was_strong(connection, change.incident_id, change.at):
        known.append(c.threshold == "suspected")
    row = [literal(change.change_id), c.subscription_id, literal(now, deliveries.c.queued_at.type), literal("waiting")]
    row += [literal(0), literal(now, deliveries.c.next_at.type), literal("")]
    names = ["change_id", "subscription_id", "queued_at", "status", "attempts", "next_at", "claimed_by"]
    return _add(connection, upsert(connection, deliveries).from_select(names, select(*row).where(*known)))


def _add(connection: Connection, statement: sqlite.Insert | postgresql.Insert) -> int:
    new = statement.on_conflict_do_nothing().execution_options(preserve_rowcount=True)
    return connection.execute(new).rowcount


def was_strong(connection: Connection, incident_id: str, at: datetime) -> bool:
    """Say whether an incident had been strong by `at`: from then on it is told to everybody."""
    c = transitions_table.c
    known = (c.incident_id == incident_id, c.state == "strong", c.at <= at)
    return bool(connection.execute(select(exists().where(*known))).scalar())


def queue(connection: Connection, subscription_id: str, message: str, now: datetime) -> None:
    """Write the delivery of a message that is about no incident (CONFIRMATION, TEST)."""
    row = {"change_id": message, "subscription_id": subscription_id, "queued_at": now, "next_at": now}
    rest = {"status": "waiting", "attempts": 0, "claimed_by": "", "claimed_until": None, "done_at": None}
    connection.execute(upsert(connection, deliveries).on_conflict_do_nothing(), {**row, **rest})


def has_work(connection: Connection, now: datetime) -> bool:
    """Say whether anything is to be spread or sent now; reads only."""
    if connection.execute(select(exists().where(changes.c.spread_at.is_(None)))).scalar():
        return True
    return bool(connection.execute(select(exists().where(*_due(now)))).scalar())


def _due(now: datetime) -> tuple[Any, ...]:
    c = deliveries.c
    return c.status == "waiting", c.next_at <= now, or_(c.claimed_until.is_(None), c.claimed_until <= now)


def claim(connection: Connection, worker: str, now: datetime, lease: timedelta, limit: int) -> list[Delivery]:
    """Take up to `limit` deliveries that are due, the longest waiting first, for `lease`; nobody else gets them then.

    worker: a name that no other worker has. A claim is an attempt: what makes a worker die is not tried for ever.
    """
    c = deliveries.c
    ended = (*_due(now), c.attempts >= TRIES)
    connection.execute(update(deliveries).where(*ended).values(status="given_up", done_at=now, claimed_until=None))
    due = select(c.change_id, c.subscription_id).where(*_due(now)).order_by(c.next_at, c.queued_at, c.change_id)
    due = due.limit(limit).with_for_update(skip_locked=True)
    taken = update(deliveries).where(KEY.in_(due)).values(
        claimed_by=worker, claimed_until=now + lease, attempts=c.attempts + 1
    )  # fmt: skip
    keys = [tuple(row) for row in connection.execute(taken.returning(c.change_id, c.subscription_id))]
    return _claimed(connection, keys)


def _claimed(connection: Connection, keys: Sequence[tuple[str, str]]) -> list[Delivery]:
    c = deliveries.c
    joined = deliveries.join(subscriptions).outerjoin(changes, changes.c.change_id == c.change_id)
    names = [column.label(f"s_{column.name}") for column in COLUMNS] + [
        column.label(f"c_{column.name}") for column in CHANGE
    ]
    query = (
        select(c.change_id, c.queued_at, c.attempts, c.claimed_until, *names).select_from(joined).where(KEY.in_(keys))
    )
    order = (func.coalesce(changes.c.at, c.queued_at), c.change_id)
    return [_delivery(row) for row in connection.execute(query.order_by(*order))] if keys else []


def _delivery(row: Row[Any]) -> Delivery:
    values = row._mapping
    whose = Subscription(**{field.name: values[f"s_{field.name}"] for field in fields(Subscription)})
    change = Change(**{field.name: values[f"c_{field.name}"] for field in fields(Change)})
    told = change if values["c_change_id"] else None
    return Delivery(whose, row.change_id, told, row.queued_at, row.attempts, row.claimed_until)


@dataclass(frozen=True, slots=True)
class Mark:
    """What becomes of a delivery: done with it, or to be tried again at `next_at`. tried False: it was not sent."""

    status: Status
    at: datetime
    next_at: datetime | None = None
    tried: bool = True


def mark(connection: Connection, delivery: Delivery, worker: str, found: Mark) -> bool:
    """Write down what became of a delivery and let it go; False: the claim had run out and somebody else has it."""
    c = deliveries.c
    mine = (c.change_id == delivery.change_id, c.subscription_id == delivery.subscription.subscription_id)
    values: dict[str, Any] = {"claimed_by": "", "claimed_until": None, "status": found.status}
    if found.status == "waiting":
        values |= {"next_at": found.next_at or found.at, "attempts": c.attempts - (0 if found.tried else 1)}
    else:
        values["done_at"] = found.at
    held = update(deliveries).where(*mine, c.claimed_by == worker, c.status == "waiting").values(**values)
    return connection.execute(held).rowcount == 1


def log(connection: Connection, attempt: Attempt) -> None:
    """Add a line to the delivery log."""
    row = {field.name: getattr(attempt, field.name) for field in fields(Attempt)}
    connection.execute(insert(delivery_attempts), row)


def attempts(connection: Connection, subscription_id: str, limit: int) -> list[Attempt]:
    """Return the last lines of the log of a subscription ("" = of all), newest first."""
    c = delivery_attempts.c
    query = select(*(c[field.name] for field in fields(Attempt))).order_by(c.at.desc(), c.id.desc()).limit(limit)
    if subscription_id:
        query = query.where(c.subscription_id == subscription_id)
    return [Attempt(**row._mapping) for row in connection.execute(query)]


def statuses(connection: Connection, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], tuple[Status, int]]:
    """Return status and number of attempts of deliveries, by (change_id, subscription_id)."""
    c = deliveries.c
    query = select(c.change_id, c.subscription_id, c.status, c.attempts).where(KEY.in_(keys))
    return {(r.change_id, r.subscription_id): (r.status, r.attempts) for r in connection.execute(query)} if keys else {}


@dataclass(frozen=True, slots=True)
class Backlog:
    """How the outbox stands: what waits, since when the oldest, how much was given up of late.

    due_at: when the next is to be sent, in the past where no worker comes to it.
    """

    waiting: int
    oldest: datetime | None
    given_up: int
    due_at: datetime | None = None


def backlog(connection: Connection, since: datetime) -> Backlog:
    """Return how the outbox stands; since: from when on what was given up is counted."""
    c = deliveries.c
    query = select(func.count(), func.min(c.queued_at), func.min(c.next_at)).where(c.status == "waiting")
    waiting, oldest, due_at = connection.execute(query).one()
    unspread_at = connection.execute(select(func.min(changes.c.at)).where(changes.c.spread_at.is_(None))).scalar()
    lost = select(func.count()).where(c.status == "given_up", c.done_at >= since)
    oldest, due_at = (min((one for one in (known, unspread_at) if one), default=None) for known in (oldest, due_at))
    return Backlog(waiting, oldest, connection.execute(lost).scalar_one(), due_at)


def given_up_in_a_row(connection: Connection, subscription_id: str) -> int:
    """Return how many of the last deliveries of a subscription were given up, since the last that arrived."""
    c = deliveries.c
    query = select(c.status).where(c.subscription_id == subscription_id, c.status != "waiting")
    found = connection.execute(query.order_by(c.done_at.desc()).limit(20)).scalars().all()
    return next((number for number, status in enumerate(found) if status != "given_up"), len(found))


def forget(connection: Connection, now: datetime) -> None:
    """Delete what was told, and the log, after 30 days; also changes that nobody spread in that time."""
    old = now - KEPT
    connection.execute(delete(deliveries).where(deliveries.c.status != "waiting", deliveries.c.done_at < old))
    connection.execute(delete(delivery_attempts).where(delivery_attempts.c.at < old))
    still = select(deliveries.c.change_id).where(deliveries.c.status == "waiting")
    connection.execute(delete(changes).where(changes.c.at < old, changes.c.change_id.not_in(still)))
