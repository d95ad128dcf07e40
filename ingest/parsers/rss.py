"""RSS 2.0, Atom and GeoRSS -> posts, or statements where the stanza's kind says so. Pure."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, Final

import feedparser

from aggregator.errors import FeedChanged
from aggregator.model import ALL, Rejected, Statement
from ingest.parsers import read
from ingest.parsers.base import Feed, Hints, Parsed, Post, collect
from ingest.parsers.markup import plain_text

LARGEST: Final = 3_000_000  # bytes, some seconds of work: a feed of news or posts is a tenth of it
ENTITY: Final = re.compile(r"<!ENTITY", re.IGNORECASE)
ROOT: Final = re.compile(r"<(?:\w+:)?(rss|feed|RDF)\b")
AS_UTF8: Final = {"content-type": "application/xml; charset=utf-8"}  # decoded and encoded here; what it says is void
LONGEST_QUOTE: Final = 4000


def parse(payload: bytes, feed: Feed, hints: Hints) -> Parsed:
    """Read a feed; the key of an item is its guid or id, never its link, its time pubDate, published or updated.

    Raises FeedChanged where it is none (a web page, empty, broken off, too large, with entities of its own).
    """
    text = _checked(payload, feed)
    try:
        document = feedparser.parse(io.BytesIO(text.encode("utf-8", "replace")), response_headers=AS_UTF8)
    except ValueError as error:  # a name in a namespace with a blank that is none of XML's falls into too many parts
        raise FeedChanged("The feed names a namespace that is none; it is not read.") from error
    entries: Sequence[Mapping[str, Any]] = document.entries
    if not document.version:
        raise FeedChanged("The answer is XML, but neither RSS nor Atom.")
    read_one = _statement if feed.kind == "statements" else _post
    return collect(entries, lambda entry, where: read_one(entry, feed, where))


def _checked(payload: bytes, feed: Feed) -> str:
    if len(payload) > LARGEST:
        raise FeedChanged(f"The feed has {len(payload):,} bytes; one of news or posts has {LARGEST:,} at most.")
    declared = re.match(rb"\s*<\?xml[^>]{0,200}encoding=[\"']([\w-]{1,40})", payload)
    text = read.text_of(payload, feed.encoding or _known(declared[1].decode() if declared else "")).strip()
    if not text:
        raise FeedChanged("The answer is empty where a feed was expected.")
    root = ROOT.search(text[:5000])
    if not root:
        raise FeedChanged("The answer is no RSS or Atom feed, but a web page or something else.")
    if ENTITY.search(text):
        raise FeedChanged("The feed defines entities of its own, which no honest one needs; it is not read.")
    if not re.search(rf"</(?:\w+:)?{root[1]}\s*>\s*(?:<!--.*-->\s*)?$", text[-2000:], re.DOTALL):
        raise FeedChanged("The feed breaks off before its end.")
    return text


def _known(encoding: str) -> str:
    """The encoding that the document claims, if there is such a one; UTF-8 is told by the bytes."""
    try:
        "".encode(encoding)
    except LookupError:
        return ""
    return "" if encoding.lower().replace("-", "") == "utf8" else encoding


def _post(entry: Mapping[str, Any], feed: Feed, where: str) -> Post | Rejected:
    posted_at = _moment(entry)
    if posted_at is None:
        return _undated(where)
    lat, lon = _point(entry)
    reporter = read.text(entry.get("author"))
    return Post(_key(entry), _text(entry), posted_at, reporter=reporter, lat=lat, lon=lon, where=where)


def _statement(entry: Mapping[str, Any], feed: Feed, where: str) -> Statement | Rejected:
    """A statement in the provider's own words. What it means is for a person to say: its stance is unclear."""
    said_at, quote = _moment(entry), _text(entry)[:LONGEST_QUOTE]
    if said_at is None:
        return _undated(where)
    if not quote:
        return Rejected("missing_field", "The item has neither a title nor a text.", "title", where)
    link = read.text(entry.get("link"))
    key = _key(entry) or f"{said_at.isoformat()}\x1f{quote}"
    return Statement(
        statement_id=blake2b(f"{feed.name}\x1f{key}".encode(), digest_size=12, person=b"statement").hexdigest(),
        provider=feed.provider,
        service=feed.service or ALL,
        said_at=said_at,
        quote=quote,
        stance="unclear",
        channel=feed.channel or "official",
        source=feed.name,
        link=link if link.startswith(("https://", "http://")) else "",
    )


def _key(entry: Mapping[str, Any]) -> str:
    """The guid or id; one that was made of the link only is none."""
    key = read.text(entry.get("id"))
    return key if "id" in entry else ""


def _undated(where: str) -> Rejected:
    return Rejected("bad_time", "The item has no pubDate, published or updated that is a time.", "pubDate", where)


def _text(entry: Mapping[str, Any]) -> str:
    """Title and text as one, the title not twice."""
    title = plain_text(read.text(entry.get("title")))
    contents = entry.get("content") or [{}]
    body = plain_text(str(entry.get("summary") or contents[0].get("value") or ""))
    start = title.rstrip("….").casefold()
    if not title or (start and body.casefold().startswith(start)):
        return body
    return f"{title}\n{body}" if body else title


def _moment(entry: Mapping[str, Any]) -> datetime | None:
    """The time, UTC; one without a zone is taken as UTC, as RFC 822 has it."""
    parts = entry.get("published_parsed")
    if "published" not in entry and "published_parsed" not in entry:  # else feedparser gives these, with a warning
        parts = entry.get("updated_parsed")
    try:
        year, month, day, hour, minute, second = parts[:6] if parts else (0,) * 6
        return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    except (ValueError, TypeError):
        return None


def _point(entry: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """Latitude and longitude of georss:point, gml:pos or geo:lat and geo:long; of lines and areas none."""
    where = entry.get("where")
    if isinstance(where, Mapping) and where.get("type") == "Point":
        lon, lat = where["coordinates"][:2]
        return float(lat), float(lon)
    try:
        return float(entry["geo_lat"]), float(entry["geo_long"])
    except (KeyError, ValueError, TypeError):
        return None, None
