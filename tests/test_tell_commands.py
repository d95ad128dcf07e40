"""`netzlage subscription`: who may be told what, one sentence for what cannot be, and a log without addresses."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from aggregator.alert.webhook import secret_of
from aggregator.notices import CONFIRMATION, TEST, Attempt
from aggregator.settings import load_settings, secret_key
from aggregator.store import Store, open_store, outbox, subscriptions
from tests import stores
from tests.commands import Run, assert_one_line

HOOK = ("subscription", "add", "webhook", "https://example.org/hook")
MAIL = ("subscription", "add", "email", "anna@example.org")


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETZLAGE_BASE_URL", "https://netzlage.example")
    monkeypatch.setenv("NETZLAGE_SMTP_URL", "smtp://localhost")


def store(folder: Path) -> Store:
    return open_store(stores.address(folder / "home"))


def test_a_webhook_is_told_at_once_and_its_secret_shown_this_once(run: Run, tmp_path: Path) -> None:
    answer = run(*HOOK, "--provider", "O2", "--region", "Niedersachsen", "--threshold", "suspected")
    assert answer.status == 0
    subscription_id = answer.err.partition(":")[0]
    settings = load_settings(None, {"NETZLAGE_HOME": str(tmp_path / "home")})
    assert answer.out.strip() == secret_of(secret_key(settings).encode(), subscription_id)
    opened = store(tmp_path)
    with opened.read() as connection:
        [one] = subscriptions.everyone(connection)
        assert outbox.statuses(connection, [(TEST, subscription_id)])
    opened.close()
    assert (one.provider, one.region, one.threshold) == ("o2", "03", "suspected")
    assert one.confirmed_at
    listed = run("subscription", "list").out
    assert subscription_id in listed
    assert "https://example.org/hook" in listed
    assert answer.out.strip() not in listed


def test_an_address_is_asked_first_and_never_shown_whole(run: Run, tmp_path: Path) -> None:
    assert "asked by e-mail" in run(*MAIL).out
    opened = store(tmp_path)
    with opened.read() as connection:
        [one] = subscriptions.everyone(connection)
        assert outbox.statuses(connection, [(CONFIRMATION, one.subscription_id)])
    opened.close()
    assert one.confirmed_at is None
    listed = run("subscription", "list").out
    assert "a…@example.org" in listed
    assert "not confirmed yet" in listed
    assert "anna" not in listed
    again = run(*MAIL)
    assert_one_line(again, 1)
    assert "asked within the last hour" in again.err


def test_an_end_is_told_and_final(run: Run, tmp_path: Path) -> None:
    subscription_id = run(*HOOK).err.partition(":")[0]
    assert run("subscription", "remove", subscription_id).out == f"{subscription_id}: ended\n"
    assert "(removed)" in run("subscription", "list").out
    assert_one_line(run("subscription", "remove", subscription_id), 1)


def test_the_log_tells_when_what_was_tried_and_how_it_ended(run: Run, tmp_path: Path) -> None:
    subscription_id = run(*HOOK).err.partition(":")[0]
    opened = store(tmp_path)
    with opened.write() as connection:
        at = datetime(2026, 5, 13, 7, 50, tzinfo=UTC)
        outbox.log(connection, Attempt(subscription_id, TEST, at, 1.25, 500, "it answers 500"))
    opened.close()
    line = f"2026-05-13 09:50:00 {subscription_id} test                 waits after 0, 1.2 s: 500 it answers 500\n"
    assert run("subscription", "log").out == run("subscription", "log", subscription_id).out == line
    assert run("subscription", "log", "nobody").out == ""


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((*HOOK[:3], "ftp://example.org"), "is not an address such as"),
        ((*HOOK[:3], "https://user:secret@example.org"), "is not an address such as"),
        ((*HOOK[:3], "http://example.org"), "not encrypted"),
        ((*HOOK, "--provider", "nobody"), "Provider 'nobody' is not known"),
        ((*HOOK, "--region", "99"), "Region '99' is not known"),
        ((*MAIL[:3], "anna"), "not an e-mail address"),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(run: Run, words: tuple[str, ...], sentence: str) -> None:
    answer = run(*words)
    assert_one_line(answer, 1)
    assert sentence in answer.err


@pytest.mark.parametrize(("name", "words"), [("BASE_URL", HOOK), ("BASE_URL", MAIL), ("SMTP_URL", MAIL)])
def test_without_its_settings_nothing_is_promised(
    run: Run, monkeypatch: pytest.MonkeyPatch, name: str, words: tuple[str, ...]
) -> None:
    monkeypatch.delenv(f"NETZLAGE_{name}")
    answer = run(*words)
    assert_one_line(answer, 1)
    assert f"Setting {name.lower()} is empty" in answer.err


@pytest.mark.parametrize(
    ("value", "good"),
    [
        ("smtp://mail.example.org", True), ("smtps://a:b@mail.example.org:465", True), ("mail.example.org", False),
        ("http://mail.example.org", False), ("smtp://mail.example.org:port", False), ("smtp://", False),
        ("smtp://m.example?tls=maybe", False),
    ],
)  # fmt: skip
def test_a_mail_server_that_cannot_be_one_is_refused(
    run: Run, monkeypatch: pytest.MonkeyPatch, value: str, good: bool
) -> None:
    monkeypatch.setenv("NETZLAGE_SMTP_URL", value)
    answer = run("subscription", "list")
    assert answer.status == int(not good)
    if not good:
        assert "smtp_url" in answer.err
        assert "(hidden)" in answer.err  # it may hold a password


def test_the_doctor_says_what_waits_and_when_nobody_sends_it(run: Run, tmp_path: Path) -> None:
    assert "ok      alerts: by e-mail and webhook; nothing to tell yet\n" in run("doctor").out
    run(*HOOK)
    assert "ok      alerts: by e-mail and webhook; 1 wait, 0 given up" in run("doctor").out
    opened = store(tmp_path)
    with opened.write() as connection:
        subscription_id = subscriptions.everyone(connection)[0].subscription_id
        outbox.queue(connection, subscription_id, CONFIRMATION, datetime(2026, 5, 13, 7, 50, tzinfo=UTC))
    opened.close()
    answer = run("doctor")
    assert answer.status == 1
    assert "broken  alerts: Messages wait since 2026-05-13 09:50 and nobody sends them" in answer.out


def test_the_doctor_misses_the_address_of_the_site_where_mail_is_sent(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NETZLAGE_BASE_URL")
    assert "broken  alerts: Setting smtp_url is set but base_url is empty" in run("doctor").out
