"""One item of a list or table, by the stanza's field map -> RawReport, Statement or Rejected. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, cast, get_args

from aggregator.errors import FeedChanged
from aggregator.model import ALL, Channel, PlaceSource, RawReport, Rejected, Stance, Statement
from ingest.parsers import read
from ingest.parsers.base import Feed, Parsed, collect

REPORT_FIELDS: Final = frozenset(
    {
        "report_id",
        "observed_at",
        "began_at",
        "ended_at",
        "received_at",
        "provider",
        "service",
        "symptom",
        "deleted",
        "region",
        "plz",
        "place",
    }
    | {"lat", "lon", "area_code", "place_source", "reporter", "address", "comment"}
)
STATEMENT_FIELDS: Final = frozenset(
    {"statement_id", "provider", "service", "said_at", "quote", "stance", "channel", "link"}
    | {"own_words", "assumed_time"}
)
# Without these an item is nothing; gone from every item, the form has changed.
NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "reports": ("report_id", "observed_at", "provider", "service"),
    "statements": ("statement_id", "said_at", "provider", "quote", "stance"),
}
TRUE: Final = frozenset({"true", "1", "yes", "ja"})
TIMES: Final = ("observed_at", "began_at", "ended_at", "received_at")
PLACES: Final = frozenset(get_args(PlaceSource))


def parse_items(items: Sequence[Any], feed: Feed, wheres: Iterable[str]) -> Parsed:
    """Read every item by the field map; `wheres` name the items in messages ("item 1", "line 2").

    Raises FeedChanged where a field that is needed and mapped stands in no item at all.
    Without a field map the names are ours already.
    """
    if not feed.fields:  # then the names are ours already
        own = STATEMENT_FIELDS if feed.kind == "statements" else REPORT_FIELDS
        feed = replace(feed, fields={name: name for name in own})
    else:
        _expect_fields(items, feed)
    read_one = _statement if feed.kind == "statements" else _report
    return collect(items, lambda item, where: read_one(item, feed, where), wheres)


def _expect_fields(items: Sequence[Any], feed: Feed) -> None:
    for name in NEEDED[feed.kind]:
        path = feed.fields.get(name, "").partition("[")[0]
        if items and path and all(read.at(item, path) is read.MISSING for item in items):
            raise FeedChanged(f'No item has "{path}" (our {name}) any more; the form has changed, or fields is wrong.')


def _texts(item: Mapping[str, Any], feed: Feed) -> dict[str, str]:
    return {name: read.text(read.mapped(item, name, path)) for name, path in feed.fields.items()}


def _report(item: Mapping[str, Any], feed: Feed, where: str) -> RawReport | Rejected:
    said = _texts(item, feed)
    times: dict[str, datetime | str | None] = {}
    for name in TIMES:
        try:
            times[name] = read.moment(said.get(name), feed.date_format, feed.tz)
        except ValueError:
            return _bad_time(name, said[name], feed, where)
    return RawReport(
        source=feed.name,
        provider=said.get("provider") or feed.provider,
        service=said.get("service") or feed.service,
        symptom=said.get("symptom") or feed.symptom,
        key=said.get("report_id", ""),
        **times,
        region=said.get("region", ""),
        plz=read.postcode(said.get("plz")),
        place=said.get("place", ""),
        area_code=said.get("area_code", ""),
        lat=read.number(said.get("lat")),
        lon=read.number(said.get("lon")),
        place_source=cast(PlaceSource, said["place_source"]) if said.get("place_source") in PLACES else "",
        reporter=said.get("reporter", ""),
        address=said.get("address", ""),
        comment=said.get("comment", ""),
        open_provider=feed.open_providers,
        network="",
        deleted=said.get("deleted", "").lower() in TRUE,
        where=where,
    )


def _bad_time(name: str, said: str, feed: Feed, where: str) -> Rejected:
    form = f"the form {feed.date_format}" if feed.date_format != "iso" else "ISO 8601"
    return Rejected("bad_time", f'{name} "{said[:40]}" is not a time of {form}.', name, where)


def _statement(item: Mapping[str, Any], feed: Feed, where: str) -> Statement | Rejected:
    """Read one statement. What it means is told by the structured field only, never guessed from its words."""
    said = _texts(item, feed)
    said_at = read.aware(said.get("said_at", ""), feed.date_format, feed.tz)
    if said_at is None:
        return _bad_time("said_at", said.get("said_at", ""), feed, where)
    provider, quote = said.get("provider") or feed.provider, said.get("quote", "")
    if not provider or not quote:
        name = "quote" if provider else "provider"
        return Rejected("missing_field", f"The statement has no {name}.", name, where)
    channel = said.get("channel") or feed.channel or ""
    if channel not in get_args(Channel):
        known = ", ".join(get_args(Channel))
        return Rejected("missing_field", f'Its channel "{channel[:40]}" is none of {known}.', "channel", where)
    key = said.get("statement_id") or f"{provider}\x1f{said_at.isoformat()}\x1f{quote}"
    stance = said.get("stance", "")
    return Statement(
        statement_id=read.digest("statement", feed.name, key),
        provider=provider,
        service=said.get("service") or feed.service or ALL,
        said_at=said_at,
        quote=quote,
        stance=cast(Stance, stance) if stance in get_args(Stance) else "unclear",
        channel=cast(Channel, channel),
        source=feed.name,
        link=read.link(said.get("link")),
        own_words=said.get("own_words") == "true",
        assumed_time=said.get("assumed_time") == "true",
    )
