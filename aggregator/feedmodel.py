"""The words of hearing: a source and its stanza, how it goes, what could not be taken. Frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from aggregator.model import FeedKind

PAYLOAD_CAP: Final = 2_000_000  # characters of a payload that are kept
Republish = Literal["none", "counts", "rows"]


@dataclass(frozen=True, slots=True)
class Source:
    """A feed as its stanza describes it to readers. `covers` empty: all providers that it names."""

    name: str
    kind: FeedKind = "reports"
    format: str = ""
    enabled: bool = True
    every: timedelta = timedelta(minutes=5)
    licence: str = ""
    republish: Republish = "none"
    note: str = ""
    covers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FeedState:
    """How long a feed has failed, and until when it is left alone. Going well: no failures, no times."""

    failures: int = 0
    failing_since: datetime | None = None
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Payload:
    """What a feed sent and could not be read: its documents as redacted text, each with what is known of it."""

    source: str
    received_at: datetime
    error: str
    documents: tuple[tuple[str, Mapping[str, Any]], ...]
    whole: bool = True  # False: cut at the cap, so that it can be looked at but not taken again


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A rejected item, kept to be taken again. shape: what was made of it; "item": nothing, as the parser had it."""

    item_id: str
    source: str
    received_at: datetime
    reason: str
    field: str
    detail: str
    shape: Literal["raw", "item", "statement", "signal"]
    item: Any
