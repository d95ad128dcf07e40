"""Closed days are written once, and again when something of that day has changed; served with checksum and ETag."""

from __future__ import annotations

import gzip
import io
import json
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pandas as pd
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from aggregator import dayfiles
from aggregator.catalogue import load_catalogue
from aggregator.clock import SimulatedClock
from aggregator.dayfiles import close_days, folder_of
from aggregator.downloads import download
from aggregator.errors import StoreError
from aggregator.feedmodel import Source
from aggregator.history.folder import DayFile, bounds, known
from aggregator.instance import Instance
from aggregator.model import Filter
from aggregator.record import End
from aggregator.store import ends, reports, sources
from aggregator.web import create_app
from tests.making import at, instance, report

SUNDAY = datetime(2017, 5, 14, 10, tzinfo=UTC)
SATURDAY_FILES = [
    "cube-2017-05-13.csv.gz", "cube-2017-05-13.parquet", "reports-2017-05-13.csv.gz", "reports-2017-05-13.parquet",
]  # fmt: skip


@pytest.fixture
def netzlage(tmp_path: Path) -> Iterator[Instance]:
    """Two reports on Saturday, one early on Sunday in Germany (late on Saturday in Greenwich); it is Sunday noon."""
    made = instance(tmp_path, load_catalogue(), now=SUNDAY)
    made = replace(made, settings=replace(made.settings, home=tmp_path))
    with made.store.write() as connection:
        sources.keep(connection, [Source("feed", republish="rows")])
        reports.add(connection, [report("a1", 0), report("b2", 5), report("c3", 15 * 60)])
    yield made
    made.store.close()


def names(files: list[DayFile]) -> list[str]:
    return sorted(file.name for file in files)


def test_a_day_is_german_and_its_files_are_what_the_export_of_that_day_is(netzlage: Instance) -> None:
    assert names(close_days(netzlage)) == SATURDAY_FILES
    start, end = bounds(date(2017, 5, 13))
    f = Filter(since=start, until=end)
    folder = folder_of(netzlage)
    packed = (folder / "reports-2017-05-13.csv.gz").read_bytes()
    assert gzip.decompress(packed) == b"".join(download(netzlage, "reports", "csv", f))
    assert list(pd.read_csv(io.BytesIO(packed), compression="gzip")["report_id"]) == ["a1", "b2"]
    assert len(pd.read_parquet(folder / "reports-2017-05-13.parquet")) == 2


def test_each_file_is_known_with_its_size_and_its_checksum(netzlage: Instance) -> None:
    close_days(netzlage)
    for name, file in known(folder_of(netzlage)).items():
        data = (folder_of(netzlage) / name).read_bytes()
        assert (file.size, file.sha256) == (len(data), sha256(data).hexdigest())


def test_a_day_that_goes_on_or_has_just_ended_is_not_closed(netzlage: Instance) -> None:
    assert isinstance(netzlage.clock, SimulatedClock)
    netzlage.clock.set(bounds(date(2017, 5, 13))[1] + timedelta(minutes=59))
    assert close_days(netzlage) == []
    netzlage.clock.set(bounds(date(2017, 5, 13))[1] + timedelta(minutes=61))
    assert names(close_days(netzlage)) == SATURDAY_FILES
    netzlage.clock.set(SUNDAY + timedelta(days=1))
    assert names(close_days(netzlage)) == [name.replace("13", "14") for name in SATURDAY_FILES]


def late(instance: Instance) -> None:
    with instance.store.write() as connection:
        reports.add(connection, [report("d4", 7, received_at=at(24 * 60))])


def over(instance: Instance) -> None:
    with instance.store.write() as connection:
        ends.add(connection, [End("a1", at(60), at(61))])


def forbidden(instance: Instance) -> None:
    with instance.store.write() as connection:
        sources.keep(connection, [Source("feed", republish="none")])


def lost(instance: Instance) -> None:
    for name in SATURDAY_FILES:
        (folder_of(instance) / name).unlink()


@pytest.mark.parametrize("change", [late, over, forbidden, lost])
def test_written_once_and_again_when_that_day_has_changed(
    netzlage: Instance, change: Callable[[Instance], None]
) -> None:
    close_days(netzlage)
    assert close_days(netzlage) == []
    before = known(folder_of(netzlage))
    change(netzlage)
    assert names(close_days(netzlage)) == SATURDAY_FILES
    after = known(folder_of(netzlage))
    same = before["reports-2017-05-13.csv.gz"].sha256 == after["reports-2017-05-13.csv.gz"].sha256
    assert same == (change is lost)  # the same rows are the same bytes


