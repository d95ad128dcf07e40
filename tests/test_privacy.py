"""Persons are planted in everything that comes in, and looked for in everything that is kept or goes out."""

from __future__ import annotations

import csv
import io
import json
import logging
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from aggregator.catalogue import load_catalogue
from aggregator.clock import SimulatedClock
from aggregator.feedmodel import Source
from aggregator.importing import read_csv
from aggregator.instance import Instance
from aggregator.outbound.client import Outbound
from aggregator.pipeline import accept
from aggregator.refresh import Detection
from aggregator.retention import forget
from aggregator.store import incidents, sources
from aggregator.store.columns import metadata
from aggregator.web import create_app
from aggregator.web.seal import seal
from ingest.feed import parse_feeds
from ingest.runner import run_feed
from tests import making
from tests.making import SATURDAY, incident
from tests.web.everywhere import SAMPLES

NOW = SATURDAY + timedelta(hours=3)
SAID: Final = (
    "Ruf 0171 2345678 an oder +49 40 7654321, erika.musterfrau@example.org, IBAN DE89 3704 0044 0532 0130 00, "
    "Router 203.0.113.66 und 2001:db8:77:1::5, Lindenstraße 117, Kundennummer 6001234567"
)
PLANTED: Final = (
    "0171 2", "2345678", "7654321", "musterfrau", "3704 0044", "37040044", "203.0.113.66", "2001:db8:77",
    "Lindenstraße", "6001234567", "198.51.100.77", "2001:db8:4:5", "198.51.100.0", "Browser-von-Erika", "frieda_1987",
    "geheimer-name",
)  # fmt: skip
HAMBURG = "20170513-o2-fixed_internet-02000"
FORM = {"provider": "o2", "service": "fixed_internet", "place": "20095"}
STANZA = """
[[feed]]
name = "forum"
format = "json_records"
url = "{path}"
records = "items"
republish = "rows"
[feed.fields]
report_id = "id"
observed_at = "at"
provider = "who"
service = "what"
symptom = "how"
plz = "zip"
reporter = "user"
address = "ip"
comment = "text"
"""


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Everything that is logged, however unimportant."""
    said = io.StringIO()
    handler, root = logging.StreamHandler(said), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield said
    root.removeHandler(handler)
    root.setLevel(before)


@pytest.fixture
def netzlage(tmp_path: Path, log: io.StringIO) -> Iterator[Instance]:
    """A Netzlage that publishes all it can, and to which persons have said what they should not have."""
    home = tmp_path / "home"
    home.mkdir()
    made = making.instance(home, load_catalogue(), now=NOW)
    made = replace(
        made, settings=replace(made.settings, home=home, publish_comments=True, rate_limit_block="40 per hour")
    )
    with made.store.write() as connection:
        incidents.save(connection, [incident(HAMBURG, service="fixed_internet", state="strong")], [])
    by_form(made)
    by_api(made)
    by_file(made)
    by_feed(made, tmp_path)
    Detection(made).refresh()
    yield made
    made.store.close()


Send = Callable[[str, dict[str, str]], TestResponse]


def senders(instance: Instance) -> list[Send]:
    """Return, for two addresses, what sends a form from there."""
    site = create_app(instance).test_client()

    def sender(address: str) -> Send:
        person = {"REMOTE_ADDR": address, "HTTP_USER_AGENT": "Browser-von-Erika", "HTTP_REFERER": f"http://x/?{SAID}"}
        return lambda path, data: site.post(path, data=data, environ_overrides=person)

    return [sender(address) for address in ("198.51.100.77", "2001:db8:4:5::9")]


def by_form(instance: Instance) -> None:
    for n, send in enumerate(senders(instance)):
        code = f"{n} erika.musterfrau@example.org"
        good = {**FORM, "uid": code, "seal": seal(instance.key, code, NOW - timedelta(minutes=1)), "comment": SAID}
        assert send("/melden", {**good, "symptom": "Ruf 0171 2345678"}).status_code == 303
        assert send("/melden", {**good, "place": SAID[:190]}).status_code == 422
        assert send("/melden/wieder", {"code": code}).status_code == 303
        last = [send("/melden", {**good, "provider": SAID}) for _turn in range(50)][-1]
        assert last.status_code == 429


def by_api(instance: Instance) -> None:
    fields = {"provider": "o2", "service": "fixed_internet", "plz": "20095", "observed_at": NOW.isoformat()}
    quiet = replace(instance, settings=replace(instance.settings, rate_limits=False))
    path = f"/vorfall/{HAMBURG}/anmerkungen"
    for n, send in enumerate(senders(quiet)):
        given = {**fields, "uid": f"frieda_1987-{n}", "reporter": "frieda_1987", "comment": SAID, "symptom": SAID[:190]}
        assert send("/api/v1/reports", given).status_code == 201
        assert send("/api/v1/reports", {**given, "plz": "", "place": SAID[:190]}).status_code == 422
        shown = create_app(quiet).test_client().get(path).text.split('name="id" value="')[1]
        assert send(path, {"id": shown.partition('"')[0], "reason": SAID}).status_code == 303


def by_file(instance: Instance) -> None:
    file = io.StringIO()
    rows = csv.writer(file)
    rows.writerow(["provider", "service", "observed_at", "plz", "report_id", "reporter", "comment", "symptom"])
    at = (NOW - timedelta(minutes=5)).isoformat()
    rows.writerow(["o2", "fixed_internet", at, "20095", "1", "frieda_1987", SAID, "Ruf 0171 2345678"])
    rows.writerow(["erika.musterfrau@example.org", "fixed_internet", at, "20095", "2", "frieda_1987", SAID, ""])
    assert accept(instance, read_csv(file.getvalue().encode().splitlines(keepends=True))).kept == 1


def by_feed(instance: Instance, folder: Path) -> None:
    """Let a feed bring a report, one that is rejected, and then a document that nobody can read."""
    at = (NOW - timedelta(minutes=10)).isoformat()
    item = {
        "id": 1, "at": at, "who": "O2", "what": "DSL", "how": "Ruf 0171 2345678", "zip": "20095", "user": "frieda_1987",
        "ip": "198.51.100.77", "text": SAID, "name": {"display_name": "geheimer-name"},
    }  # fmt: skip
    refused = {**item, "id": 2, "who": "erika.musterfrau@example.org", "zip": "00000"}
    (feed,) = parse_feeds(STANZA.format(path=folder / "forum.json"), {})
    with instance.store.write() as connection:
        sources.keep(connection, [Source("forum", republish="rows")])
    for document in ({"items": [item, refused]}, {"else": [item], "note": SAID}):
        (folder / "forum.json").write_text(json.dumps(document), "utf-8")
        run_feed(instance, feed, Outbound())


def found_in(text: str) -> list[str]:
    low = text.casefold()
    return [plant for plant in PLANTED if plant.casefold() in low]


def test_none_is_in_any_table(netzlage: Instance) -> None:
    filled = set()
    with netzlage.store.read() as connection:
        for table in metadata.sorted_tables:
            for row in connection.execute(select(table)):
                filled.add(table.name)
                for name, value in row._mapping.items():
                    text = zlib.decompress(value).decode() if (table.name, name) == ("payloads", "body") else str(value)
                    assert found_in(text) == [], (table.name, name, text)
    expected = {"reports", "comments", "comment_marks", "quarantine", "payloads", "day_keys", "ends", "reporters"}
    assert expected <= filled


@pytest.mark.sqlite
def test_none_is_in_any_byte_of_the_home(netzlage: Instance) -> None:
    files = [path for path in netzlage.settings.home.rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert found_in(path.read_bytes().decode("latin-1")) == [], path
        assert found_in(path.read_bytes().decode("utf-8", "replace")) == [], path


def test_none_is_logged(netzlage: Instance, log: io.StringIO) -> None:
    pages(create_app(netzlage))
    logging.getLogger("netzlage").debug("the log works")
    assert "the log works" in log.getvalue()
    assert found_in(log.getvalue()) == []


def pages(app: Flask) -> dict[str, bytes]:
    """Return what each route answers to GET, as page, JSON and CSV, what is packed unpacked."""
    site, answers = app.test_client(), {}
    samples = {
        **SAMPLES,
        "incident_id": (HAMBURG,),
        "table": ("reports", "cube", "coverage", "incidents", "statements"),
    }
    samples |= {"kind": ("csv", "parquet", "geojson"), "name": ("reports", "incidents", "hotspots", "cube", "feeds")}
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()):
            continue
        for address in filled(rule.rule, samples):
            for wish in ("text/html", "application/json", "text/csv"):
                answer = site.get(
                    address, headers={"Accept": wish}, query_string={"limit": 100} if "/api/" in address else {}
                )
                answers[f"{address} {wish} {answer.status_code}"] = answer.data
                answer.close()
    return answers


def filled(rule: str, samples: dict[str, tuple[str, ...]]) -> Iterator[str]:
    start, hole, rest = rule.partition("<")
    if not hole:
        yield rule
        return
    name, _, rest = rest.partition(">")
    for value in samples.get(name.rpartition(":")[2], ("x",)):
        for end in filled(rest, samples):
            yield start + value + end


def test_none_goes_out_by_any_page_list_or_file(netzlage: Instance) -> None:
    answers = pages(create_app(netzlage))
    good = [name for name in answers if name.endswith(" 200")]
    assert len(good) > 60
    assert any("reports" in name and b"o2" in answers[name] for name in good)
    assert any("anmerkungen" in name and b"[Telefon]" in answers[name] for name in good)
    for name, data in answers.items():
        for text in readings(data):
            assert found_in(text) == [], name


def readings(data: bytes) -> Iterator[str]:
    yield data.decode("utf-8", "replace")
    if data[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            for name in packed.namelist():
                yield packed.read(name).decode("utf-8", "replace")


PUBLIC: Final = {
    "report_id", "provider", "service", "symptom", "region", "region_name", "observed_at", "began_at", "ended_at",
    "received_at", "source", "place_source", "counted", "simulated", "land", "bucket",
}  # fmt: skip


@pytest.mark.parametrize("path", ["/api/v1/reports", "/api/v1/reports.csv", "/daten/reports.csv"])
def test_a_public_row_has_district_and_five_minutes_and_nothing_of_a_person(netzlage: Instance, path: str) -> None:
    answer = create_app(netzlage).test_client().get(path)
    rows: list[dict[str, Any]] = (
        answer.get_json()["items"] if answer.is_json else list(csv.DictReader(io.StringIO(answer.text)))
    )
    assert rows
    for row in rows:
        assert set(row) <= PUBLIC
        for name in ("observed_at", "received_at", "began_at", "ended_at"):
            said = row.get(name)
            assert not said or (said[-5:] in {":00Z", "0:00Z", "5:00Z"} or said.endswith(":00Z")), (name, said)
            assert not said or int(said[14:16]) % 5 == 0, (name, said)


def test_what_is_left_after_its_time_is_the_count(netzlage: Instance) -> None:
    clock = netzlage.clock
    assert isinstance(clock, SimulatedClock)
    clock.set(NOW + timedelta(days=91))
    forget(netzlage.store, clock.now())
    with netzlage.store.read() as connection:
        left = {t.name: len(connection.execute(select(t)).all()) for t in metadata.sorted_tables}
        for row in connection.execute(select(metadata.tables["reports"])):
            assert (row.reporter, row.plz, row.lat) in {("-", "", None), ("", "", None)}
            assert row.block == "" or row.block.startswith("~")
        texts = connection.execute(select(metadata.tables["comments"].c.comment)).scalars().all()
    assert all(text.startswith("~") for text in texts)  # that they were copies, no word of them
    gone = ("comment_marks", "payloads", "quarantine", "reporters", "day_keys")
    assert {name: left[name] for name in gone} == dict.fromkeys(gone, 0)
    assert left["reports"] > 0
