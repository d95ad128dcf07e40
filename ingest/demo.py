"""The demo's feed server: speaks the same API as the real feeds, about a scenario, up to its clock's present. I/O."""

from __future__ import annotations

import json
import secrets
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import numpy as np

from aggregator.clock import BERLIN, Clock
from aggregator.errors import DataError
from ingest.events import Day, Events

FIRST_INDICATOR: Final = 41
TOKEN_LIFE: Final = timedelta(hours=1)
DAYS_KEPT: Final = 8
# What the services are called by the API's indicators.
INDICATORS: Final = {"fixed_internet": "internet-access", "mobile": "mobile-network", "landline": "landline-phone"}
PROBLEMS: Final = {"fixed_internet": "DSL", "mobile": "Handynetz", "landline": "Telefon", "tv": "Fernsehen"}
FEEDS: Final = """\
[[feed]]
name = "demo-meldungen"
format = "downdetector_v2"
url = "{base}/v2"
every = "2m"
lookback = "2d"
token = "DEMO_FEED_CREDENTIALS"
slugs = {slugs}
covers = {slugs}
page_size = 10000
allow_private = true
republish = "rows"
note = "SIMULATION: der Server der Demo, kein wirklicher Dienst"

[[feed]]
name = "demo-forum"
format = "json_records"
url = "{base}/forum.json?since={{since}}&until={{until}}"
every = "3m"
lookback = "2d"
covers = {slugs}
records = "items"
allow_private = true
republish = "rows"
note = "SIMULATION: der Server der Demo, kein wirklicher Dienst"
[feed.fields]
report_id = "id"
observed_at = "created_at"
provider = "company"
service = "problem"
plz = "zip"
place = "city"
reporter = "user.name"
address = "user.ip"
comment = "text"

[[feed]]
name = "demo-auskunft"
format = "json_records"
kind = "statements"
url = "{base}/statements.json"
every = "5m"
lookback = "2d"
records = "statements"
allow_private = true
republish = "rows"
note = "SIMULATION: nacherzählte Auskünfte in eigenen Worten, Uhrzeiten angenommen"
[feed.fields]
statement_id = "id"
said_at = "at"
provider = "company"
service = "service"
quote = "text"
stance = "stance"
channel = "channel"
own_words = "own_words"
assumed_time = "assumed"
"""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server sends back."""

    status: int
    body: bytes
    headers: Mapping[str, str]


class DemoApi:
    """Answers requests about a scenario, with nothing in it that the clock has not reached."""

    def __init__(self, events: Events, clock: Clock) -> None:
        self._events, self._clock = events, clock
        self.credentials = f"demo:{secrets.token_hex(16)}"
        self._tokens: dict[str, datetime] = {}
        self._day: Callable[[date], Day] = lru_cache(DAYS_KEPT)(events.day)

    @property
    def slugs(self) -> tuple[str, ...]:
        """The companies that the API knows: the scenario's providers, but those that are invented."""
        return tuple(name for name in self._events.providers if not self._events.world.providers[name].fictitious)

    def answer(self, method: str, target: str, authorization: str) -> Reply:
        """Answer one request for a path with its query."""
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        match [method, *parts.path.strip("/").split("/")]:
            case ["POST", "v2", "tokens"]:
                return self._new_token(authorization)
            case ["GET", "v2", *rest]:
                return self._api(rest, query) if self._knows(authorization) else _refusal(401, "Unauthorized")
            case ["GET", "forum.json"]:
                return _json({"items": [self._post(day, index, at) for day, index, at in self._posts(query)]})
            case ["GET", "statements.json"]:
                return _json({"statements": list(self._statements())})
        return _refusal(404, "Not Found")

    def _new_token(self, authorization: str) -> Reply:
        if authorization != f"Basic {b64encode(self.credentials.encode()).decode()}":
            return _refusal(401, "Unauthorized")
        token, now = secrets.token_hex(16), self._clock.now()
        self._tokens = {old: until for old, until in self._tokens.items() if until > now} | {token: now + TOKEN_LIFE}
        return _json({"access_token": token, "token_type": "Bearer", "expires_in": int(TOKEN_LIFE.total_seconds())})

    def _knows(self, authorization: str) -> bool:
        until = self._tokens.get(authorization.removeprefix("Bearer "))
        return until is not None and until > self._clock.now()

    def _api(self, path: list[str], query: Mapping[str, str]) -> Reply:
        match path:
            case ["indicators", number] if number.isdigit():
                return self._indicator(int(number) - FIRST_INDICATOR)
            case ["slugs", slug, "locations"] if slug in self._events.providers:
                return self._locations(slug, query)
        return _refusal(404, "Not Found")

    def _indicator(self, index: int) -> Reply:
        if not 0 <= index < len(self._events.services):
            return _refusal(404, "Not Found")
        service = self._events.services[index]
        return _json({"id": index + FIRST_INDICATOR, "slug": INDICATORS.get(service, service), "translations": {}})

    def _locations(self, slug: str, query: Mapping[str, str]) -> Reply:
        """Return one page of a company's locations, oldest first; `page` is the number of those before it."""
        try:
            since, until = datetime.fromisoformat(query["startdate"]), datetime.fromisoformat(query["enddate"])
            size, offset = int(query.get("page_size", "100")), int(query.get("page", "0"))
        except (KeyError, ValueError):
            return _refusal(400, "Bad Request")
        company = self._events.providers.index(slug)
        found = [
            _location(self._events, day, int(index), company)
            for _, day in self._days(since, until)
            for index in np.flatnonzero(
                self._heard(day, since, until) & (day.provider == company) & (day.reporter == 0)
            )
        ]
        page = found[offset : offset + size]
        more = {"X-Page-Next": str(offset + size)} if offset + size < len(found) else {}
        return Reply(200, f"[{','.join(page)}]".encode(), more)

    def _heard(self, day: Day, since: datetime, until: datetime) -> Any:
        end = min(until, self._clock.now()).timestamp()
        return (day.at >= since.timestamp()) & (day.at < end)

    def _days(self, since: datetime, until: datetime) -> Iterator[tuple[date, Day]]:
        first = max(since, self._events.scenario.start).astimezone(BERLIN).date()
        last = min(until, self._clock.now()).astimezone(BERLIN).date()
        for number in range((last - first).days + 1):
            day = first + timedelta(days=number)
            yield day, self._day(day)

    def _posts(self, query: Mapping[str, str]) -> Iterator[tuple[date, int, Day]]:
        now = self._clock.now()
        since = datetime.fromisoformat(query["since"]) if "since" in query else now - timedelta(days=1)
        until = datetime.fromisoformat(query["until"]) if "until" in query else now
        for date_, day in self._days(since, until):
            for index in np.flatnonzero(self._heard(day, since, until) & (day.reporter != 0)):
                yield date_, int(index), day

    def _post(self, date_: date, index: int, day: Day) -> dict[str, object]:
        point, reporter = self._events.world.points[day.point[index]], int(day.reporter[index])
        service = self._events.services[day.service[index]]
        flood = self._events.scenario.floods[-1 - reporter] if reporter < 0 else None
        user = {"name": flood.reporter, "ip": flood.address} if flood else {"name": f"u{reporter:011x}"}
        return {
            "id": f"{date_:%Y%m%d}-{index}",
            "created_at": _iso(int(day.at[index])),
            "company": self._events.world.providers[self._events.providers[day.provider[index]]].name,
            "problem": PROBLEMS.get(service, service),
            "zip": point.plz,
            "city": point.name,
            "user": user,
            "text": flood.text if flood else "",
        }

    def _statements(self) -> Iterator[dict[str, object]]:
        for number, said in enumerate(self._events.scenario.statements, 1):
            if said.at <= self._clock.now():
                yield {
                    "id": number,
                    "at": said.at.isoformat(),
                    "company": said.provider,
                    "service": said.service,
                    "text": said.text,
                    "stance": said.stance,
                    "channel": said.channel,
                    "own_words": True,
                    "assumed": said.assumed,
                }


