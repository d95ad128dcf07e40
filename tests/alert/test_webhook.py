"""Webhooks: signed as Standard Webhooks, one id for all attempts, whatever the receiver does."""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from collections.abc import Callable
from hashlib import sha256
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from aggregator.alert.webhook import secret_of, sign
from aggregator.notices import TEST
from aggregator.outbound.client import Outbound
from aggregator.record import Correction
from aggregator.store import corrections, incidents, outbox, subscriptions
from aggregator.web import create_app
from tests.alert.scene import HAMBURG, SITE, Receiver, alerter, happens, later, netzlage, receiving, subscribe, webhook
from tests.making import at
from tests.servers import send


def test_the_signature_is_that_of_the_libraries_of_standard_webhooks() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    made = sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_secrets_are_long_and_differ_by_subscription_and_by_instance() -> None:
    one = secret_of(b"key", "s1")
    assert len(b64decode(one.removeprefix("whsec_"))) == 32
    assert len({one, secret_of(b"key", "s2"), secret_of(b"other", "s1")}) == 3
    assert secret_of(b"key" * 100, "s1")


def test_a_receiver_can_check_what_it_gets_and_finds_the_names_of_the_site_in_it(tmp_path: Path) -> None:
    here, receiver = netzlage(tmp_path), Receiver()
    happens(here)
    with receiving(receiver) as url:
        subscribe(here, webhook(url))
        assert alerter(here).run() == 1
    [(path, headers, body)] = receiver.got
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = b64decode(secret_of(here.key, "s1").removeprefix("whsec_"))
    expected = b64encode(hmac.new(key, signed, sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert headers["webhook-timestamp"] == str(int(at(12).timestamp()))
    assert (path, headers["content-type"]) == ("/s1", "application/json")
    [told] = receiver.bodies()
    assert (told["type"], told["timestamp"], told["simulated"]) == ("incident.strong", "2017-05-13T07:50:00Z", False)
    data = told["data"]
    page = f"/vorfall/{HAMBURG}.json?as_of=2017-05-13T07:50:00Z"
    site = create_app(here).test_client()
    assert data["incident"] == site.get(page, base_url=SITE).get_json()
    assert data["transition"] == data["incident"]["transitions"][-1]
    assert data["json_url"] == SITE + page
    assert site.get(data["cap_url"].removeprefix(SITE), base_url=SITE).status_code == 200
    assert data["headline"].startswith("Hamburg: 30 Meldungen zum Mobilfunk von O2")
    assert data["reserve"].endswith("wie viele Anschlüsse gestört sind und warum, folgt daraus nicht.")
    here.store.close()


def test_every_attempt_has_the_same_id_and_body_and_a_timestamp_of_its_own(tmp_path: Path) -> None:
    here = netzlage(tmp_path)
    happens(here)

    def fail_once(handler: BaseHTTPRequestHandler, number: int) -> bool:
        if number == 1:
            send(handler, b"", 500)
        return number == 1

    receiver = Receiver(fail_once)
    with receiving(receiver) as url:
        subscribe(here, webhook(url))
        work = alerter(here)
        assert work.run() == 1
        assert work.run() == 0
        later(here, 12.5)
        assert work.run() == 1
        later(here, 300)
        assert work.run() == 0
    first, second = receiver.got
    assert first[1]["webhook-id"] == second[1]["webhook-id"]
    assert first[2] == second[2]
    assert int(second[1]["webhook-timestamp"]) - int(first[1]["webhook-timestamp"]) == 30
    assert first[1]["webhook-signature"] != second[1]["webhook-signature"]
    here.store.close()


def test_a_note_and_a_withdrawal_carry_their_words(tmp_path: Path) -> None:
    here, receiver = netzlage(tmp_path, at(40)), Receiver()
    happens(here)
    with here.store.write() as connection:
        found = incidents.get(connection, HAMBURG)
        assert found
        corrections.note(connection, Correction(HAMBURG, at(20), "note", "Der Anbieter prüft.", "x"))
        corrections.withdraw(connection, found, Correction(HAMBURG, at(30), "withdraw", "Doppelt gezählt.", "x"))
    with receiving(receiver) as url:
        subscribe(here, webhook(url))
        assert alerter(here).run() == 3
    told = receiver.bodies()
    assert [one["type"] for one in told] == ["incident.strong", "incident.note", "incident.withdrawn"]
    assert [one["data"]["incident"]["state"] for one in told] == ["strong", "strong", "withdrawn"]
    assert [one["data"]["correction"] and one["data"]["correction"]["text"] for one in told] == [
        None, "Der Anbieter prüft.", "Doppelt gezählt.",
    ]  # fmt: skip
    assert told[1]["data"]["transition"] is None
    here.store.close()


def answer(status: int, **headers: str) -> Callable[[BaseHTTPRequestHandler, int], bool]:
    def fault(handler: BaseHTTPRequestHandler, number: int) -> bool:
        send(handler, b"no", status, **headers)
        return True

    return fault


def cut(handler: BaseHTTPRequestHandler, number: int) -> bool:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")
    handler.wfile.flush()
    handler.connection.shutdown(2)
    return True


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (answer(500), 500),
        (answer(404), 404),
        (answer(401), 401),
        (answer(302, Location="http://127.0.0.1/"), 0),
        (cut, 0),
    ],
)
def test_what_does_not_arrive_is_logged_and_tried_again(tmp_path: Path, fault: Any, code: int) -> None:
    here = netzlage(tmp_path)
    happens(here)
    receiver = Receiver(fault)
    with receiving(receiver) as url:
        subscribe(here, webhook(url))
        alerter(here).run()
    with here.store.read() as connection:
        [line] = outbox.attempts(connection, "s1", 10)
        assert (line.code, line.at) == (code, at(12))
        assert line.detail
        assert outbox.backlog(connection, at(0)).waiting == 1
    here.store.close()


