"""Who may write through the API: of a token only a hash is kept, and it can be taken back. I/O."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from hmac import compare_digest
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, select, update

from aggregator.record import Token
from aggregator.store.record_tables import tokens

MARK: Final = "nlz"  # tells a Netzlage token from others, also for programs that look for secrets in code
SCOPES: Final = ("statements", "corrections", "moderation")


@dataclass(frozen=True, slots=True)
class Issued:
    """A new token: its row, and the text that is shown once."""

    token: Token
    text: str


def add(connection: Connection, name: str, scopes: Sequence[str], at: datetime) -> Issued:
    """Make a token called `name` for `scopes` (of SCOPES, else ValueError)."""
    unknown = set(scopes) - set(SCOPES)
    if unknown or not scopes:
        raise ValueError(f"scopes {sorted(unknown)}")
    token = Token(secrets.token_hex(4), name, tuple(sorted(set(scopes))), at)
    secret = secrets.token_urlsafe(32)  # 256 bits: nothing to guess, so a fast hash is enough
    row = {"token_id": token.token_id, "name": name, "scopes": json.dumps(token.scopes), "created_at": at}
    connection.execute(insert(tokens), {**row, "hash": _hash(secret), "revoked_at": None})
    return Issued(token, f"{MARK}_{token.token_id}_{secret}")


def _hash(secret: str) -> str:
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def check(connection: Connection, text: str) -> Token | None:
    """Return the token that `text` is, None: it is none, or it was revoked."""
    mark, _, rest = text.partition("_")
    token_id, _, secret = rest.partition("_")
    row = connection.execute(select(tokens).where(tokens.c.token_id == token_id)).first()
    known = row.hash if row else _hash("")
    right = compare_digest(_hash(secret), known)
    return _token(row) if row and right and mark == MARK and row.revoked_at is None else None


def everyone(connection: Connection) -> list[Token]:
    """Return all tokens, also the revoked ones, in the order of their making."""
    return [_token(row) for row in connection.execute(select(tokens).order_by(tokens.c.created_at, tokens.c.token_id))]


def revoke(connection: Connection, token_id: str, at: datetime) -> bool:
    """Take a token back; False: there is none of that id that still holds."""
    holds = (tokens.c.token_id == token_id, tokens.c.revoked_at.is_(None))
    return connection.execute(update(tokens).where(*holds).values(revoked_at=at)).rowcount == 1


def _token(row: Row[Any]) -> Token:
    return Token(row.token_id, row.name, tuple(json.loads(row.scopes)), row.created_at, row.revoked_at)
