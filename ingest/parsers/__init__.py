"""The registry of formats: payload -> raw reports, statements and rejected items. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ingest.parsers import (
    cloudflare_outages,
    csv_table,
    downdetector_v2,
    ioda,
    json_records,
    mastodon_tag,
    open311,
    rss,
    statuspage,
    stoerungsauskunft,
)
from ingest.parsers.base import NO_HINTS, Feed, Hints, Parsed, Parser

PARSERS: Final[Mapping[str, Parser]] = {
    "downdetector_v2": downdetector_v2.parse,
    "stoerungsauskunft": stoerungsauskunft.parse,
    "open311": open311.parse,
    "mastodon_tag": mastodon_tag.parse,
    "rss": rss.parse,
    "statuspage": statuspage.parse,
    "ioda": ioda.parse,
    "cloudflare_outages": cloudflare_outages.parse,
    "json_records": json_records.parse,
    "csv_table": csv_table.parse,
}
# What each format can be; a stanza that says otherwise is refused.
KINDS: Final[Mapping[str, frozenset[str]]] = {
    "downdetector_v2": frozenset({"reports", "signals"}),
    "stoerungsauskunft": frozenset({"reports", "statements"}),
    "open311": frozenset({"reports"}),
    "mastodon_tag": frozenset({"reports"}),
    "rss": frozenset({"reports", "statements"}),
    "statuspage": frozenset({"statements"}),
    "ioda": frozenset({"signals"}),
    "cloudflare_outages": frozenset({"signals"}),
    "json_records": frozenset({"reports", "statements"}),
    "csv_table": frozenset({"reports"}),
}

__all__ = ["KINDS", "NO_HINTS", "PARSERS", "Feed", "Hints", "Parsed", "Parser"]