def test_a_receiver_that_is_gone_is_told_nothing_more(tmp_path: Path) -> None:
    here, receiver = netzlage(tmp_path), Receiver(answer(410))
    happens(here)
    with receiving(receiver) as url:
        subscribe(here, webhook(url))
        work = alerter(here)
        work.run()
        happens(here, "over", 15)
        later(here, 20)
        assert work.run() == 0
    with here.store.read() as connection:
        ended = subscriptions.get(connection, "s1")
    assert ended
    assert ended.ended_why == "gone"
    here.store.close()


def test_a_busy_receiver_is_left_alone_as_long_as_it_asks(tmp_path: Path) -> None:
    here, receiver = netzlage(tmp_path), Receiver(answer(503, Retry_After="600"))
    happens(here)
    with receiving(receiver) as url:
        subscribe(here, webhook(url))
        work = alerter(here)
        assert work.run() == 1
        later(here, 21.9)
        assert work.run() == 0
        later(here, 22.1)
        assert work.run() == 1
    here.store.close()


def test_an_address_inside_is_reached_only_where_the_operator_said_so(tmp_path: Path) -> None:
    here, receiver = netzlage(tmp_path), Receiver()
    happens(here)
    with receiving(receiver) as url:
        subscribe(here, webhook(url, "stranger"), webhook(url, "own", private=True))
        work = alerter(here, means=alerter(here)._means.__class__(Outbound(pause=0), None, here.key))
        work.run()
    assert [path for path, _, _ in receiver.got] == ["/own"]
    with here.store.read() as connection:
        [line] = outbox.attempts(connection, "stranger", 10)
    assert "is not a public address" in line.detail
    here.store.close()


def test_a_new_webhook_is_told_that_it_works(tmp_path: Path) -> None:
    here, receiver = netzlage(tmp_path), Receiver()
    with receiving(receiver) as url:
        subscribe(here, webhook(url, provider="o2", region="02"))
        with here.store.write() as connection:
            outbox.queue(connection, "s1", TEST, at(11))
        alerter(here).run()
    [told] = receiver.bodies()
    assert told["type"] == "test"
    assert told["data"]["wish"] == "O2, Hamburg, ab „stark auffällig“"
    here.store.close()


def test_two_receivers_of_one_change_each_get_their_language(tmp_path: Path) -> None:
    here, receiver = netzlage(tmp_path), Receiver()
    happens(here)
    with receiving(receiver) as url:
        subscribe(here, webhook(url, "de"), webhook(url, "en", language="en"))
        alerter(here).run()
    told = {path: body["data"]["reserve"] for (path, _, _), body in zip(receiver.got, receiver.bodies(), strict=True)}
    assert told["/de"].startswith("Meldungen sind keine Ausfälle")
    assert "Meldungen" not in told["/en"]
    here.store.close()
