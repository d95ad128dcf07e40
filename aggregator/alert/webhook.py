"""A message to a webhook, signed as Standard Webhooks 1.0.0 asks for (standardwebhooks.com). I/O."""

from __future__ import annotations

from base64 import b64decode, b64encode
from datetime import datetime
from hashlib import blake2b, sha256
from hmac import digest
from typing import Final

from aggregator.alert.means import DEADLINE, Means
from aggregator.errors import FeedError
from aggregator.notices import Delivery, Notice, Sent
from aggregator.outbound.answer import Answer

MARK: Final = "whsec_"
MOST_BYTES: Final = 1_000_000  # of an answer that nobody reads
GONE: Final = 410
BUSY: Final = frozenset({429, 502, 503, 504})


def secret_of(key: bytes, subscription_id: str) -> str:
    """Return the secret of a subscription, as its receiver is told it: made of our key, kept nowhere."""
    whole = blake2b(key, digest_size=32).digest()
    made = blake2b(subscription_id.encode(), key=whole, digest_size=32, person=b"webhook").digest()
    return MARK + b64encode(made).decode()


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """Return the signature of a message; timestamp: of the attempt, in seconds since the epoch."""
    key = b64decode(secret.removeprefix(MARK))
    made = digest(key, f"{message_id}.{timestamp}.".encode() + body, sha256)
    return f"v1,{b64encode(made).decode()}"


def send_webhook(means: Means, delivery: Delivery, notice: Notice, now: datetime) -> Sent:
    """Post the body; it has arrived when the receiver answers 2xx within the deadline. Redirects are not followed."""
    whose, timestamp = delivery.subscription, int(now.timestamp())
    secret = secret_of(means.key, whose.subscription_id)
    headers = {
        "Content-Type": "application/json",
        "webhook-id": delivery.message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(secret, delivery.message_id, timestamp, notice.body),
    }
    try:
        with means.outbound.conversation(allow_private=whose.private, invited=True, deadline=DEADLINE) as talk:
            answer = talk.post(whose.target, data=notice.body, headers=headers, max_bytes=MOST_BYTES, any_status=True)
    except FeedError as error:
        return Sent(False, 0, str(error).partition(";")[0].rstrip("."), down=True)
    return _read(answer)


def _read(answer: Answer) -> Sent:
    if 200 <= answer.status < 300:
        return Sent(True, answer.status)
    if answer.status == GONE:
        return Sent(False, GONE, "it wants no more", final=True, gone=True)
    wish = answer.headers.get("retry-after", "")
    wait = float(wish) if answer.status in BUSY and wish.isascii() and wish.isdecimal() and len(wish) < 8 else 0.0
    return Sent(False, answer.status, f"it answers {answer.status}", down=True, retry_after=wait)
