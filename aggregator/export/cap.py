"""An incident -> a CAP 1.2 message (OASIS Common Alerting Protocol), for programs that take in warnings. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from typing import Final, Literal

from aggregator.clock import BERLIN

MEDIA_TYPE: Final = "application/cap+xml; charset=utf-8"
NAMESPACE: Final = "urn:oasis:names:tc:emergency:cap:1.2"
HOLDS: Final = timedelta(hours=24)  # a message about something that goes on
MessageKind = Literal["Alert", "Update", "Cancel"]


@dataclass(frozen=True, slots=True)
class Told:
    """What a message says in one language, such as "de-DE"."""

    language: str
    event: str
    headline: str
    description: str
    web: str
    area: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message about an incident. What people report never makes it more certain than possible."""

    incident_id: str
    sent: Sequence[datetime]  # of all messages about it so far, aware; the last one's is this one's
    sender: str  # netzlage@host
    told: Sequence[Told]  # the same in each language, each a block of its own
    districts: Sequence[str]  # AGS; empty: the nation
    onset: datetime
    over: bool
    withdrawn: bool
    simulated: bool


def write_cap(message: Message) -> bytes:
    """Return the message as a document. Its identifier is the incident's id and the message's number."""
    return "".join(("<?xml version='1.0' encoding='UTF-8'?>\n", *_alert(message))).encode()


def _alert(message: Message) -> Iterator[str]:
    number = len(message.sent)
    yield f'<alert xmlns="{NAMESPACE}">\n'
    yield _element("identifier", _identifier(message, number))
    yield _element("sender", message.sender)
    yield _element("sent", _time(message.sent[-1]))
    yield _element("status", "Exercise" if message.simulated else "Actual")
    yield _element("msgType", _kind(message))
    yield _element("scope", "Public")
    if message.simulated:
        yield _element("note", "SIMULATION")
    if number > 1:
        earlier = (f"{message.sender},{_identifier(message, n)},{_time(message.sent[n - 1])}" for n in range(1, number))
        yield _element("references", " ".join(earlier))
    yield from (f"<info>\n{''.join(_info(message, told))}</info>\n" for told in message.told)
    yield "</alert>\n"


def _identifier(message: Message, number: int) -> str:
    return f"{message.incident_id}-m{number}"


def _kind(message: Message) -> MessageKind:
    if message.withdrawn:
        return "Cancel"
    return "Alert" if len(message.sent) == 1 else "Update"


def _info(message: Message, told: Told) -> Iterator[str]:
    ended = message.over or message.withdrawn
    yield _element("language", told.language)
    yield _element("category", "Infra")
    yield _element("event", told.event)
    if ended:
        yield _element("responseType", "AllClear")
    yield _element("urgency", "Past" if ended else "Unknown")
    yield _element("severity", "Unknown")
    yield _element("certainty", "Possible")
    yield _element("effective", _time(message.sent[-1]))
    yield _element("onset", _time(message.onset))
    if not ended:
        yield _element("expires", _time(message.sent[-1] + HOLDS))
    yield _element("senderName", "Netzlage")
    yield _element("headline", told.headline)
    yield _element("description", told.description)
    yield _element("web", told.web)
    yield f"<area>\n{_element('areaDesc', told.area)}"
    name = _element("valueName", "AGS")
    yield from (f"<geocode>\n{name}{_element('value', one)}</geocode>\n" for one in message.districts)
    yield "</area>\n"


def _element(name: str, text: str) -> str:
    clean = "".join(letter for letter in text if letter.isprintable())
    return f"<{name}>{escape(clean, quote=False)}</{name}>\n"


def _time(moment: datetime) -> str:
    """Return German time with its offset: CAP knows no Z."""
    return moment.astimezone(BERLIN).isoformat(timespec="seconds")
