"""Every format as a small document that can be made of any items: what the fault matrix sends, well or badly."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from ingest.feed import Feed, parse_feeds

BERLIN: Final = ZoneInfo("Europe/Berlin")


@dataclass(frozen=True)
class Item:
    """What every format can say: when, with which key, where."""

    at: datetime
    key: str = "1"
    lat: float | str = 53.55
    lon: float | str = 9.99


@dataclass(frozen=True)
class Case:
    """A format with a kind: its stanza, and how its documents are built."""

    name: str
    stanza: str
    path: str
    item: Callable[[Item], bytes]
    prefix: bytes = b"["
    separator: bytes = b","
    suffix: bytes = b"]"
    other: bytes = b'{"unexpected": [{"a": 1}]}'  # a document of another schema
    keyed: bool = True  # items have keys that tell them apart
    located: bool = False  # items have coordinates
    unwatched_time: bool = False  # a date far off is nothing strange

    def document(self, *items: Item) -> bytes:
        """Return the document of these items."""
        return self.prefix + self.separator.join(map(self.item, items)) + self.suffix

    def feed(self, base: str) -> Feed:
        """Return the feed at a server."""
        head = f'[[feed]]\nname = "main"\nurl = "{base}{self.path}"\nlookback = "1h"\ntimeout = "5s"\n'
        [feed] = parse_feeds(head + self.stanza, {"T": "id:secret"})
        return feed


def _json(make: Callable[[Item], Any]) -> Callable[[Item], bytes]:
    return lambda item: json.dumps(make(item)).encode()


def _iso(at: datetime) -> str:
    return at.isoformat()


def _downdetector(item: Item) -> Mapping[str, Any]:
    place = {"latitude": item.lat, "longitude": item.lon, "source": "ip"}
    return {"created_at": _iso(item.at), "indicator_id": 42, "location": place}


def _quarter(item: Item) -> Mapping[str, Any]:
    start = item.at - timedelta(minutes=item.at.minute % 15 + 15)
    return {"point_in_time": _iso(start), "indicators": 2, "other": 1, "total": 3}


def _stoerung(item: Item) -> Mapping[str, Any]:
    shown = item.at.astimezone(BERLIN).strftime("%m/%d/%Y %H:%M:%S")
    return {
        "id": item.key, "type": 1, "dateStart": shown, "dateEnd": None, "lastUpdate": shown, "postalCode": "",
        "city": "", "coordinates": f"{item.lon};{item.lat}", "isFixed": False, "operatorName": "Westnetz GmbH",
    }  # fmt: skip


def _request(item: Item) -> Mapping[str, Any]:
    return {
        "service_request_id": item.key, "status": "open", "service_code": "017", "requested_datetime": _iso(item.at),
        "lat": item.lat, "long": item.lon,
    }  # fmt: skip


def _request_xml(item: Item) -> bytes:
    fields = "".join(f"<{name}>{value}</{name}>" for name, value in _request(item).items())
    return f"<request>{fields}</request>".encode()


def _status(item: Item) -> Mapping[str, Any]:
    said = "<p>O2 DSL in Hamburg ist seit heute komplett tot.</p>"
    account = {"acct": "someone", "bot": False}
    return {
        "id": item.key,
        "created_at": _iso(item.at),
        "content": said,
        "account": account,
        "reblog": None,
        "tags": [],
    }


def _entry(item: Item) -> bytes:
    return (
        f"<item><guid>{item.key}</guid><title>O2 DSL in Hamburg ist seit heute komplett tot</title>"
        f"<pubDate>{format_datetime(item.at.astimezone(UTC))}</pubDate></item>"
    ).encode()


def _incident(item: Item) -> Mapping[str, Any]:
    update = {"id": item.key, "status": "identified", "body": "Ein Kabel.", "display_at": _iso(item.at)}
    return {
        "id": item.key,
        "name": "Mobilfunk",
        "status": "identified",
        "impact": "major",
        "incident_updates": [update],
    }


def _event(item: Item) -> Mapping[str, Any]:
    start = int(item.at.timestamp()) - 3600
    return {
        "location": "region/1",
        "location_name": "Hamburg",
        "start": start,
        "duration": 60,
        "score": 9.5,
        "datasource": "bgp",
    }


def _annotation(item: Item) -> Mapping[str, Any]:
    return {
        "id": item.key, "eventType": "OUTAGE", "scope": None, "startDate": _iso(item.at), "endDate": None,
        "locations": ["DE"], "asns": [6805], "outage": {"outageCause": "CABLE_CUT"},
    }  # fmt: skip


def _record(item: Item) -> Mapping[str, Any]:
    return {"id": item.key, "at": _iso(item.at), "pos": [item.lat, item.lon], "text": "Alles gut."}


def _row(item: Item) -> bytes:
    return f"{item.key};{_iso(item.at)};{item.lat};{item.lon}\n".encode()


FIELDS: Final = '[feed.fields]\nreport_id = "id"\nobserved_at = "at"\nlat = "{lat}"\nlon = "{lon}"\n'
O2: Final = 'provider = "o2"\nservice = "mobile"\n'
OTHER_XML: Final = b"<other><a>1</a></other>"
CASES: Final = (
    Case(
        "downdetector_v2 reports", f'format = "downdetector_v2"\nslugs = ["o2"]\ntoken = "T"\n{O2}', "/v2",
        _json(_downdetector), keyed=False, located=True,
    ),
    Case(
        "downdetector_v2 signals", 'format = "downdetector_v2"\nkind = "signals"\nslugs = ["o2"]\ntoken = "T"\n', "/v2",
        _json(_quarter), keyed=False, unwatched_time=True,
    ),
    Case("stoerungsauskunft reports", 'format = "stoerungsauskunft"\n', "/main", _json(_stoerung), located=True),
    Case(
        "stoerungsauskunft statements", 'format = "stoerungsauskunft"\nkind = "statements"\n', "/main",
        _json(_stoerung), unwatched_time=True,
    ),
    Case("open311 JSON", f'format = "open311"\n{O2}', "/requests.json", _json(_request), located=True),
    Case(
        "open311 XML", f'format = "open311"\n{O2}', "/requests.xml", _request_xml,
        b'<?xml version="1.0"?><service_requests>', b"", b"</service_requests>", OTHER_XML, located=True,
    ),
    Case("mastodon_tag", 'format = "mastodon_tag"\n', "/api/v1/timelines/tag/stoerung", _json(_status)),
    Case(
        "rss reports", f'format = "rss"\n{O2}', "/feed.xml", _entry,
        b'<rss version="2.0"><channel><title>x</title>', b"", b"</channel></rss>", OTHER_XML,
    ),
    Case(
        "rss statements", f'format = "rss"\nkind = "statements"\n{O2}channel = "official"\n', "/feed.xml", _entry,
        b'<rss version="2.0"><channel><title>x</title>', b"", b"</channel></rss>", OTHER_XML, unwatched_time=True,
    ),
    Case(
        "statuspage", f'format = "statuspage"\nkind = "statements"\n{O2}', "/incidents.json", _json(_incident),
        b'{"incidents": [', b",", b"]}", unwatched_time=True,
    ),
    Case(
        "ioda", 'format = "ioda"\nkind = "signals"\n', "/v2/outages/events", _json(_event),
        b'{"error": null, "data": [', b",", b"]}", keyed=False, unwatched_time=True,
    ),
    Case(
        "cloudflare_outages", 'format = "cloudflare_outages"\nkind = "signals"\ntoken = "T"\n', "/outages",
        _json(_annotation), b'{"success": true, "result": {"annotations": [', b",", b"]}}",
        unwatched_time=True,
    ),
    Case(
        "json_records reports", f'format = "json_records"\n{O2}{FIELDS.format(lat="pos.0", lon="pos.1")}', "/main",
        _json(_record), located=True,
    ),
    Case(
        "json_records statements", f'format = "json_records"\nkind = "statements"\n{O2}channel = "official"\n'
        '[feed.fields]\nstatement_id = "id"\nsaid_at = "at"\nquote = "text"\n', "/main",
        _json(_record), unwatched_time=True,
    ),
    Case(
        "csv_table", f'format = "csv_table"\n{O2}{FIELDS.format(lat="lat", lon="lon")}', "/main", _row,
        b"id;at;lat;lon\n", b"", b"", b"a;b\n1;2\n", located=True,
    ),
)  # fmt: skip
