"""E-mail over a real SMTP server: what arrives, what is said of a server that refuses, hangs or breaks off."""

from __future__ import annotations

import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from email.message import EmailMessage
from pathlib import Path

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword

from aggregator.alert.mail import send_email
from aggregator.alert.means import MailServer, means_of
from aggregator.instance import Instance
from aggregator.notices import Delivery, Notice, Sent
from aggregator.outbound.client import Outbound
from aggregator.settings import load_settings
from aggregator.store import outbox, subscriptions
from aggregator.web import create_app
from tests.alert.scene import (
    HAMBURG,
    SITE,
    Postbox,
    alerter,
    free_port,
    happens,
    later,
    letter,
    netzlage,
    posting,
    saying,
    subscribe,
)  # fmt: skip
from tests.making import at

GREETING = (b"220 here\r\n", b"250 here\r\n")


@pytest.fixture
def box() -> Postbox:
    return Postbox()


def here(folder: Path, url: str) -> Instance:
    made = netzlage(folder, smtp_url=url)
    subscribe(made, letter())
    happens(made)
    return made


def text_of(message: EmailMessage) -> str:
    return str(message.get_content()).replace("\r\n", "\n")


def test_an_alert_reads_like_the_page_and_says_how_to_leave(tmp_path: Path, box: Postbox) -> None:
    with posting(box) as url:
        instance = here(tmp_path, url)
        assert alerter(instance).run() == 1
    [message] = box.messages
    assert (box.senders, box.recipients) == (["netzlage@netzlage.example"], ["anna@example.org"])
    assert message["Subject"] == "Hamburg: Mobilfunk von O2: stark auffällig"
    assert message["From"] == "Netzlage <netzlage@netzlage.example>"
    assert (message["To"], message["Auto-Submitted"]) == ("anna@example.org", "auto-generated")
    assert message["Date"] == "Sat, 13 May 2017 07:52:00 +0000"
    text = text_of(message)
    assert "Hamburg: 30 Meldungen zum Mobilfunk von O2 seit etwa 09:40 Uhr (13. Mai)" in text
    assert "Stand Samstag, 13. Mai 2017, 09:50 Uhr: stark auffällig." in text
    assert "wie viele Anschlüsse gestört sind und warum, folgt daraus nicht." in text
    assert f"{SITE}/vorfall/{HAMBURG}?as_of=2017-05-13T07:50:00Z\n" in text
    assert "Abonniert bei Netzlage: alle Anbieter, ganz Deutschland, ab „stark auffällig“." in text
    leave = message["List-Unsubscribe"].strip("<>")
    assert leave in text
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    site = create_app(instance).test_client()
    assert site.post(leave, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    with instance.store.read() as connection:
        ended = subscriptions.get(connection, "e1")
    assert ended
    assert (ended.target, ended.ended_why) == ("", "left")
    instance.store.close()


def test_who_reads_english_gets_english(tmp_path: Path, box: Postbox) -> None:
    with posting(box) as url:
        instance = netzlage(tmp_path, smtp_url=url, mail_from="alerts@netzlage.example")
        subscribe(instance, letter(language="en", region="02", threshold="suspected"))
        happens(instance)
        alerter(instance).run()
    [message] = box.messages
    assert box.senders == ["alerts@netzlage.example"]
    assert "Meldungen" not in text_of(message)
    assert "Abbestellen" not in text_of(message)
    assert message["List-Unsubscribe"].endswith("&lang=en>")
    instance.store.close()


@pytest.mark.parametrize("where", ["rcpt", "data"])
def test_what_is_refused_for_now_comes_later_and_once(tmp_path: Path, box: Postbox, where: str) -> None:
    setattr(box, where, ["451 later"])
    with posting(box) as url:
        instance = here(tmp_path, url)
        work = alerter(instance)
        assert work.run() == 1
        assert box.messages == []
        later(instance, 13)
        assert work.run() == 1
        later(instance, 300)
        assert work.run() == 0
    assert len(box.messages) == 1
    with instance.store.read() as connection:
        assert [line.code for line in outbox.attempts(connection, "e1", 9)] == [250, 451]
    instance.store.close()


@pytest.mark.parametrize("where", ["rcpt", "data"])
def test_what_is_refused_for_good_is_given_up_and_five_in_a_row_end_it(
    tmp_path: Path, box: Postbox, where: str
) -> None:
    setattr(box, where, ["550 nobody here"] * 5)
    with posting(box) as url:
        instance = here(tmp_path, url)
        work = alerter(instance)
        assert work.run() == 1
        for number in range(1, 7):
            happens(instance, "easing" if number % 2 else "strong", 12 + number)
            later(instance, 20 + number)
            work.run()
    with instance.store.read() as connection:
        lines = outbox.attempts(connection, "e1", 9)
        ended = subscriptions.get(connection, "e1")
    assert [line.code for line in lines] == [550] * 5
    assert all("anna" not in line.detail for line in lines)
    assert ended
    assert (ended.target, ended.ended_why) == ("", "failing")
    assert box.messages == []
    instance.store.close()


def attempt(url: str, **settings: str) -> tuple[Sent, float]:
    environ = {"NETZLAGE_SMTP_URL": url, "NETZLAGE_BASE_URL": SITE, **settings}
    loaded = load_settings(None, environ)
    made = Instance(loaded, None, None, None, b"key")  # type: ignore[arg-type]  # a channel needs no more
    began = time.monotonic()
    delivery = Delivery(letter(), "c", None, at(0), 1, at(2))
    sent = send_email(means_of(made, Outbound()), delivery, Notice("s", "t"), at(0))
    return sent, time.monotonic() - began


def test_a_server_that_is_not_there_is_told_as_that() -> None:
    sent, _ = attempt(f"smtp://127.0.0.1:{free_port()}")
    assert sent == Sent(False, 0, "the mail server cannot be reached", down=True)


@pytest.mark.parametrize(
    ("lines", "code", "detail"),
    [
        ((b"554 go away\r\n",), 554, "the mail server answers 554"),
        ((b"421 busy\r\n",), 421, "the mail server answers 421"),
        ((b"220 here\r\n",), 0, "the mail server broke off"),
        ((b"no SMTP at all, a great deal of it\r\n" * 10,), -1, "the mail server answers -1"),
        ((*GREETING, b"250 ok\r\n"), 0, "the mail server broke off"),
        ((*GREETING, b"250 ok\r\n", b"250 ok\r\n", b"354 go on\r\n"), 0, "the mail server broke off"),
        ((*GREETING, b"530 who are you\r\n"), 530, "the mail server answers 530"),
    ],
)
def test_a_server_that_breaks_off_or_refuses_everything_is_tried_again(
    lines: tuple[bytes, ...], code: int, detail: str
) -> None:
    with saying(*lines) as url:
        sent, _ = attempt(url)
    assert sent == Sent(False, code, detail, down=True)


def test_a_server_that_says_nothing_is_left_after_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aggregator.alert.mail.CONNECT", 0.5)
    with saying(b"", pause=30) as url:
        sent, seconds = attempt(url)
    assert sent == Sent(False, 0, "the mail server does not answer in time", down=True)
    assert seconds < 5


def test_a_server_that_drips_is_cut_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aggregator.alert.mail.DEADLINE", 1.0)
    with saying(b"220 " + b"x" * 500 + b"\r\n", pause=0.1, drip=True) as url:
        sent, seconds = attempt(url)
    assert not sent.ok
    assert sent.down
    assert 0.9 < seconds < 5


IN_THE_CLEAR = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")


@pytest.fixture
def closed(box: Postbox) -> Iterator[str]:
    """A server that asks for a password, and takes it in the clear."""

    def check(server: object, session: object, envelope: object, mechanism: str, given: object) -> AuthResult:
        right = isinstance(given, LoginPassword) and (given.login, given.password) == (b"netz", b"l@ge")
        return AuthResult(success=right, handled=right)

    with posting(box, authenticator=check, auth_require_tls=False, auth_required=True) as url:
        yield url.replace("://", "://netz:l%40ge@")


@IN_THE_CLEAR
def test_a_password_is_not_sent_over_a_line_without_encryption(closed: str, box: Postbox) -> None:
    sent, _ = attempt(closed)
    assert sent == Sent(False, 0, "the mail server offers no encryption or no login", down=True)
    assert box.messages == []


@IN_THE_CLEAR
def test_a_password_is_sent_where_the_operator_says_that_the_line_is_safe(closed: str, box: Postbox) -> None:
    assert attempt(f"{closed}?tls=offered")[0].ok
    assert len(box.messages) == 1
    assert attempt(f"{closed.replace('l%40ge', 'wrong')}?tls=offered")[0].code == 535


def certificate(folder: Path, name: str) -> tuple[Path, ssl.SSLContext]:
    """Make a certificate that no authority has signed; return its file and a server's context with it."""
    key, made = folder / "key.pem", folder / "certificate.pem"
    words = f"req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=mail -addext subjectAltName={name}"
    subprocess.run(["openssl", *words.split(), "-keyout", str(key), "-out", str(made)], check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(made, key)
    return made, context


@pytest.fixture(params=["starttls", "smtps"])
def encrypted(request: pytest.FixtureRequest, box: Postbox) -> Callable[[ssl.SSLContext], AbstractContextManager[str]]:
    """What runs a server with encryption, from the first byte or asked for."""

    @contextmanager
    def run(context: ssl.SSLContext) -> Iterator[str]:
        if request.param == "smtps":
            with posting(box, ssl_context=context) as url:
                yield url.replace("smtp://", "smtps://")
        else:
            with posting(box, tls_context=context) as url:
                yield f"{url}?tls=required"

    return run


Encrypted = Callable[[ssl.SSLContext], AbstractContextManager[str]]
REFUSED = "the mail server's certificate cannot be trusted: "


def test_a_certificate_that_nobody_signed_gets_no_mail(tmp_path: Path, box: Postbox, encrypted: Encrypted) -> None:
    _made, context = certificate(tmp_path, "IP:127.0.0.1")
    with encrypted(context) as url:
        sent, _ = attempt(url)
    assert (sent.ok, sent.down, sent.detail.startswith(f"{REFUSED}self")) == (False, True, True)
    assert box.messages == []


def test_a_certificate_of_another_server_gets_no_mail(
    tmp_path: Path, box: Postbox, encrypted: Encrypted, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, context = certificate(tmp_path, "DNS:mail.example.org")
    monkeypatch.setenv("SSL_CERT_FILE", str(made))
    with encrypted(context) as url:
        sent, _ = attempt(url)
    assert not sent.ok
    assert sent.detail.startswith(REFUSED)
    assert "127.0.0.1" in sent.detail
    assert box.messages == []


def test_a_certificate_that_is_trusted_gets_its_mail(
    tmp_path: Path, box: Postbox, encrypted: Encrypted, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, context = certificate(tmp_path, "IP:127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(made))
    with encrypted(context) as url:
        assert attempt(url)[0].ok
    assert len(box.messages) == 1


def test_without_a_mail_server_mail_waits() -> None:
    sent, _ = attempt("")
    assert (sent.ok, sent.down, sent.final) == (False, True, False)


def server(
    host: str, port: int, starttls: str, *, user: str = "", password: str = "", secure: bool = False
) -> MailServer:
    return MailServer(host, port, secure, starttls, user, password, "netzlage@netzlage.example")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example.org", server("mail.example.org", 25, "offered")),
        ("smtp://localhost", server("localhost", 25, "")),
        ("smtp://a%40b:c%2Fd@m.example", server("m.example", 587, "required", user="a@b", password="c/d")),
        ("smtps://a:b@m.example", server("m.example", 465, "", user="a", password="b", secure=True)),
        ("smtp://127.0.0.1:1025?tls=required", server("127.0.0.1", 1025, "required")),
    ],
)
def test_the_address_of_the_server_says_how_it_is_spoken_to(url: str, expected: MailServer) -> None:
    settings = load_settings(None, {"NETZLAGE_SMTP_URL": url, "NETZLAGE_BASE_URL": SITE})
    made = Instance(settings, None, None, None, b"key")  # type: ignore[arg-type]
    assert means_of(made, Outbound()).mail == expected
