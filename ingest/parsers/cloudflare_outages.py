"""Cloudflare Radar `annotations/outages` -> signals: outages that its people found. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from aggregator.errors import FeedBlocked, FeedChanged
from aggregator.model import Rejected, Signal
from ingest.parsers import read
from ingest.parsers.base import Feed, Found, Hints, Parsed, collect

HOME: Final = "DE"
REFUSED: Final = frozenset({9109, 10000, 10001, 1010})  # their codes for a token that is wrong or may not


def parse(payload: bytes, feed: Feed, _hints: Hints) -> Parsed:
    """Read the annotations of Germany, one signal for each network they name. Raises FeedChanged, FeedBlocked.

    The region is a name (their `scope`), the provider "AS" and a number: the store's ids are found later.
    """
    document = read.json_of(payload, feed.encoding)
    if isinstance(document, Mapping) and document.get("success") is False:
        _raise(document.get("errors"))
    items = read.list_at(document, "result.annotations")
    read.expect(items, "when it began", "startDate")
    return collect(items, lambda item, where: _signals(item, feed, where))


def _raise(errors: Any) -> None:
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], Mapping) else {}
    said = f'"{read.text(first.get("message"))[:120]}"'
    if first.get("code") in REFUSED:
        raise FeedBlocked(f"The server does not let us listen: {said}.")
    raise FeedChanged(f"The answer is an error message: {said}.")


def _signals(item: Mapping[str, Any], feed: Feed, where: str) -> list[Found]:
    start, end = read.aware(item.get("startDate"), tz="UTC"), read.aware(item.get("endDate"), tz="UTC")
    if start is None:
        said = read.text(item.get("startDate"))[:40]
        return [Rejected("bad_time", f'startDate "{said}" is not a time of ISO 8601.', "startDate", where)]
    if item.get("endDate") and (end is None or end < start):
        return [Rejected("bad_time", "endDate is no time, or before startDate.", "endDate", where)]
    places = [read.text(place) for place in _list(item.get("locations"))]
    if places and HOME not in places:
        return [Rejected("outside", f"It is about {', '.join(places)[:40]}, not Germany.", "locations", where)]
    kind, scope = read.text(item.get("eventType")), read.text(item.get("scope"))
    details = {"event": kind, "scope": scope} | _cause(item.get("outage"))
    networks = [f"AS{read.text(number)}" for number in _list(item.get("asns")) if read.text(number)] or [""]
    return [
        Signal(
            signal_id=read.digest("signal", feed.name, kind, start.isoformat(), scope, network),
            source=feed.name,
            region=scope,
            started_at=start,
            ended_at=end,
            what="outage",
            link=read.link(item.get("linkedUrl")),
            details={name: said for name, said in details.items() if said},
            provider=network,
        )
        for network in networks
    ]


def _cause(outage: Any) -> dict[str, str]:
    known = outage if isinstance(outage, Mapping) else {}
    return {"cause": read.text(known.get("outageCause")), "type": read.text(known.get("outageType"))}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