def test_many_days_are_closed_little_by_little_the_newest_first(netzlage: Instance) -> None:
    with netzlage.store.write() as connection:
        reports.add(connection, [report(f"e{n}", -1440 * n) for n in range(1, 4)])
    days = [sorted({file.day for file in close_days(netzlage, at_once=2)}) for _ in range(3)]
    assert days == [["2017-05-12", "2017-05-13"], ["2017-05-10", "2017-05-11"], []]


def test_a_folder_that_cannot_be_written_is_one_sentence_and_leaves_no_half_file(
    netzlage: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> Iterator[bytes]:
        yield b"half"
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(dayfiles, "download", broken)
    with pytest.raises(StoreError, match="No space left"):
        close_days(netzlage)
    assert list(folder_of(netzlage).iterdir()) == []


def test_an_index_that_is_broken_is_made_again(netzlage: Instance) -> None:
    close_days(netzlage)
    (folder_of(netzlage) / "index.json").write_text('[{"name": 1}')
    assert known(folder_of(netzlage)) == {}
    assert names(close_days(netzlage)) == SATURDAY_FILES


@pytest.fixture
def site(netzlage: Instance) -> FlaskClient:
    close_days(netzlage)
    return create_app(netzlage).test_client()


def get(site: FlaskClient, path: str, **headers: str) -> TestResponse:
    """Read an answer to its end and close the file behind it."""
    answer = site.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    assert answer.data is not None
    answer.close()
    return answer


def test_the_page_lists_the_days_with_links_that_hold_for_ever(site: FlaskClient, netzlage: Instance) -> None:
    file = known(folder_of(netzlage))["reports-2017-05-13.csv.gz"]
    link = f"/daten/tage/{file.name}?v={file.sha256[:12]}"
    for page in ("/daten", "/daten/tage"):
        text = site.get(page).text
        assert "Samstag, 13. Mai 2017" in text
        assert link in text
    answer = get(site, link)
    assert answer.mimetype == "application/gzip"
    assert "immutable" in answer.headers["Cache-Control"]
    assert sha256(answer.data).hexdigest() == file.sha256
    assert b64decode(answer.headers["Repr-Digest"].split(":")[1]).hex() == file.sha256
    assert "SIMULATION" in answer.headers["Content-Disposition"]


def test_without_its_checksum_the_address_is_asked_again_after_an_hour(site: FlaskClient, netzlage: Instance) -> None:
    late(netzlage)
    address = "/daten/tage/reports-2017-05-13.csv.gz"
    first = get(site, address)
    assert first.headers["Cache-Control"] == "public, max-age=3600"
    assert get(site, address, If_None_Match=first.headers["ETag"]).status_code == 304
    close_days(netzlage)
    assert get(site, address, If_None_Match=first.headers["ETag"]).status_code == 200


def test_a_part_of_a_file_can_be_asked_for(site: FlaskClient) -> None:
    answer = get(site, "/daten/tage/reports-2017-05-13.csv.gz", Range="bytes=0-1")
    assert (answer.status_code, answer.data) == (206, b"\x1f\x8b")


def test_the_checksums_are_as_sha256sum_reads_them(site: FlaskClient, netzlage: Instance) -> None:
    lines = site.get("/daten/tage/SHA256SUMS").text.splitlines()
    assert lines == [f"{file.sha256}  {name}" for name, file in known(folder_of(netzlage)).items()]


@pytest.mark.parametrize("name", ["index.json", "reports-2017-05-12.csv.gz", "..%2fnetzlage.sqlite"])
def test_nothing_else_of_the_folder_is_given_out(site: FlaskClient, name: str) -> None:
    assert site.get(f"/daten/tage/{name}").status_code == 404


def test_before_the_first_day_the_page_says_so(tmp_path: Path) -> None:
    made = instance(tmp_path, load_catalogue())
    made = replace(made, settings=replace(made.settings, home=tmp_path))
    assert "Noch ist kein Tag abgeschlossen" in create_app(made).test_client().get("/daten/tage").text
    assert not (tmp_path / "days").exists()
    made.store.close()


def test_the_index_is_what_other_programs_may_read(netzlage: Instance) -> None:
    close_days(netzlage)
    rows = json.loads((folder_of(netzlage) / "index.json").read_text())
    assert sorted(row["name"] for row in rows) == SATURDAY_FILES