def _iso(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


def _location(events: Events, day: Day, index: int, company: int) -> str:
    point = events.world.points[day.point[index]]
    source = "ip" if day.by_ip[index] else "gps"
    return (
        f'{{"company_id":{company + 1},"created_at":"{_iso(int(day.at[index]))}","device":"mobile",'
        f'"indicator_id":{day.service[index] + FIRST_INDICATOR},'
        f'"location":{{"latitude":{point.lat},"longitude":{point.lon},"city_id":{day.point[index]},"country_id":1,"source":"{source}"}},"network":null}}'
    )


def _json(document: object) -> Reply:
    return Reply(200, json.dumps(document, ensure_ascii=False).encode(), {})


def _refusal(status: int, message: str) -> Reply:
    return Reply(status, json.dumps({"error": True, "message": message, "statusCode": status}).encode(), {})


class FeedServer:
    """A DemoApi behind HTTP on 127.0.0.1 and a free port; a context that starts and ends it."""

    def __init__(self, api: DemoApi) -> None:
        self.api = api
        handler = type("Handler", (_Handler,), {"api": api})
        try:
            self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        except OSError as error:
            raise DataError(f"The demo's feed server cannot start on 127.0.0.1 ({error}).") from None
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)

    @property
    def url(self) -> str:
        """Where it is, without a slash at the end."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def stanzas(self) -> str:
        """Return the text of a feeds file that names this server."""
        return FEEDS.format(base=self.url, slugs=json.dumps(list(self.api.slugs)))

    @property
    def environ(self) -> dict[str, str]:
        """What the stanzas expect of the environment."""
        return {"DEMO_FEED_CREDENTIALS": self.api.credentials}

    def __enter__(self) -> FeedServer:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    """HTTP/1.1 for the DemoApi in `api`; silent."""

    api: DemoApi
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # header and body are two writes: without this each answer takes 40 ms
    timeout = 60

    def do_GET(self) -> None:
        self._send(self.api.answer("GET", self.path, self.headers.get("Authorization", "")))

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._send(self.api.answer("POST", self.path, self.headers.get("Authorization", "")))

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""
