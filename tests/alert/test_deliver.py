"""A pass: who is told of what, when it is tried again, when not any more; nobody holds up the others."""

from __future__ import annotations

from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from aggregator.alert import deliver
from aggregator.alert.deliver import pause
from aggregator.instance import Instance
from aggregator.notices import Delivery, Notice
from aggregator.store import outbox, subscriptions
from tests.alert.scene import (
    Postbox,
    Receiver,
    alerter,
    free_port,
    happens,
    later,
    letter,
    netzlage,
    posting,
    receiving,
    saying,
    subscribe,
    webhook,
)  # fmt: skip
from tests.making import at
from tests.servers import send

HOUR = timedelta(hours=1)


def refuse(handler: BaseHTTPRequestHandler, number: int) -> bool:
    send(handler, b"", 500)
    return True


def waiting(instance: Instance) -> int:
    with instance.store.read() as connection:
        return outbox.backlog(connection, at(0)).waiting


def test_pauses_grow_and_differ_and_come_to_about_a_day() -> None:
    lengths = [pause(number, 0.5) for number in range(1, outbox.TRIES)]
    assert lengths == sorted(lengths)
    assert lengths[0] == timedelta(seconds=15)
    assert 20 * HOUR < sum(lengths, timedelta(0)) < 26 * HOUR
    assert pause(3, 0.0) < pause(3, 1.0) == pause(3, 0.0) * 5 / 3


def test_after_eight_tries_a_delivery_is_given_up_and_after_five_of_them_the_subscription(tmp_path: Path) -> None:
    here, receiver = netzlage(tmp_path), Receiver(refuse)
    with receiving(receiver) as url:
        subscribe(here, webhook(url))
        work = alerter(here)
        minutes = 12.0
        for number in range(deliver.FAILING):
            happens(here, "easing" if number % 2 else "strong", minutes)
            later(here, minutes)
            for tries in range(1, outbox.TRIES + 1):
                assert work.run() == 1
                assert len(receiver.got) == number * outbox.TRIES + tries
                minutes += pause(tries, 0.5).total_seconds() / 60
                later(here, minutes)
        assert work.run() == 0
    with here.store.read() as connection:
        assert outbox.backlog(connection, at(0)).given_up == deliver.FAILING
        ended = subscriptions.get(connection, "s1")
    assert ended
    assert ended.ended_why == "failing"
    here.store.close()


def test_a_dead_receiver_holds_nobody_up(tmp_path: Path) -> None:
    here, receiver = netzlage(tmp_path), Receiver()
    dead = [webhook(f"http://127.0.0.1:{free_port()}", f"dead{n}") for n in range(20)]
    with receiving(receiver) as url:
        subscribe(here, *dead, webhook(url, "good"))
        happens(here)
        assert alerter(here).run() == 21
    assert [path for path, _, _ in receiver.got] == ["/good"]
    assert waiting(here) == 20
    here.store.close()


def test_what_comes_after_a_failure_waits_behind_it_and_arrives_in_order(tmp_path: Path) -> None:
    here = netzlage(tmp_path, at(40))

    def fail_first(handler: BaseHTTPRequestHandler, number: int) -> bool:
        return len(receiver.got) == 1 and refuse(handler, number)

    receiver = Receiver(fail_first)
    with receiving(receiver) as url:
        subscribe(here, webhook(url))
        for number, state in enumerate(("strong", "easing", "over")):
            happens(here, state, 10 + 10 * number)  # type: ignore[arg-type]
        work = alerter(here)
        assert work.run() == 1
        later(here, 41)
        assert work.run() == 3
    assert [told["type"] for told in receiver.bodies()] == [
        "incident.strong", "incident.strong", "incident.easing", "incident.over",
    ]  # fmt: skip
    here.store.close()


