"""Open311 GeoReport v2 `requests`, as JSON or XML -> raw reports. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from aggregator.errors import FeedChanged
from aggregator.model import RawReport, Rejected
from ingest.parsers import read
from ingest.parsers.base import Feed, Hints, Parsed, collect

ROOT: Final = "service_requests"
PLZ: Final = re.compile(r"(?<!\d)\d{5}(?!\d)")
CLOSED: Final = "closed"


def parse(payload: bytes, feed: Feed, _hints: Hints) -> Parsed:
    """Read a list of service requests. Raises FeedChanged where the form is another, or an error message."""
    items = requests_of(payload, feed)
    _be_no_errors(items)
    read.expect(items, "its number", "service_request_id", "token")
    read.expect(items, "when it was reported", "requested_datetime")
    return collect(items, lambda item, where: _report(item, feed, where))


def requests_of(payload: bytes, feed: Feed) -> list[Any]:
    """Return the records of a payload; FeedChanged where it is none."""
    if payload.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        return _records(payload)
    document = read.json_of(payload, feed.encoding)
    return read.list_at(document, feed.records or (ROOT if isinstance(document, Mapping) else ""))


def _records(payload: bytes) -> list[Any]:
    """Read XML without entities of its own, which could grow without end or read files."""
    tags = payload.count(b"<")
    read.bounded(tags // 8, tags)
    try:
        root: Element = fromstring(payload, forbid_dtd=True)
    except DefusedXmlException:
        raise FeedChanged("The answer is XML with a document type of its own, which is not read.") from None
    except (ParseError, ValueError, LookupError) as error:
        raise FeedChanged(f"The answer is not XML ({str(error)[:100]}); it is a web page, or it breaks off.") from None
    if root.tag == "errors":
        raise FeedChanged(f'The answer is an error message: "{" ".join(root.itertext()).strip()[:120]}".')
    if root.tag != ROOT:
        raise FeedChanged(f"The answer is XML of the kind <{root.tag[:40]}>, not <{ROOT}>.")
    return [{field.tag: (field.text or "").strip() for field in request} for request in root]


def _be_no_errors(items: list[Any]) -> None:
    first = items[0] if items else None
    if isinstance(first, Mapping) and "code" in first and "description" in first and "service_request_id" not in first:
        raise FeedChanged(f'The answer is an error message: "{read.text(first["description"])[:120]}".')


def _report(item: Mapping[str, Any], feed: Feed, where: str) -> RawReport | Rejected:
    key, address = read.text(item.get("service_request_id")), read.text(item.get("address"))
    if not key:
        return Rejected("missing_field", "It has no service_request_id yet, only a token.", "service_request_id", where)
    return RawReport(
        source=feed.name,
        provider=read.text(item.get("agency_responsible")) or feed.provider,
        service=feed.services.get(read.text(item.get("service_code"))) or feed.service or "other",
        symptom=feed.symptom,
        key=key,
        observed_at=read.text(item.get("requested_datetime")) or None,
        ended_at=_end(item),
        plz=read.postcode(item.get("zipcode")) or _postcode_in(address),
        lat=read.number(item.get("lat")),
        lon=read.number(item.get("long")),
        comment=read.text(item.get("description")),
        open_provider=feed.open_providers,
        where=where,
    )


def _end(item: Mapping[str, Any]) -> str | None:
    """Return when a request was closed: only the last update tells."""
    closed = read.text(item.get("status")).lower() == CLOSED
    return (read.text(item.get("updated_datetime")) or None) if closed else None


def _postcode_in(address: str) -> str:
    found = PLZ.findall(address)
    return found[0] if len(found) == 1 else ""
