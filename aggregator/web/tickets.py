"""Links that only we can have written: whose subscription, for what, until when, signed with our key. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import blake2b
from hmac import compare_digest
from typing import Final, Literal

Purpose = Literal["confirm", "leave"]
FOREVER: Final = 0
LONGEST: Final = 200


def write_ticket(key: bytes, purpose: Purpose, subscription_id: str, until: datetime | None = None) -> str:
    """Return a ticket: id, end and signature, with dots between them; until None: it holds for good."""
    end = int(until.timestamp()) if until else FOREVER
    return f"{subscription_id}.{end}.{_signature(key, purpose, subscription_id, end)}"


def read_ticket(key: bytes, purpose: Purpose, text: str, now: datetime) -> str | None:
    """Return whose ticket it is; None: it is not ours, for something else, or has run out."""
    subscription_id, _, rest = text[:LONGEST].partition(".")
    number, _, signature = rest.partition(".")
    if not (number.isascii() and number.isdecimal() and len(number) < 12):
        return None
    end = int(number)
    if not compare_digest(_signature(key, purpose, subscription_id, end).encode(), signature.encode()):
        return None
    return subscription_id if end == FOREVER or now <= datetime.fromtimestamp(end, UTC) else None


def _signature(key: bytes, purpose: Purpose, subscription_id: str, end: int) -> str:
    whole = blake2b(key, digest_size=32).digest()
    person = f"ticket {purpose}".encode()
    return blake2b(f"{subscription_id}.{end}".encode(), key=whole, digest_size=16, person=person).hexdigest()
