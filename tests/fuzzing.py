"""Anything at all for every door: parsers, files, form, API. The same strategies, a few cases in the suite, many in
`python -m tests.benchmarks.fuzz`; after them the store must be whole.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from flask.testing import FlaskClient
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from aggregator.clock import SimulatedClock
from aggregator.errors import DataError, FeedError
from aggregator.importing import READERS, bounded
from aggregator.instance import Instance, open_instance
from aggregator.model import FeedRun
from aggregator.pipeline import accept
from aggregator.settings import load_settings
from aggregator.store.schema import cube, reports, seen
from aggregator.web import create_app
from aggregator.web.lists import LISTS
from aggregator.web.seal import seal as sealed
from ingest.feed import load_feeds
from ingest.parsers import NO_HINTS, PARSERS, Feed
from ingest.posts import told
from tests.feeds.test_golden import CASES, payload_of
from tests.gazetteer import FACTS
from tests.test_refresh import NOW

LONG_AGO: Final = timedelta(seconds=10)
COLUMNS: Final = (
    "provider", "service", "observed_at", "plz", "place", "lat", "lon", "region", "symptom", "reporter", "received_at",
    "began_at", "ended_at", "report_id", "comment", "uid", "simulated",
)  # fmt: skip
SAID: Final = (
    "o2", "telekom", "all", "mobile", "fixed_internet", "20095", "02000", "Hamburg", "53.55", "10.0", "slow", "nan",
    "2017-05-13T09:40", "2017-05-13T09:40:00Z", "2017-05-13T11:00:00+02:00", "9999-12-31T23:59:59-14:00", "0001-01-01",
    "1e400", "-0", "=1+1", "true", "\0", "\ud800", "\u202e", "a" * 5000, '"', "'", ";", "{}", "[]", " ", "", "ß",
    "1" * 400,
)  # fmt: skip
NASTY: Final = (
    *(text.encode("utf-8", "surrogatepass") for text in SAID),
    b"null", b"<!DOCTYPE x [<!ENTITY a 'b'>]>", b"&a;", b"]]>", b"\xff\xfe", b"\xef\xbb\xbf", b"\r\n", b"\x00\x00",
    b"{" * 3000, b"[" * 3000, b"<a>" * 800, b"-1", b"1e999",
)  # fmt: skip

words = st.one_of(st.sampled_from(SAID), st.text(max_size=20))
values = st.one_of(words, st.none(), st.booleans(), st.integers(), st.floats(), st.lists(st.integers(), max_size=2))
edits = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 60), st.one_of(st.sampled_from(NASTY), st.binary(max_size=12))),
    min_size=1, max_size=6,
)  # fmt: skip


def changed(payload: bytes, given_edits: list[tuple[float, int, bytes]]) -> bytes:
    """Return the payload with some of its bytes replaced by others."""
    for where, length, new in given_edits:
        place = int(where * len(payload))
        payload = payload[:place] + new + payload[place + length :]
    return payload


@dataclass(frozen=True, slots=True)
class Here:
    """What is fuzzed: an instance with an empty store, a client of its site."""

    instance: Instance
    client: FlaskClient


@dataclass(frozen=True, slots=True)
class Target:
    """What is drawn, and what is done with it; raises where that is not as it should be."""

    drawn: st.SearchStrategy[Any]
    check: Callable[[Here, Any], object]


def _parser(name: str) -> Target:
    cases: list[tuple[Feed, bytes]] = []
    for case in CASES:
        if case.parent.name == name:
            [feed] = load_feeds(case, {})
            cases.append((feed, payload_of(case).read_bytes()))

    def check(_here: Here, drawn: tuple[int, Any]) -> None:
        feed, payload = cases[drawn[0]]
        given_bytes = drawn[1] if isinstance(drawn[1], bytes) else changed(payload, drawn[1])
        try:
            told(PARSERS[name](given_bytes, feed, NO_HINTS), feed, FACTS)
        except FeedError:
            return  # told in a sentence

    return Target(st.tuples(st.integers(0, len(cases) - 1), st.one_of(edits, edits, st.binary(max_size=200))), check)


def _import(kind: str) -> Callable[[Here, bytes], None]:
    def check(here: Here, data: bytes) -> None:
        run = FeedRun("import", NOW, NOW, "ok")
        try:
            accept(here.instance, READERS[kind](bounded(io.BytesIO(data).readline)), run=run)
        except DataError:
            return

    return check


def _table(drawn: tuple[list[str], list[list[str]], list[tuple[float, int, bytes]], str]) -> bytes:
    columns, rows, some, delimiter = drawn
    lines = [delimiter.join(columns), *(delimiter.join(row) for row in rows)]
    data = "\n".join(lines).encode("utf-8", "surrogatepass")
    return changed(data, some) if some else data


def _post(here: Here, drawn: Any) -> None:
    # Half a character comes as \ud800, which is JSON, but no text that a client could encode.
    data = drawn if isinstance(drawn, bytes) else json.dumps(drawn).encode()
    answer = here.client.post("/api/v1/reports", data=data, content_type="application/json")
    assert answer.status_code in {200, 201, 400, 413, 415, 422}, answer.status_code
    assert answer.get_json() is not None


def _send(here: Here, fields: Mapping[str, str]) -> None:
    uid = fields.get("uid", "")
    made = sealed(here.instance.key, uid, here.instance.clock.now() - LONG_AGO)
    data = {name: value.encode("utf-8", "surrogatepass") for name, value in {"seal": made, **fields}.items()}
    answer = here.client.post("/melden", data=data)
    assert answer.status_code in {303, 400, 403, 413, 422}, answer.status_code


def _ask(here: Here, drawn: tuple[str, Mapping[str, str]]) -> None:
    path, query = drawn
    safe = {name: value.encode("utf-8", "surrogatepass") for name, value in query.items()}
    answer = here.client.get(f"/api/v1/{path}", query_string=safe)
    assert answer.status_code in {200, 422}, answer.status_code
    answer.close()


FULL: Final = {"provider": "o2", "service": "mobile", "plz": "20095", "observed_at": "2017-05-13T09:40"}
fields = st.dictionaries(st.sampled_from(COLUMNS), values, max_size=5)
asked = st.sampled_from(
    ["provider", "service", "region", "since", "until", "as_of", "limit", "cursor", "lang", "probe"]
)
in_form = st.sampled_from(
    ["provider", "service", "place", "since", "symptom", "comment", "uid", "lat", "lon", "website"]
)
TARGETS: Final[Mapping[str, Target]] = {
    **{f"parser {name}": _parser(name) for name in PARSERS},
    "import csv": Target(
        st.tuples(
            st.one_of(st.just(["provider", "service", "observed_at", "plz", "comment"]),
                      st.lists(st.sampled_from(COLUMNS), max_size=6)),
            st.lists(st.one_of(st.just(["o2", "mobile", "2017-05-13T09:40", "20095", "x"]),
                               st.lists(words, max_size=7)), max_size=5),
            st.one_of(st.just([]), edits), st.sampled_from([",", ";", "\t"]),
        ).map(_table), _import("csv"),
    ),
    "import ndjson": Target(
        st.one_of(
            st.lists(fields.map(lambda f: json.dumps({**FULL, **f})), max_size=4).map(lambda x: "\n".join(x).encode()),
            edits.map(lambda some: changed(json.dumps(FULL).encode() * 3, some)),
        ), _import("ndjson"),
    ),
    "API reports": Target(
        st.one_of(fields.map(lambda f: {**FULL, **f}), fields, st.recursive(values, st.lists, max_leaves=5),
                  edits.map(lambda some: changed(json.dumps(FULL).encode(), some))), _post,
    ),
    "form": Target(
        st.dictionaries(in_form, words, max_size=6).map(
            lambda f: {"provider": "o2", "service": "mobile", "place": "20095", "uid": "u", **f}), _send,
    ),
    "API lists": Target(
        st.tuples(st.sampled_from([*LISTS, *(f"{name}.csv" for name in LISTS), "health", "openapi.json"]),
                  st.dictionaries(asked, words, max_size=4)), _ask,
    ),
}  # fmt: skip


def fuzz(name: str, here: Here, cases: int, number: int) -> int:
    """Try so many cases of a target, drawn from the seed `number`, and return how many; raises what they raise."""
    target, tried = TARGETS[name], 0

    @seed(number)
    @settings(max_examples=cases, database=None, deadline=None, phases=(Phase.generate,),
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(target.drawn)
    def trial(drawn: Any) -> None:
        nonlocal tried
        tried += 1
        target.check(here, drawn)

    trial()
    return tried


def check_whole(instance: Instance) -> int:
    """Check that no row is half written, the cube has what is counted, each is seen; return how many there are."""
    with instance.store.read() as connection:
        counted = connection.execute(select(func.count()).where(reports.c.counted)).scalar_one()
        summed = connection.execute(select(func.coalesce(func.sum(cube.c.count), 0))).scalar_one()
        kept = connection.execute(select(func.count()).select_from(reports)).scalar_one()
        known = connection.execute(select(func.count()).select_from(seen)).scalar_one()
    assert (summed, known) == (counted, kept), f"{summed} in the cube, {counted} counted, {known} seen, {kept} kept"
    return int(kept)


@contextmanager
def opened(folder: Path) -> Iterator[Here]:
    """Give an instance on an empty store in `folder`, and a client of its site that is never asked to wait."""
    environ = {"NETZLAGE_HOME": str(folder), "NETZLAGE_RATE_LIMITS": "off"}
    instance = open_instance(load_settings(None, environ), SimulatedClock(NOW))
    try:
        yield Here(instance, create_app(instance).test_client())
    finally:
        instance.store.close()
