"""What the formats share: bytes -> text, JSON, values at a path, times, numbers, postcodes. Pure."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, Final
from zoneinfo import ZoneInfo

from aggregator.errors import FeedChanged

MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
MOST_RECORDS: Final = 200_000  # of one document: more would not fit into the memory that a feed may have
MOST_VALUES: Final = 2_000_000
LONGEST: Final = 4000  # characters of one value that are looked at
MISSING: Final = object()
UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
HOME: Final = "Europe/Berlin"


def span(value: Any) -> timedelta:
    """Read a length of time such as "60s", "5m", "1h" or "1d". Raises ValueError."""
    found = re.fullmatch(r"(\d{1,9})\s*([smhd])", str(value))
    if not found or not int(found[1]):
        raise ValueError('must be a time such as "60s", "5m", "1h" or "1d"')
    return timedelta(seconds=int(found[1]) * UNITS[found[2]])


def text_of(payload: bytes, encoding: str = "") -> str:
    """Decode bytes: byte-order mark, else `encoding`, else UTF-8, else Windows-1252 (what wrong pages are in)."""
    for mark, name in MARKS:
        if payload.startswith(mark):
            return payload[len(mark) :].decode(name, "replace")
    if encoding:
        return payload.decode(encoding, "replace")
    try:
        return payload.decode("utf-8")
    except UnicodeDecodeError:
        return payload.decode("cp1252", "replace")


def json_of(payload: bytes, encoding: str = "") -> Any:
    """Read a JSON document. Raises FeedChanged for an empty answer, a web page, or JSON that breaks off."""
    text = text_of(payload, encoding)
    start = text[:1000].lstrip()[:1] or text.strip()[:1]
    if not start:
        raise FeedChanged("The answer is empty where a JSON document was expected.")
    if start == "<":
        raise FeedChanged("The answer is a web page (HTML or XML) where JSON was expected.")
    bounded(text.count("{") + text.count("["), text.count(","))
    try:
        return json.loads(text, parse_constant=lambda _: None)
    except json.JSONDecodeError as error:
        broken = "breaks off" if error.pos >= len(text.rstrip()) - 1 else f"is not JSON at line {error.lineno}"
        raise FeedChanged(f"The answer {broken} ({error.msg.lower()}).") from None
    except (ValueError, RecursionError):
        raise FeedChanged(
            "The answer is JSON that cannot be meant: nested too deep, or a number without end."
        ) from None


def bounded(records: int, values: int) -> None:
    """Raise FeedChanged for a document that is small as bytes and would be too large in memory."""
    if records > MOST_RECORDS or values > MOST_VALUES:
        raise FeedChanged(f"The answer has more than {MOST_RECORDS:,} records; nothing of it was taken.")


def list_at(document: Any, path: str) -> list[Any]:
    """Return the list that stands at `path` ("" = the document itself); FeedChanged where there is none."""
    found = at(document, path) if path else document
    if isinstance(found, list):
        return found
    if isinstance(document, Mapping) and document.get("error"):
        said = str(document.get("message", document["error"]))[:120]
        raise FeedChanged(f'The answer is an error message instead of a list: "{said}".')
    place = f'at "{path}"' if path else "as the document"
    raise FeedChanged(f"The answer has no list {place}; its form has changed, or records is wrong.")


def at(item: Any, path: str) -> Any:
    """Return the value at a dotted path (a number picks from a list), or MISSING."""
    if isinstance(item, Mapping) and path in item:
        return item[path]
    for step in path.split("."):
        if isinstance(item, Mapping) and step in item:
            item = item[step]
        elif isinstance(item, list) and step.isdigit() and int(step) < len(item):
            item = item[int(step)]
        else:
            return MISSING
    return item


def mapped(item: Any, name: str, path: str) -> Any:
    """Return the value of our field `name`: at `path`, or the part of a "pos[lon,lat]" that is called `name`."""
    base, bracket, inner = path.partition("[")
    if not bracket:
        return at(item, path)
    value = at(item, base)
    names = [part.strip() for part in inner.rstrip("]").split(",")]
    parts = value if isinstance(value, list) else re.split(r"[,;\s]+", str(value).strip())
    if value is MISSING or value is None or value == "":
        return value
    # A wrong number of parts is passed on whole, to be rejected with what it said.
    return parts[names.index(name)] if len(parts) == len(names) else str(value)


def text(value: Any) -> str:
    """Return a value as text: null and missing are "", a whole float has no .0, a list or table is not text."""
    if value is None or value is MISSING or isinstance(value, Mapping | list):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)[:LONGEST].strip()


def number(value: Any) -> float | str | None:
    """Return a coordinate as number, else as the text it is (for the message); a decimal comma is understood."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    said = text(value)
    if not said:
        return None
    try:
        return float(said.replace(",", ".", 1) if "." not in said else said)
    except ValueError:
        return said


def postcode(value: Any) -> str:
    """Return a German postcode with the leading zero that a number loses (04109 comes as 4109)."""
    said = text(value)
    said = said.removesuffix(".0")
    return said.zfill(5) if said.isascii() and said.isdigit() and len(said) == 4 else said


def moment(value: Any, date_format: str, tz: str) -> datetime | str | None:
    """Return a time as a pattern says it, aware; ISO text is left to the one door.

    Raises ValueError where the text does not fit the pattern.
    """
    said = text(value)
    if not said:
        return None
    if date_format == "iso":
        return _iso(said, tz)
    parsed = datetime.strptime(said, date_format)  # noqa: DTZ007 - the zone follows
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=ZoneInfo(tz))


def _iso(said: str, tz: str) -> datetime | str:
    """Leave ISO text to the one door, except where it has no zone and the stanza names another than ours."""
    if tz == HOME:
        return said
    try:
        parsed = datetime.fromisoformat(said)
    except ValueError:
        return said
    return said if parsed.tzinfo else parsed.replace(tzinfo=ZoneInfo(tz))


def aware(value: Any, date_format: str = "iso", tz: str = HOME) -> datetime | None:
    """Return a time as aware UTC, None where there is none or it cannot be read; without a zone it is one of `tz`."""
    try:
        found = moment(value, date_format, tz)
        parsed = datetime.fromisoformat(found) if isinstance(found, str) else found
    except ValueError:
        return None
    if parsed is None:
        return None
    try:
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=ZoneInfo(tz))).astimezone(UTC)
    except OverflowError:
        return None


def epoch(value: Any) -> datetime | None:
    """Return a time given in seconds since the epoch, None where it is none that a calendar has."""
    said = number(value)
    if not isinstance(said, float) or not 0 <= said < 32_503_680_000:  # year 3000; also no NaN
        return None
    return datetime.fromtimestamp(int(said), UTC)


def link(value: Any) -> str:
    """Return a web address, "" for anything else."""
    said = text(value)
    return said if said.startswith(("https://", "http://")) else ""


def digest(kind: str, *parts: str) -> str:
    """Return an id made of what a thing says: the same thing has the same, whatever number its source gives it."""
    return blake2b(
        "\x1f".join(parts).encode("utf-8", "surrogatepass"), digest_size=12, person=kind.encode()
    ).hexdigest()


def expect(items: list[Any], name: str, *keys: str) -> None:
    """Raise FeedChanged where no item has any of `keys`; `name` is what we call it."""
    if items and not any(isinstance(item, Mapping) and key in item for item in items for key in keys):
        raise FeedChanged(
            f'No item has "{" or ".join(f"{key}" for key in keys)}" ({name}) any more; the form has changed.'
        )
