"""A JSON list of records -> raw reports or statements, by the stanza's field map. Pure."""

from __future__ import annotations

from itertools import count

from ingest.parsers import read
from ingest.parsers.base import Feed, Hints, Parsed
from ingest.parsers.fields import parse_items


def parse(payload: bytes, feed: Feed, hints: Hints) -> Parsed:
    """Read the list at `records` ("" = the document). Raises FeedChanged where the form is another."""
    items = read.list_at(read.json_of(payload, feed.encoding), feed.records)
    return parse_items(items, feed, (f"item {number}" for number in count(1)))
