"""Who wants to be told: asked, confirmed, ended. Of e-mail addresses only those that are needed are kept. I/O."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from aggregator.notices import CONFIRMATION, Subscription, Why
from aggregator.store import outbox
from aggregator.store.alert_tables import confirmations, deliveries, delivery_attempts, subscriptions
from aggregator.store.select import upsert

UNCONFIRMED: Final = timedelta(hours=48)  # then the address is deleted
ONE_IN: Final = timedelta(hours=1)  # one confirmation mail to an address
OF_A_BLOCK: Final = 10  # confirmation mails that one address block may ask for in that time
OF_ALL: Final = 500  # and all together
NAMES: Final = tuple(field.name for field in fields(Subscription))
CHOSEN: Final = ("channel", "target", "provider", "region", "threshold")


def new_id() -> str:
    """Return a new id: nothing to guess, and no dot in it."""
    return secrets.token_hex(8)


def ask(connection: Connection, wanted: Subscription, address_hash: str, block_hash: str) -> bool:
    """Keep an e-mail subscription that waits for its confirmation, and queue the mail that asks for it.

    False, and nothing is kept: the address was asked within the hour, or its block or all together asked too often.
    address_hash, block_hash: keyed; block "" where the operator asks.
    """
    now = wanted.created_at
    if not _may_ask(connection, address_hash, block_hash, now):
        return False
    old = (*_same(wanted), subscriptions.c.confirmed_at.is_(None))
    _delete(connection, connection.execute(select(subscriptions.c.subscription_id).where(*old)).scalars().all())
    add(connection, wanted)
    outbox.queue(connection, wanted.subscription_id, CONFIRMATION, now)
    return True


def _may_ask(connection: Connection, address_hash: str, block_hash: str, now: datetime) -> bool:
    c = confirmations.c
    lately = c.asked_at > now - ONE_IN
    total = connection.execute(select(func.count()).where(lately)).scalar_one()
    block = connection.execute(select(func.count()).where(lately, c.block_hash == block_hash)).scalar_one()
    if total >= OF_ALL or (block_hash and block >= OF_A_BLOCK):
        return False
    row = {"address_hash": address_hash, "block_hash": block_hash, "asked_at": now}
    new = upsert(connection, confirmations).values(row)
    kept = new.on_conflict_do_update(index_elements=["address_hash"], set_=row, where=c.asked_at <= now - ONE_IN)
    return connection.execute(kept.returning(c.address_hash)).first() is not None


def add(connection: Connection, wanted: Subscription) -> None:
    """Keep a subscription as it is."""
    connection.execute(insert(subscriptions), {name: getattr(wanted, name) for name in NAMES})


def confirm(connection: Connection, subscription_id: str, now: datetime) -> Subscription | None:
    """Begin to tell a subscriber; None: there is nothing of that id to confirm any more. Twice is as good as once.

    One that wants what the same target is told already gives way to the older.
    """
    found = get(connection, subscription_id)
    if found is None or found.ended_at:
        return None
    if found.confirmed_at:
        return found
    holds = (*_same(found), subscriptions.c.confirmed_at.is_not(None), subscriptions.c.ended_at.is_(None))
    older = connection.execute(select(subscriptions.c.subscription_id).where(*holds)).scalar()
    if older:
        _delete(connection, [subscription_id])
        return get(connection, older)
    mine = update(subscriptions).where(subscriptions.c.subscription_id == subscription_id)
    connection.execute(mine.values(confirmed_at=now))
    return replace(found, confirmed_at=now)


def _same(wanted: Subscription) -> tuple[ColumnElement[bool], ...]:
    return tuple(subscriptions.c[name] == getattr(wanted, name) for name in CHOSEN)


def get(connection: Connection, subscription_id: str) -> Subscription | None:
    """Return the subscription of that id."""
    query = select(*(subscriptions.c[name] for name in NAMES))
    row = connection.execute(query.where(subscriptions.c.subscription_id == subscription_id)).first()
    return Subscription(**row._mapping) if row else None


def end(connection: Connection, subscription_id: str, now: datetime, why: Why) -> bool:
    """End a subscription: nothing is sent any more, its address is erased. False: it had ended, or never was.

    What nobody had confirmed is deleted altogether.
    """
    found = get(connection, subscription_id)
    if found is None or found.ended_at:
        return False
    if found.confirmed_at is None:
        _delete(connection, [subscription_id])
        return True
    waiting = (deliveries.c.subscription_id == subscription_id, deliveries.c.status == "waiting")
    connection.execute(delete(deliveries).where(*waiting))
    mine = update(subscriptions).where(subscriptions.c.subscription_id == subscription_id)
    erased: dict[str, Any] = {"target": ""} if found.channel == "email" else {}
    connection.execute(mine.values(ended_at=now, ended_why=why, **erased))
    return True


def everyone(connection: Connection) -> list[Subscription]:
    """Return all subscriptions, in the order of their making."""
    query = select(*(subscriptions.c[name] for name in NAMES))
    order = (subscriptions.c.created_at, subscriptions.c.subscription_id)
    return [Subscription(**row._mapping) for row in connection.execute(query.order_by(*order))]


def forget(connection: Connection, now: datetime) -> None:
    """Delete what nobody confirmed within 48 hours, what ended 30 days ago, and who was asked an hour ago."""
    c = subscriptions.c
    late = c.confirmed_at.is_(None) & (c.created_at < now - UNCONFIRMED)
    old = c.ended_at < now - outbox.KEPT
    _delete(connection, connection.execute(select(c.subscription_id).where(late | old)).scalars().all())
    connection.execute(delete(confirmations).where(confirmations.c.asked_at <= now - ONE_IN))


def _delete(connection: Connection, ids: Sequence[str]) -> None:
    for subscription_id in ids:
        for table in (deliveries, delivery_attempts, subscriptions):
            connection.execute(delete(table).where(table.c.subscription_id == subscription_id))
