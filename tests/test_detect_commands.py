"""`scan` and `refresh` as a person runs them: check values, and one sentence for what cannot be used."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.commands import Run
from tests.detect.test_static import HERE, PAIR

COUNTS, REGIONS = str(HERE / "counts.csv"), str(HERE / "regions.csv")
HEADER = "region,name,parent,lat,lon,population\n"


def test_scan_prints_the_published_best_window_first(run: Run) -> None:
    said = run("scan", COUNTS, "--regions", REGIONS, "--statistic", "ebp", "--max-neighbours", "15", "--top", "2")
    best, second = json.loads(said.out)
    assert set(best) == {"regions", "start", "end", "observed", "expected", "relative_risk", "score"}
    assert (tuple(best["regions"]), best["start"], best["end"]) == (PAIR, "1986", "1989")
    assert best["score"] == pytest.approx(9.18061699783, abs=1e-9)
    assert not set(best["regions"]) & set(second["regions"])


def test_scan_with_overlap_prints_the_published_next_scores(run: Run) -> None:
    said = run("scan", COUNTS, "--regions", REGIONS, "--max-neighbours", "15", "--overlap", "--top", "5")
    expected = [9.18061699783, 9.17769937882, 8.99750334044, 8.99569188888, 8.79171777544]
    assert [window["score"] for window in json.loads(said.out)] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("regions", "words"),
    [
        ("", "lacks the column region"),
        ("region,name,parent,lat,lon\na,A,,1,2\n", "lacks the column population"),
        (HEADER, "holds no region"),
        (HEADER + "a,A,,1,2,10\na,A,,1,2,10\n", "line 3 names region a a second time"),
        (HEADER + "a,A,,north,2,10\n", "line 2 has lat = 'north'"),
        (HEADER + "a,A,,1,2,-1\n", "population = '-1'"),
        (HEADER + "a,A,,1\n", "line 2 is cut off"),
        (HEADER + "a,A,,1,2,nan\n", "population = 'nan'"),
    ],
)
def test_regions_that_cannot_be_used_are_told_in_one_sentence(
    run: Run, tmp_path: Path, regions: str, words: str
) -> None:
    (tmp_path / "r.csv").write_text(regions)
    said = run("scan", COUNTS, "--regions", "r.csv")
    assert said.status == 1
    assert words in said.err
    assert said.err.strip().count("\n") == 0


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("a,1,1,1\nb,1,1,1\n", "line 3 names region 'b'"),
        ("a,1,one,1\n", "count = 'one'"),
        ("a,1,1,1\na,1,1,1\n", "a second time"),
        ("a,1,1,0\n", "expects no report at all"),
    ],
)
def test_counts_that_cannot_be_used_are_told_in_one_sentence(run: Run, tmp_path: Path, rows: str, words: str) -> None:
    (tmp_path / "r.csv").write_text(HEADER + "a,A,,1,2,10\n")
    (tmp_path / "c.csv").write_text("region,time,count,baseline\n" + rows)
    said = run("scan", "c.csv", "--regions", "r.csv")
    assert said.status == 1
    assert words in said.err


def test_times_are_ordered_as_numbers_and_returned_unchanged(run: Run, tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text(HEADER + "a,A,,1,2,10\nb,B,,2,2,10\n")
    (tmp_path / "c.csv").write_text("region,time,count,baseline\na,9,1,1\na,10,9,1\nb,10,1,1\n")
    (best, *_) = json.loads(run("scan", "c.csv", "--regions", "r.csv").out)
    assert (best["regions"], best["start"], best["end"]) == (["a"], "10", "10")


def test_refresh_on_an_empty_store_says_that_nothing_goes_on(run: Run) -> None:
    assert run("refresh").out == "0 incident(s) going on.\n"
    assert run("refresh", "--as-of", "gestern").status == 2
