"""`history build`: two shelves of day files, one that is served and one that never is; counted, listed, checked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aggregator.catalogue import load_catalogue
from aggregator.dayfiles import close_day, closed, folder_of
from aggregator.detect.calibrate import SHIPPED
from aggregator.feedmodel import Source
from aggregator.history.counts import count_days
from aggregator.history.files import OWN, REPORT_COLUMNS, covers_of, keep_about
from aggregator.history.folder import bounds, known
from aggregator.history.hands import Alone
from aggregator.instance import Instance
from aggregator.model import Filter
from aggregator.store import cube, reports, sources
from aggregator.web import create_app
from tests.commands import Run, assert_one_line
from tests.making import at, instance, report

DAY = date(2017, 5, 13)
FILES = [f"{table}-2017-05-13.parquet" for table in ("cube", "listening", "reports")]


@pytest.fixture
def netzlage(tmp_path: Path) -> Iterator[Instance]:
    """A Saturday with reports of a source that may be given on and of one that may not; it is Sunday noon."""
    made = instance(tmp_path, load_catalogue(), now=datetime(2017, 5, 14, 10, tzinfo=UTC))
    made = replace(made, settings=replace(made.settings, home=tmp_path))
    with made.store.write() as connection:
        sources.keep(connection, [Source("feed", republish="rows"), Source("closed", covers=("o2",))])
        given = [report("a1", 7.25, symptom="x"), report("b2", 1), report("c3", 2, source="closed", region="09162")]
        reports.add(connection, [*given, report("d4", 3, reporter="who"), report("e5", 4, reporter="who")])
        cube.listen(connection, "feed", at(0), at(30))
    yield made
    made.store.close()


def build(netzlage: Instance) -> list[str]:
    """Do what the command does with the operator's shelf, and return the names of what was written."""
    made = [file for day in closed(netzlage) for file in close_day(netzlage, day, OWN)]
    made += count_days(folder_of(netzlage, OWN), Alone())
    return sorted(file.name for file in made)


def test_a_day_is_written_once_with_checksums_and_the_same_rows_are_the_same_bytes(netzlage: Instance) -> None:
    assert build(netzlage) == FILES
    assert build(netzlage) == []
    folder = folder_of(netzlage, OWN)
    before = known(folder)
    assert sorted(before) == FILES
    (folder / FILES[2]).unlink()
    assert build(netzlage) == [FILES[2]]
    assert known(folder) == before


def test_the_counts_are_those_of_the_store_and_come_again_when_a_report_comes_late(netzlage: Instance) -> None:
    build(netzlage)
    start, end = bounds(DAY)
    for late in (False, True):
        if late:
            with netzlage.store.write() as connection:
                reports.add(connection, [report("f6", 9, received_at=at(24 * 60))])
            assert FILES[0] in build(netzlage)
        with netzlage.store.read() as connection:
            stored = cube.frame(connection, Filter(since=start, until=end))
        found = pd.read_parquet(folder_of(netzlage, OWN) / FILES[0]).astype(stored.dtypes.to_dict())
        keys = list(stored.columns)
        pd.testing.assert_frame_equal(
            found.sort_values(keys, ignore_index=True), stored.sort_values(keys, ignore_index=True)
        )
        assert stored["count"].sum() == 4 + late


def test_the_operators_files_have_every_source_and_exact_times_and_nobody_in_them(netzlage: Instance) -> None:
    build(netzlage)
    table = pq.read_table(folder_of(netzlage, OWN) / FILES[2])
    assert table.schema.names == list(REPORT_COLUMNS)
    assert not {"report_id", "reporter", "block", "plz", "lat", "lon", "comment"} & set(table.schema.names)
    assert all(pa.types.is_dictionary(table.schema.field(name).type) for name in ("provider", "region", "source"))
    frame = table.to_pandas()
    assert sorted(frame["source"]) == ["closed", "feed", "feed", "feed", "feed"]
    assert frame["observed_at"].is_monotonic_increasing
    assert frame["observed_at"].iloc[-1] == at(7.25)
    assert frame["counted"].sum() == 4


def test_the_public_files_hold_only_what_may_be_given_on_and_only_they_are_served(netzlage: Instance) -> None:
    build(netzlage)
    close_day(netzlage, DAY)
    public = pd.read_parquet(folder_of(netzlage) / FILES[2])
    assert set(public["source"]) == {"feed"}
    assert public["observed_at"].max() == at(5)
    assert isinstance(public["provider"].dtype, pd.CategoricalDtype)
    site = create_app(netzlage).test_client()
    assert site.get("/daten/tage/" + FILES[1]).status_code == 404
    for path in ("/daten/tage/../history/", "/daten/tage/..%2fhistory%2f", "/history/"):
        assert site.get(path + FILES[2]).status_code in {308, 404}
    served = site.get(f"/daten/tage/{FILES[2]}")
    assert served.data == (folder_of(netzlage) / FILES[2]).read_bytes()
    served.close()
    assert FILES[2] in site.get("/daten/tage").text
    sums = site.get("/daten/tage/SHA256SUMS").text
    assert known(folder_of(netzlage))[FILES[2]].sha256 in sums
    assert known(folder_of(netzlage, OWN))[FILES[2]].sha256 not in sums


def test_of_whom_a_source_tells_is_known_to_a_look_back(netzlage: Instance) -> None:
    assert covers_of(folder_of(netzlage, OWN)) == {}
    keep_about(netzlage)
    assert covers_of(folder_of(netzlage, OWN)) == {"closed": ("o2",)}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own."""
    monkeypatch.setenv("NETZLAGE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_command_without_anything_to_do_says_so(run: Run, home: Path) -> None:
    answer = run("history", "build")
    assert answer.status == 0
    assert "0 closed days, 0 files written" in answer.out


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (["--from", "2017-05-13", "--to", "2017-05-12"], 1, "--from must be the earlier one"),
        (["--from", "2017-05-13", "--to", "2017-05-14"], 1, "run `netzlage history build` first"),
        (["--from", "2017-05-13", "--to", "2017-05-14", "--processes", "0"], 2, "--processes"),
    ],
)
def test_what_cannot_be_looked_back_at_is_one_sentence(
    run: Run, home: Path, words: list[str], status: int, told: str
) -> None:
    answer = run("history", "replay", *words)
    assert_one_line(answer, status)
    assert told in answer.err


def test_the_command_looks_back_and_says_which_days_are_missing(
    run: Run, home: Path, netzlage: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(netzlage)
    monkeypatch.setattr("aggregator.history.replay.calibrated", lambda *_: SHIPPED)
    start, end = bounds(DAY)
    words = ["--from", start.isoformat(), "--to", (end - timedelta(minutes=5)).isoformat(), "--processes", "1"]
    answer = run("history", "replay", *words, "--history", "2d", "--step", "6h", "--out", str(home / "out"))
    assert (answer.status, answer.err) == (0, "")
    assert "Of 2 of 3 days there are no files" in answer.out
    assert pq.read_table(home / "out" / "incidents.parquet").num_rows == 0
    assert '"first_look": "2017-05-12T22:00:00Z"' in (home / "out" / "incidents.json").read_text()
