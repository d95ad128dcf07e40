"""`feeds check` and `feeds run`: what a feed would bring, what it brought, which districts that lights up."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.commands import Run

STANZA = """
[[feed]]
name = "mine"
format = "csv_table"
url = "mine.csv"
[feed.fields]
report_id = "id"
observed_at = "at"
provider = "who"
service = "what"
plz = "plz"
"""
# Six districts by a PLZ of each, and a report without any place.
PLACES = {"20095": 3, "80331": 3, "10115": 4, "04109": 2, "50667": 1, "01067": 2, "": 2}
LINE = "  districts: Berlin 4, Hamburg 3, München 3, Dresden 2, Leipzig 2; not located 2\n"


@pytest.fixture(autouse=True)
def _feeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A feed of 17 good reports, one of them twice, and one that names nobody."""
    rows = [("o2", "DSL", plz) for plz, number in PLACES.items() for _ in range(number)]
    table = [(number, "2017-05-13T09:40", *row) for number, row in enumerate(rows)]
    with (tmp_path / "mine.csv").open("w", encoding="utf-8", newline="") as file:
        lines = [("id", "at", "who", "what", "plz"), *table, table[0], (99, "2017-05-13T09:40", "", "DSL", "20095")]
        csv.writer(file).writerows(lines)
    (tmp_path / "feeds.toml").write_text(STANZA, "utf-8")
    monkeypatch.setenv("NETZLAGE_FEEDS", str(tmp_path / "feeds.toml"))


def test_run_prints_the_five_districts_that_what_it_kept_lights_up(run: Run) -> None:
    answer = run("feeds", "run", "mine")
    assert answer.status == 0
    first, _, rest = answer.out.partition("\n")
    assert first.endswith("ok: 17 kept, 1 duplicate, 1 rejected (1 missing_field)")
    assert rest == LINE


def test_what_was_there_already_lights_up_nothing(run: Run, tmp_path: Path) -> None:
    run("feeds", "run", "mine")
    assert " not_modified: 0 kept" in run("feeds", "run", "mine").out
    (tmp_path / "mine.csv").write_text((tmp_path / "mine.csv").read_text("utf-8") + "\n", "utf-8")
    answer = run("feeds", "run", "mine")
    assert answer.out.endswith("ok: 0 kept, 18 duplicate, 1 rejected (1 missing_field)\n")
    assert "districts" not in answer.out


def test_check_prints_the_same_districts_and_stores_nothing(run: Run) -> None:
    answer = run("feeds", "check", "mine")
    assert "mine: 19 items, 17 would be kept, 1 of them twice, 1 rejected; nothing was stored.\n" in answer.out
    assert LINE in answer.out
    assert " ok: 17 kept" in run("feeds", "run", "mine").out


def test_list_tells_how_a_feed_goes(run: Run) -> None:
    run("feeds", "run", "mine")
    told = run("feeds", "list").out
    assert "green: " in told
    assert "last heard 20" in told
    assert "circuit closed" in told
    assert "1 items in quarantine" in told


def test_a_feed_that_cannot_be_read_is_red_and_its_payload_is_taken_after_the_mend(run: Run, tmp_path: Path) -> None:
    table = (tmp_path / "mine.csv").read_text("utf-8")
    (tmp_path / "mine.csv").write_text(table.replace("id,at,", "id,zeit,"), "utf-8")
    answer = run("feeds", "run", "mine")
    assert answer.status == 1
    assert 'no column "at"' in answer.err
    told = run("feeds", "list").out
    assert "red: " in told
    assert "an unread payload of 20" in told
    assert run("feeds", "run", "mine", "--from-payload").status == 1
    (tmp_path / "feeds.toml").write_text(STANZA.replace('observed_at = "at"', 'observed_at = "zeit"'), "utf-8")
    assert " ok: 17 kept" in run("feeds", "run", "mine", "--from-payload").out


def test_what_was_rejected_is_listed_and_taken_after_the_mend(run: Run, tmp_path: Path) -> None:
    run("feeds", "run", "mine")
    told = run("feeds", "quarantine", "list", "mine").out
    assert "missing_field: No provider is given" in told
    assert told.endswith("1 items in quarantine.\n")
    assert "0 kept, 0 duplicate, 1 still rejected" in run("feeds", "quarantine", "take", "mine").out
    (tmp_path / "feeds.toml").write_text(STANZA.replace("[feed.fields]", 'provider = "o2"\n[feed.fields]'), "utf-8")
    assert "1 kept, 0 duplicate, 0 still rejected" in run("feeds", "quarantine", "take", "mine").out
    assert run("feeds", "quarantine", "list").out == "0 items in quarantine.\n"
