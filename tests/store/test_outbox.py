"""The outbox: told with the change or not at all, once to each subscriber, by one worker at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from aggregator.model import State, Transition
from aggregator.notices import CONFIRMATION, Attempt, Change, Delivery, Subscription
from aggregator.record import Correction
from aggregator.store import Store, corrections, incidents, open_store, outbox, subscriptions
from aggregator.store.outbox import Mark
from tests.making import at, incident

HAMBURG = incident(state="strong")
LEASE = timedelta(minutes=2)


def subscriber(subscription_id: str = "s1", **values: Any) -> Subscription:
    given: dict[str, Any] = {
        "channel": "webhook", "target": f"https://{subscription_id}.example/", "provider": "", "region": "",
        "threshold": "strong", "language": "de", "created_at": at(0), "confirmed_at": at(0),
    }  # fmt: skip
    return Subscription(subscription_id, **{**given, **values})


def change(state: State = "strong", minutes: float = 10, incident_id: str = HAMBURG.incident_id) -> Transition:
    return Transition(incident_id, at(minutes), state, 12, 0.5, 15.5)


def happens(store: Store, *transitions: Transition) -> None:
    with store.write() as connection:
        for one in transitions:
            incidents.save(connection, [replace(HAMBURG, incident_id=one.incident_id, state=one.state)], [one])


def subscribe(store: Store, *given: Subscription) -> None:
    with store.write() as connection:
        for one in given:
            subscriptions.add(connection, one)


def unspread(store: Store) -> list[Change]:
    with store.read() as connection:
        return outbox.unspread(connection, 100)


def spread(store: Store, **values: Any) -> int:
    with store.write() as connection:
        found = outbox.unspread(connection, 100)
        return sum(outbox.spread(connection, one, replace(HAMBURG, **values), at(12)) for one in found)


def claim(store: Store, worker: str = "w", minutes: float = 12, limit: int = 100) -> list[Delivery]:
    with store.write() as connection:
        return outbox.claim(connection, worker, at(minutes), LEASE, limit)


def mark(store: Store, delivery: Delivery, worker: str, found: Mark) -> bool:
    with store.write() as connection:
        return outbox.mark(connection, delivery, worker, found)


def whom(found: list[Delivery]) -> list[str]:
    return sorted(one.subscription.subscription_id for one in found)


def test_a_change_and_word_of_it_are_stored_together_or_not_at_all(store: Store) -> None:
    def fail() -> None:
        with store.write() as connection:
            incidents.save(connection, [HAMBURG], [change()])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert unspread(store) == []
    happens(store, change())
    assert [(one.incident_id, one.kind, one.at) for one in unspread(store)] == [(HAMBURG.incident_id, "strong", at(10))]


def test_a_change_that_two_workers_find_is_one(store: Store) -> None:
    happens(store, change(), change(), change(minutes=15))
    assert len(unspread(store)) == 1
    happens(store, change("easing", 20), change("strong", 25))
    assert [one.kind for one in unspread(store)] == ["strong", "easing", "strong"]


def test_what_a_person_takes_back_or_adds_is_told_too(store: Store) -> None:
    happens(store, change())
    with store.write() as connection:
        corrections.note(connection, Correction(HAMBURG.incident_id, at(20), "note", "Nachtrag", "x"))
        corrections.withdraw(connection, HAMBURG, Correction(HAMBURG.incident_id, at(30), "withdraw", "Doppelt", "x"))
    assert [one.kind for one in unspread(store)] == ["strong", "note", "withdrawn"]


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        ({}, True),
        ({"provider": "o2"}, True),
        ({"provider": "telekom"}, False),
        ({"region": "02000"}, True),
        ({"region": "02"}, True),
        ({"region": "09162"}, False),
        ({"region": "01"}, False),
        ({"provider": "o2", "region": "09"}, False),
        ({"confirmed_at": None}, False),
        ({"ended_at": at(5)}, False),
    ],
)
def test_who_is_told_of_hamburg(store: Store, wish: dict[str, Any], told: bool) -> None:
    subscribe(store, subscriber(**wish))
    happens(store, change())
    assert spread(store) == int(told)


def test_what_is_nationwide_is_told_everywhere_and_of_many_providers_to_those_of_each(store: Store) -> None:
    wishes = [{"region": "09162"}, {"provider": "o2"}, {"provider": "vodafone"}, {"provider": "telekom"}]
    subscribe(store, *(subscriber(f"s{n}", **wish) for n, wish in enumerate(wishes)))
    happens(store, change())
    assert spread(store, regions=(), provider="all", providers=("o2", "vodafone")) == 3
    assert whom(claim(store)) == ["s0", "s1", "s2"]


def test_what_is_only_conspicuous_is_told_to_who_asked_for_that_and_its_end_too(store: Store) -> None:
    subscribe(store, subscriber("strong"), subscriber("suspected", threshold="suspected"))
    happens(store, change("suspected"), change("over", 20))
    assert spread(store) == 2
    assert whom(claim(store)) == ["suspected", "suspected"]


def test_from_the_first_strong_state_on_everybody_is_told_all(store: Store) -> None:
    subscribe(store, subscriber())
    happens(store, change("suspected"), change("strong", 20), change("easing", 30), change("over", 40))
    assert spread(store) == 3


def test_a_change_is_spread_once_and_what_is_too_old_to_nobody(store: Store) -> None:
    subscribe(store, subscriber())
    happens(store, change())
    [found] = unspread(store)
    with store.write() as connection:
        assert outbox.spread(connection, found, HAMBURG, at(12)) == 1
        assert outbox.spread(connection, found, HAMBURG, at(13)) == 0
    happens(store, change("easing", 20))
    [found] = unspread(store)
    with store.write() as connection:
        assert outbox.spread(connection, found, None, at(21)) == 0
    assert unspread(store) == []


def test_a_claim_is_exclusive_until_it_runs_out(store: Store) -> None:
    subscribe(store, *(subscriber(f"s{n}") for n in range(5)))
    happens(store, change())
    spread(store)
    first, second = claim(store, "a", limit=3), claim(store, "b")
    assert (len(first), len(second)) == (3, 2)
    assert set(whom(first)) & set(whom(second)) == set()
    assert claim(store, "c", 13.9) == []
    later = claim(store, "c", 14)
    assert len(later) == 5
    assert {one.attempts for one in later} == {2}
    done = Mark("delivered", at(14.1))
    assert not mark(store, first[0], "a", done)  # its claim had run out
    assert mark(store, later[0], "c", done)
    assert not mark(store, later[0], "c", done)
    assert len(claim(store, "d", 20)) == 4


def test_what_is_to_be_tried_again_waits_and_what_was_not_tried_costs_no_try(store: Store) -> None:
    subscribe(store, subscriber())
    happens(store, change())
    spread(store)
    [one] = claim(store)
    assert mark(store, one, "w", Mark("waiting", at(12), at(30)))
    assert claim(store, minutes=29) == []
    [one] = claim(store, minutes=30)
    assert one.attempts == 2
    assert mark(store, one, "w", Mark("waiting", at(30), at(31), tried=False))
    assert [again.attempts for again in claim(store, minutes=31)] == [2]


def test_what_kills_its_worker_each_time_is_given_up_in_the_end(store: Store) -> None:
    subscribe(store, subscriber())
    happens(store, change())
    spread(store)
    minutes = 12.0
    for number in range(outbox.TRIES):
        assert [one.attempts for one in claim(store, "w", minutes)] == [number + 1]
        minutes += 2
    assert claim(store, "w", minutes) == []
    with store.read() as connection:
        assert outbox.backlog(connection, at(0)) == outbox.Backlog(0, None, 1)
        assert outbox.given_up_in_a_row(connection, "s1") == 1


def test_the_backlog_tells_since_when_the_oldest_waits(store: Store) -> None:
    subscribe(store, subscriber())
    with store.read() as connection:
        assert outbox.backlog(connection, at(0)) == outbox.Backlog(0, None, 0)
        assert not outbox.has_work(connection, at(100))
    happens(store, change())
    with store.read() as connection:
        assert outbox.backlog(connection, at(0)) == outbox.Backlog(0, at(10), 0, at(10))
        assert outbox.has_work(connection, at(11))
    spread(store)
    with store.read() as connection:
        assert outbox.backlog(connection, at(0)) == outbox.Backlog(1, at(12), 0, at(12))
        assert not outbox.has_work(connection, at(11))
        assert outbox.has_work(connection, at(12))
    [one] = claim(store)
    mark(store, one, "w", Mark("waiting", at(12), at(30)))
    with store.read() as connection:
        assert outbox.backlog(connection, at(0)) == outbox.Backlog(1, at(12), 0, at(30))


def test_deliveries_of_a_change_come_in_the_order_of_the_changes(store: Store) -> None:
    subscribe(store, subscriber())
    happens(store, change("strong"), change("easing", 20), change("over", 30))
    spread(store)
    assert [one.change.kind for one in claim(store) if one.change] == ["strong", "easing", "over"]


def test_a_message_that_is_about_no_incident_is_queued_once(store: Store) -> None:
    subscribe(store, subscriber())
    with store.write() as connection:
        outbox.queue(connection, "s1", CONFIRMATION, at(0))
        outbox.queue(connection, "s1", CONFIRMATION, at(1))
    [one] = claim(store)
    assert (one.change, one.message_id) == (None, "msg_s1_confirmation")


def test_what_was_told_is_forgotten_after_thirty_days_and_what_waits_is_not(store: Store) -> None:
    subscribe(store, subscriber("s1"), subscriber("s2"))
    happens(store, change())
    spread(store)
    first, second = claim(store)
    with store.write() as connection:
        outbox.mark(connection, first, "w", Mark("delivered", at(12)))
        outbox.log(connection, Attempt(first.subscription.subscription_id, first.change_id, at(12), 0.1, 200, ""))
        outbox.forget(connection, at(12) + timedelta(days=29))
        assert len(outbox.attempts(connection, "", 10)) == 1
        outbox.forget(connection, at(13) + timedelta(days=30))
        assert outbox.attempts(connection, "", 10) == []
        keys = [(one.change_id, one.subscription.subscription_id) for one in (first, second)]
        assert list(outbox.statuses(connection, keys)) == keys[1:]
        assert outbox.mark(connection, second, "w", Mark("delivered", at(50)))
    with store.write() as connection:
        outbox.forget(connection, at(51) + timedelta(days=30))
        assert outbox.statuses(connection, keys) == {}


def test_many_workers_share_a_store_and_nothing_is_claimed_twice(store: Store) -> None:
    subscribe(store, *(subscriber(f"s{n:03}") for n in range(200)))
    happens(store, change())
    spread(store)
    others = [open_store(store.url) for _ in range(3)]
    found: list[str] = []
    while any(taken := [whom(claim(other, str(n), limit=7)) for n, other in enumerate(others)]):
        found += [name for some in taken for name in some]
    for other in others:
        other.close()
    assert len(found) == len(set(found)) == 200