def test_nobody_is_told_of_what_happened_more_than_a_day_ago(tmp_path: Path) -> None:
    here, receiver = netzlage(tmp_path, at(25 * 60)), Receiver()
    with receiving(receiver) as url:
        subscribe(here, webhook(url))
        happens(here)
        assert alerter(here).run() == 0
        later(here, 26 * 60)
        happens(here, "easing", 25 * 60)
        assert alerter(here).run() == 1
    here.store.close()


def test_a_mail_server_that_is_down_costs_each_letter_no_try_but_the_one_that_was_tried(tmp_path: Path) -> None:
    with saying(b"421 busy\r\n") as url:
        here = netzlage(tmp_path, smtp_url=url)
        subscribe(here, *(letter(f"e{n:02}", target=f"a{n}@example.org") for n in range(50)))
        happens(here)
        assert alerter(here).run() <= deliver.HANDS
    assert waiting(here) == 50
    with here.store.read() as connection:
        [change] = {line.change_id for line in outbox.attempts(connection, "", 100)}
        states = outbox.statuses(connection, [(change, f"e{n:02}") for n in range(50)])
    assert sum(attempts for _, attempts in states.values()) <= deliver.HANDS
    box = Postbox()
    with posting(box) as url:
        again = netzlage(tmp_path, at(20), smtp_url=url)
        assert alerter(again).run() == 50
    assert sorted(box.recipients) == sorted({f"a{n}@example.org" for n in range(50)})
    for instance in (here, again):
        instance.store.close()


def test_of_an_incident_that_is_gone_nothing_is_told(tmp_path: Path) -> None:
    here, receiver = netzlage(tmp_path), Receiver()
    with receiving(receiver) as url:
        subscribe(here, webhook(url))
        happens(here)
        work = alerter(here)
        work._tell = lambda delivery: None
        assert work.run() == 1
        assert work.run() == 0
    assert receiver.got == []
    with here.store.read() as connection:
        assert [line.detail for line in outbox.attempts(connection, "s1", 9)] == ["there is nothing to tell any more"]
    here.store.close()


def test_a_mistake_of_ours_loses_nothing_and_does_not_go_on_for_ever(tmp_path: Path) -> None:
    here, receiver = netzlage(tmp_path), Receiver()
    with receiving(receiver) as url:
        subscribe(here, webhook(url, "bad"), webhook(url, "good"))
        happens(here)
        work = alerter(here)
        right = work._tell

        def wrong(delivery: Delivery) -> Notice | None:
            if delivery.subscription.subscription_id == "bad":
                raise KeyError("a mistake")
            return right(delivery)

        work._tell = wrong
        for tries in range(outbox.TRIES):
            later(here, 12 + 3 * tries)
            with pytest.raises(KeyError):
                work.run()
        later(here, 60)
        assert work.run() == 0
    assert [path for path, _, _ in receiver.got] == ["/good"]
    with here.store.read() as connection:
        assert outbox.backlog(connection, at(0)).given_up == 1
    here.store.close()


def test_told_to_stop_it_takes_no_more_and_lets_go_of_what_it_has(tmp_path: Path) -> None:
    here = netzlage(tmp_path)

    def stop(handler: BaseHTTPRequestHandler, number: int) -> bool:
        work.stop()
        return False

    receiver = Receiver(stop)
    with receiving(receiver) as url:
        subscribe(here, *(webhook(url, f"s{n}", target=f"{url}/same") for n in range(5)))
        happens(here)
        work = alerter(here)
        assert work.run() == 1
        assert alerter(here).run() == 4
    assert len(receiver.taken) == len(receiver.got) == 5
    here.store.close()


def test_who_never_confirmed_and_what_was_told_long_ago_are_forgotten_by_the_way(tmp_path: Path) -> None:
    here = netzlage(tmp_path)
    subscribe(here, letter(confirmed_at=None))
    alerter(here).run()
    with here.store.read() as connection:
        assert subscriptions.get(connection, "e1")
    later(here, 48 * 60 + 1)
    alerter(here).run()
    with here.store.read() as connection:
        assert subscriptions.get(connection, "e1") is None
    here.store.close()
