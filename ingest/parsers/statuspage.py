"""Atlassian Statuspage: summary.json or incidents.json -> statements, one for each update of an incident. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from aggregator.model import ALL, Rejected, Stance, Statement
from ingest.parsers import read
from ingest.parsers.base import Feed, Found, Hints, Parsed, collect

# "All systems operational" with nobody asking is not a denial: where there is no incident, nothing is said.
STANCES: Final[Mapping[str, Stance]] = {
    "investigating": "partly_acknowledged",
    "identified": "acknowledged",
    "monitoring": "acknowledged",
    "resolved": "resolved",
    "postmortem": "resolved",
}
PLANNED: Final = frozenset({"scheduled", "in_progress", "verifying", "completed"})


def parse(payload: bytes, feed: Feed, _hints: Hints) -> Parsed:
    """Read the incidents; planned maintenance is rejected as such. Raises FeedChanged where the form is another."""
    items = read.list_at(read.json_of(payload, feed.encoding), feed.records or "incidents")
    read.expect(items, "what was said", "incident_updates")
    return collect(items, lambda item, where: _statements(item, feed, where))


def _statements(item: Mapping[str, Any], feed: Feed, where: str) -> list[Found]:
    updates = item.get("incident_updates")
    if not isinstance(updates, list):
        return [Rejected("missing_field", "The incident has no list of updates.", "incident_updates", where)]
    if read.text(item.get("impact")) == "maintenance" or read.text(item.get("status")) in PLANNED:
        return [Rejected("planned_work", "It is planned maintenance, announced before: no fault.", "impact", where)]
    return [
        _statement(item, update, feed, f"{where}, update {number}")
        if isinstance(update, Mapping)
        else Rejected("missing_field", "The update is not a record with named fields.", where=where)
        for number, update in enumerate(updates, 1)
    ]


def _statement(item: Mapping[str, Any], update: Mapping[str, Any], feed: Feed, where: str) -> Statement | Rejected:
    """Read one update. Its stance is the page's own word for the state, never guessed from the text."""
    said = read.text(update.get("display_at")) or read.text(update.get("created_at"))
    said_at = read.aware(said)
    if said_at is None:
        return Rejected("bad_time", f'display_at "{said[:40]}" is not a time of ISO 8601.', "display_at", where)
    name, body = read.text(item.get("name")), read.text(update.get("body"))
    if not (name or body):
        return Rejected("missing_field", "The update says nothing: name and body are empty.", "body", where)
    status, quote = read.text(update.get("status")), f"{name}: {body}" if name and body else name or body
    return Statement(
        statement_id=read.digest("statement", feed.name, feed.provider, said_at.isoformat(), status, quote),
        provider=feed.provider,
        service=feed.service or ALL,
        said_at=said_at,
        quote=quote,
        stance=STANCES.get(status, "unclear"),
        channel=feed.channel or "official",
        source=feed.name,
        link=read.link(item.get("shortlink")),
    )
