"""A message by e-mail, handed to one SMTP server; what goes wrong is told without anybody's address. I/O."""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any, Final

from aggregator.alert.means import DEADLINE, MailServer, Means
from aggregator.notices import Delivery, Notice, Sent
from aggregator.outbound.guard import Watch

CONNECT: Final = 10.0  # seconds for one answer of the server
NO_SERVER: Final = Sent(False, 0, "no mail server is set: smtp_url and base_url are needed", down=True)
Server = smtplib.SMTP


def send_email(means: Means, delivery: Delivery, notice: Notice, now: datetime) -> Sent:
    """Hand a message in; it is sent when the server has taken it. That it comes back as a bounce is not seen here."""
    server = means.mail
    if server is None:
        return NO_SERVER
    message = write(server, delivery, notice)
    try:
        with _connected(server) as smtp:
            return _hand_in(smtp, server, delivery.subscription.target, message)
    except smtplib.SMTPResponseException as error:  # greeting, EHLO, login: the server will have nobody's mail
        return Sent(False, error.smtp_code, f"the mail server answers {error.smtp_code}", down=True)
    except smtplib.SMTPNotSupportedError:
        return Sent(False, 0, "the mail server offers no encryption or no login", down=True)
    except (smtplib.SMTPException, OSError, ValueError) as error:
        return Sent(False, 0, _why(error), down=True)


def write(server: MailServer, delivery: Delivery, notice: Notice) -> EmailMessage:
    """Return the message; its Message-ID is the same in every attempt, and its date that of the change."""
    message = EmailMessage(policy=SMTP)
    message["From"] = Address("Netzlage", addr_spec=server.sender)
    message["To"] = Address(addr_spec=delivery.subscription.target)
    message["Subject"] = notice.subject
    message["Date"] = format_datetime(delivery.queued_at)
    message["Message-ID"] = f"<{delivery.message_id}@{server.sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    if notice.unsubscribe:
        message["List-Unsubscribe"] = f"<{notice.unsubscribe}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(notice.text, cte="quoted-printable")
    return message


@contextmanager
def _connected(server: MailServer) -> Iterator[Server]:
    """Give a session that is cut at the deadline, whatever the server sends and however slowly."""
    watch = Watch()
    watch.start(DEADLINE)
    with ExitStack() as stack:
        stack.callback(watch.close)
        smtp = _connect(server, watch)
        stack.callback(smtp.close)
        _greet(smtp, server)
        yield smtp


def _connect(server: MailServer, watch: Watch) -> Server:
    class Watched(smtplib.SMTP):
        def _get_socket(self, host: str, port: int, timeout: float) -> Any:
            opened: socket.socket = super()._get_socket(host, port, timeout)  # type: ignore[misc]
            watch.add(opened)
            return opened

    class Secured(smtplib.SMTP_SSL, Watched):  # in this order: the bare socket is watched, then wrapped
        pass

    name = server.sender.rpartition("@")[2]
    smtp: Server
    if server.secure:  # without a context of ours it would take any certificate
        smtp = Secured(local_hostname=name, timeout=CONNECT, context=ssl.create_default_context())
    else:
        smtp = Watched(local_hostname=name, timeout=CONNECT)
    smtp._host = server.host  # type: ignore[attr-defined]  # what its certificate is checked for
    try:
        code, _ = smtp.connect(server.host, server.port)
    except (OSError, smtplib.SMTPException):
        smtp.close()
        raise
    if code != 220:
        smtp.close()
        raise smtplib.SMTPConnectError(code, b"")
    return smtp


def _greet(smtp: Server, server: MailServer) -> None:
    smtp.ehlo_or_helo_if_needed()
    if server.starttls == "required" or (server.starttls == "offered" and smtp.has_extn("starttls")):
        smtp.starttls(context=ssl.create_default_context())
        smtp.ehlo()
    if server.user:
        smtp.login(server.user, server.password)


def _hand_in(smtp: Server, server: MailServer, target: str, message: EmailMessage) -> Sent:
    try:
        smtp.send_message(message, server.sender, [target])
    except smtplib.SMTPRecipientsRefused as error:
        code = next((answer[0] for answer in error.recipients.values()), 0)
        return Sent(False, code, f"the mail server answers {code} to this address", final=code >= 500)
    except smtplib.SMTPDataError as error:
        code = error.smtp_code
        return Sent(False, code, f"the mail server answers {code} to this message", final=code >= 500)
    with suppress(smtplib.SMTPException, OSError):  # it has been taken; how the server says goodbye changes nothing
        smtp.quit()
    return Sent(True, 250)


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):  # smtplib wraps it
        return "the mail server does not answer in time"
    if isinstance(error, ConnectionRefusedError | socket.gaierror):
        return "the mail server cannot be reached"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the mail server's certificate cannot be trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return "the mail server's encryption cannot be used"
    return "the mail server broke off"
