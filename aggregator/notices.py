"""What is told to whom: changes, subscriptions, deliveries, and the words that are sent. Frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

ChannelName = Literal["webhook", "email"]
Threshold = Literal["suspected", "strong"]
ChangeKind = Literal["suspected", "strong", "easing", "over", "withdrawn", "note"]
Status = Literal["waiting", "delivered", "given_up"]
Why = Literal["left", "gone", "failing", "removed"]

CONFIRMATION = "confirmation"  # the change_id of the message that asks whether an address wants to be told
TEST = "test"  # the change_id of a message that says that the channel works


@dataclass(frozen=True, slots=True)
class Change:
    """One change of an incident that subscribers are told of: of its state, or a note of a person. Told once."""

    change_id: str
    incident_id: str
    at: datetime
    kind: ChangeKind


@dataclass(frozen=True, slots=True)
class Subscription:
    """Who is told of what. `target`: URL or address, empty once it has ended; region and provider "" = all."""

    subscription_id: str
    channel: ChannelName
    target: str
    provider: str
    region: str  # AGS5 or AGS2
    threshold: Threshold
    language: str
    created_at: datetime
    confirmed_at: datetime | None = None  # None: not yet told of anything
    ended_at: datetime | None = None
    ended_why: Why | Literal[""] = ""
    private: bool = False  # a webhook may be at a private address


@dataclass(frozen=True, slots=True)
class Delivery:
    """One change on its way to one subscriber, claimed until `claimed_until`. attempts: with this one."""

    subscription: Subscription
    change_id: str
    change: Change | None  # None: a confirmation or a test
    queued_at: datetime
    attempts: int
    claimed_until: datetime

    @property
    def message_id(self) -> str:
        """The same for every attempt, so that who gets it twice can drop the second."""
        return f"msg_{self.subscription.subscription_id}_{self.change_id}"


@dataclass(frozen=True, slots=True)
class Notice:
    """The words of a message. A webhook sends `body`; an e-mail `subject` and `text`, and how to be told no more."""

    subject: str = ""
    text: str = ""
    body: bytes = b""
    unsubscribe: str = ""  # a URL; "" where there is nothing to leave yet


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of an attempt. code: of HTTP or SMTP, 0 where there was no answer; `detail` names no address."""

    ok: bool
    code: int = 0
    detail: str = ""
    final: bool = False  # trying again is of no use
    gone: bool = False  # the receiver wants no more
    down: bool = False  # what goes the same way need not be tried now
    retry_after: float = 0.0  # seconds for which it asks to be left alone


@dataclass(frozen=True, slots=True)
class Attempt:
    """A line of the delivery log."""

    subscription_id: str
    change_id: str
    at: datetime
    seconds: float
    code: int
    detail: str
