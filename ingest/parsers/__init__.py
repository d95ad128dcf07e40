"""The registry of formats: payload -> raw reports, statements and rejected items. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ingest.parsers import csv_table, downdetector_v2, json_records
from ingest.parsers.base import NO_HINTS, Feed, Hints, Parsed, Parser

PARSERS: Final[Mapping[str, Parser]] = {
    "downdetector_v2": downdetector_v2.parse,
    "json_records": json_records.parse,
    "csv_table": csv_table.parse,
}
# What each format can be; a stanza that says otherwise is refused.
KINDS: Final[Mapping[str, frozenset[str]]] = {
    "downdetector_v2": frozenset({"reports"}),
    "json_records": frozenset({"reports", "statements"}),
    "csv_table": frozenset({"reports"}),
}

__all__ = ["KINDS", "NO_HINTS", "PARSERS", "Feed", "Hints", "Parsed", "Parser"]
