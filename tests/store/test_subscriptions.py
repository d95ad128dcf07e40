"""Subscriptions: nothing before the confirmation, nothing after the end, no address longer than it is needed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from aggregator.notices import CONFIRMATION
from aggregator.store import Store, outbox, subscriptions
from tests.making import at
from tests.store.test_outbox import change, claim, happens, spread, subscribe, subscriber

ANNA = "anna@example.org"


def wish(subscription_id: str = "e1", minutes: float = 0, **values: Any) -> Any:
    given: dict[str, Any] = {"channel": "email", "target": ANNA, "confirmed_at": None, "created_at": at(minutes)}
    return subscriber(subscription_id, **{**given, **values})


def ask(store: Store, wanted: Any, address: str = "anna", block: str = "b") -> bool:
    with store.write() as connection:
        return subscriptions.ask(connection, wanted, address, block)


def dump(store: Store) -> str:
    with store.read() as connection:
        names = ("subscriptions", "deliveries", "delivery_attempts", "confirmations", "changes")
        return str([connection.execute(text(f"select * from {name}")).all() for name in names])


def test_who_asks_gets_one_mail_and_is_told_nothing_until_they_confirm(store: Store) -> None:
    assert ask(store, wish())
    happens(store, change())
    assert spread(store) == 0
    [mail] = claim(store)
    assert (mail.change_id, mail.subscription.target) == (CONFIRMATION, ANNA)
    with store.write() as connection:
        confirmed = subscriptions.confirm(connection, "e1", at(13))
        assert confirmed
        assert confirmed.confirmed_at == at(13)
        assert subscriptions.confirm(connection, "e1", at(14)) == confirmed
    happens(store, change("easing", 20))
    assert spread(store) == 1


def test_one_mail_an_hour_to_an_address_whatever_is_asked_for(store: Store) -> None:
    assert ask(store, wish())
    assert not ask(store, wish("e2", 59, provider="o2"))
    assert ask(store, wish("e3", 60, provider="o2"))
    with store.read() as connection:
        assert [one.subscription_id for one in subscriptions.everyone(connection)] == ["e1", "e3"]


def test_asking_again_for_the_same_replaces_what_was_not_confirmed(store: Store) -> None:
    assert ask(store, wish())
    assert ask(store, wish("e2", 61))
    with store.read() as connection:
        assert [one.subscription_id for one in subscriptions.everyone(connection)] == ["e2"]


def test_one_block_cannot_ask_for_many_strangers_and_an_operator_may(store: Store) -> None:
    asked = [ask(store, wish(f"e{n}", target=f"{n}@example.org"), str(n)) for n in range(subscriptions.OF_A_BLOCK + 1)]
    assert asked == [True] * subscriptions.OF_A_BLOCK + [False]
    assert ask(store, wish("other", target="o@example.org"), "other", "another block")
    assert ask(store, wish("by-hand", target="h@example.org"), "h", "")


def test_what_is_wanted_already_is_not_told_twice(store: Store) -> None:
    ask(store, wish())
    with store.write() as connection:
        subscriptions.confirm(connection, "e1", at(1))
    ask(store, wish("e2", 61))
    with store.write() as connection:
        kept = subscriptions.confirm(connection, "e2", at(62))
        assert kept
        assert kept.subscription_id == "e1"
        assert subscriptions.get(connection, "e2") is None


def test_an_end_erases_the_address_and_what_still_waits(store: Store) -> None:
    ask(store, wish())
    with store.write() as connection:
        subscriptions.confirm(connection, "e1", at(1))
    happens(store, change())
    spread(store)
    with store.write() as connection:
        assert subscriptions.end(connection, "e1", at(20), "left")
        assert not subscriptions.end(connection, "e1", at(21), "left")
        assert subscriptions.confirm(connection, "e1", at(22)) is None
        ended = subscriptions.get(connection, "e1")
    assert ended
    assert (ended.target, ended.ended_at, ended.ended_why) == ("", at(20), "left")
    assert claim(store, minutes=30) == []
    assert ANNA not in dump(store)
    with store.write() as connection:
        subscriptions.forget(connection, at(19) + outbox.KEPT)
        assert subscriptions.get(connection, "e1")
        subscriptions.forget(connection, at(21) + outbox.KEPT)
        assert subscriptions.get(connection, "e1") is None


def test_what_nobody_confirms_is_deleted_after_two_days(store: Store) -> None:
    ask(store, wish())
    with store.write() as connection:
        subscriptions.forget(connection, at(-1) + timedelta(hours=48))
        assert subscriptions.get(connection, "e1")
        subscriptions.forget(connection, at(1) + timedelta(hours=48))
    assert dump(store) == "[[], [], [], [], []]"


def test_who_says_no_before_confirming_leaves_nothing(store: Store) -> None:
    ask(store, wish())
    with store.write() as connection:
        assert subscriptions.end(connection, "e1", at(1), "left")
        assert subscriptions.get(connection, "e1") is None
    assert ANNA not in dump(store)


def test_a_webhook_keeps_its_address_for_the_log(store: Store) -> None:
    subscribe(store, subscriber("s1"))
    with store.write() as connection:
        assert subscriptions.end(connection, "s1", at(1), "gone")
        ended = subscriptions.get(connection, "s1")
    assert ended
    assert ended.target == "https://s1.example/"


@pytest.mark.parametrize("nobody", ["", "none"])
def test_nobody_is_neither_confirmed_nor_ended(store: Store, nobody: str) -> None:
    with store.write() as connection:
        assert subscriptions.confirm(connection, nobody, at(0)) is None
        assert not subscriptions.end(connection, nobody, at(0), "left")
