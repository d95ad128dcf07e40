"""The seal of a form: that we made it, when, and for which code; of who asked for it, nothing. Pure.

A report is taken with a seal only, so a page of others cannot send one in a reader's name, and a program has to fetch
a form for each. It holds long enough for a line that was down, and for a page that the browser kept.
"""

from __future__ import annotations

import hmac
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final, Literal

LEAST: Final = timedelta(seconds=2)  # nobody fills the form in faster
LONGEST: Final = timedelta(days=1)
AHEAD: Final = timedelta(minutes=5)  # a clock that was set back is no forgery
Judgement = Literal["good", "early", "old", "forged"]


def seal(key: bytes, code: str, at: datetime) -> str:
    """Return the seal of the form with `code` that was made at `at`."""
    stamp = f"{int(at.timestamp()):x}"
    return f"{stamp}.{_sign(key, code, stamp)}"


def sealed_at(key: bytes, code: str, text: str) -> datetime | None:
    """Return when the form with `code` was made, None where `text` is not the seal of it."""
    stamp, _, sign = text.partition(".")
    if len(stamp) > 12 or not hmac.compare_digest(sign.encode("utf-8", "replace"), _sign(key, code, stamp).encode()):
        return None
    return datetime.fromtimestamp(int(stamp, 16), UTC)


def judge(key: bytes, code: str, text: str, now: datetime) -> Judgement:
    """Say whether the seal is one of ours, and neither too young nor too old for a person."""
    made = sealed_at(key, code, text)
    if made is None or made > now + AHEAD:
        return "forged"
    if now - made < LEAST:
        return "early"
    return "good" if now - made <= LONGEST else "old"


def _sign(key: bytes, code: str, stamp: str) -> str:
    said = f"{stamp}\x1f{code}".encode("utf-8", "surrogatepass")
    return hmac.new(b"form\x1f" + key, said, sha256).hexdigest()[:32]
