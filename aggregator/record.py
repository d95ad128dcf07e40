"""What people put on record beside the reports: ends, enquiries, corrections, tokens. Frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

CorrectionKind = Literal["withdraw", "note"]
Outcome = Literal["acknowledged", "independent_signal", "not_an_outage", "manipulation", "unresolved"]


@dataclass(frozen=True, slots=True)
class End:
    """Word that what a report told of works again since `ended_at`, known to us since `received_at`."""

    report_id: str
    ended_at: datetime
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Enquiry:
    """Somebody of this Netzlage asked a provider for a statement. Answered by the statement that names it."""

    enquiry_id: str
    incident_id: str
    provider: str
    asked_at: datetime
    received_at: datetime  # when it was put on record


@dataclass(frozen=True, slots=True)
class Correction:
    """A person took an incident back or added to it. Append-only; `author`: the token's name, or "command"."""

    incident_id: str
    at: datetime
    kind: CorrectionKind
    text: str
    author: str


@dataclass(frozen=True, slots=True)
class Retraction:
    """A person took a statement off the record, and why. It stays to be seen, and counts for nothing."""

    statement_id: str
    at: datetime
    text: str
    author: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """A person's finding of what an alarm turned out to be, and on what evidence. Append-only, the last one holds."""

    incident_id: str
    at: datetime
    outcome: Outcome
    text: str
    author: str


@dataclass(frozen=True, slots=True)
class Token:
    """A right to write through the API: what it may do, since when, and whether it was taken back."""

    token_id: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    revoked_at: datetime | None = None
