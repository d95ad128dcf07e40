"""What the channels send with: the way out, the mail server, the key of the signatures. I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from aggregator.instance import Instance
from aggregator.outbound.client import Outbound
from aggregator.settings import Settings

DEADLINE: Final = 20.0  # seconds for one message
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed in. secure: TLS from the start; starttls: "" never, "offered" if it is, or "required"."""

    host: str
    port: int
    secure: bool
    starttls: str
    user: str
    password: str
    sender: str


@dataclass(frozen=True, slots=True)
class Means:
    """What a channel may use."""

    outbound: Outbound
    mail: MailServer | None
    key: bytes


def means_of(instance: Instance, outbound: Outbound | None = None) -> Means:
    """Return the means of an instance. Receivers invited us: no pause between two messages to one host."""
    return Means(outbound or Outbound(pause=0), mail_server(instance.settings), instance.key)


def mail_server(settings: Settings) -> MailServer | None:
    """Return the mail server of the settings; None: there is none, or no base_url that its links could lead to.

    A password goes over an encrypted line only; without one a server on this machine is spoken to in the clear.
    """
    if not settings.smtp_url or not settings.base_url:
        return None
    parts = urlsplit(settings.smtp_url)
    secure, host = parts.scheme == "smtps", parts.hostname or ""
    wish = parse_qs(parts.query).get("tls", [""])[0]
    usual = "required" if parts.username else "" if host in LOOPBACK else "offered"
    return MailServer(
        host=host,
        port=parts.port or (465 if secure else 587 if parts.username else 25),
        secure=secure,
        starttls="" if secure else wish or usual,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        sender=settings.mail_from or f"netzlage@{urlsplit(settings.base_url).hostname}",
    )
