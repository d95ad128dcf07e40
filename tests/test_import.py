"""`import` and `export` as commands: good rows kept, the rest told by line, nothing stored twice."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from aggregator.errors import DataError
from aggregator.importing import LONGEST_LINE, Item, bounded, from_fields, read_csv, read_ndjson
from aggregator.model import RawReport, Rejected
from tests.commands import Run

HEADER = "provider,service,observed_at,plz,comment\n"
ROW = "o2,mobile,2017-05-13T09:40,20095,Kein Netz\n"


def read(text: str | bytes) -> list[Item]:
    data = text.encode() if isinstance(text, str) else text
    return list(read_csv(data.splitlines(keepends=True)))


def reasons(items: list[Item]) -> list[str]:
    return [f"{item.reason} {item.where}" if isinstance(item, Rejected) else "" for item in items]


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_the_header_says_what_separates(mark: str) -> None:
    (item,) = read("\ufeff" + (HEADER + ROW).replace(",", mark))
    assert isinstance(item, RawReport)
    assert (item.provider, item.plz, item.where) == ("o2", "20095", "line 2")


def test_bad_rows_are_told_by_line_and_good_ones_kept() -> None:
    text = (HEADER + ROW + "o2,mobile\n" + "\n" + ROW).encode() + b"o2,mobile,2017-05-13T09:40,20095,M\xfcll\n"
    text += ROW.encode() + b'o2,mobile,2017-05-13T09:40,20095,"half'
    assert reasons(read(text)) == ["", "bad_row line 3", "", "bad_encoding line 6", "", "bad_row line 8"]


def test_a_field_over_several_lines_keeps_the_count_of_lines() -> None:
    items = read(HEADER + 'o2,mobile,2017-05-13T09:40,20095,"a\nb"\n' + "o2\n")
    assert reasons(items) == ["", "bad_row line 4"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"provider,service,plz\n", "lacks the column observed_at"),
        (b"service\n", "lacks the column provider and observed_at"),
        (b"", "lacks the column"),
        (b"provider,service,observed_at,lat\n", "No column says where"),
        ("provider".encode("utf-16"), "UTF-16"),
        (b"PK\x03\x04\0\0", "not text"),
    ],
)
def test_a_file_that_is_no_table_of_reports_is_refused(text: bytes, said: str) -> None:
    with pytest.raises(DataError, match=said):
        read(text)


def test_a_line_without_end_is_one_bad_row(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes((HEADER + ROW).encode() + b"x" * (LONGEST_LINE + 50) + b"\n" + ROW.encode())
    with (tmp_path / "a.csv").open("rb") as file:
        found = reasons(list(read_csv(bounded(file.readline))))
    assert found[0] == found[-1] == ""
    assert all(reason.startswith("bad_row") for reason in found[1:-1])


def test_rows_of_a_demo_stay_out() -> None:
    assert reasons(read(HEADER.strip() + ",simulated\n" + ROW.strip() + ",true\n")) == ["simulated line 2"]


def test_ndjson_takes_numbers_and_null_and_tells_half_lines() -> None:
    lines = ['{"provider": "o2", "plz": 4109, "lat": null, "uid": "u1"}\n', "\n", "[1]\n", '{"plz": [1]}\n', '{"prov']
    items = list(read_ndjson(line.encode() for line in lines))
    assert isinstance(items[0], RawReport)
    assert (items[0].plz, items[0].lat, items[0].key) == ("4109", None, "u1")
    assert reasons(items)[1:] == ["bad_row line 3", "bad_field line 4", "bad_row line 5"]


def test_a_call_gives_source_and_address() -> None:
    found = from_fields({"provider": "o2", "unknown": 1}, "api", address="203.0.113.7")
    assert found == RawReport("api", provider="o2", address="203.0.113.7")


def test_import_counts_and_stores_once(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(HEADER + ROW + ROW + "foo" + ROW[2:] + "o2,mobile\n")
    first = run("import", "a.csv")
    assert first.status == 0
    assert first.out == "a.csv: 2 kept, 0 duplicate, 2 rejected\n  1 unknown_provider\n  1 bad_row\n"
    assert first.err.splitlines() == [
        'a.csv: line 4: Provider "foo" is not known; write one of the listed names or ids.',
        "a.csv: Line 5 has 2 of 5 columns; the file looks cut off there.",
    ]
    assert run("import", "a.csv").out.startswith("a.csv: 0 kept, 2 duplicate, 2 rejected")


def test_one_file_that_cannot_be_read_does_not_stop_the_others(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(HEADER + ROW)
    (tmp_path / "b.csv").write_text("a,b\n1,2\n")
    answer = run("import", "missing.csv", "b.csv", "a.csv")
    assert answer.status == 1
    assert "a.csv: 1 kept" in answer.out
    assert "missing.csv: The file cannot be read (No such file or directory)" in answer.err
    assert "b.csv: The header lacks the column provider and service and observed_at" in answer.err


def test_a_header_with_ends_of_line_of_another_time_is_one_sentence(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(f"{HEADER}{ROW}".replace("\n", "\r").encode())
    answer = run("import", "a.csv")
    assert answer.status == 1
    assert "a.csv: The header cannot be read" in answer.err


def test_a_feed_format_is_read_by_its_parser(run: Run, tmp_path: Path) -> None:
    item = {"report_id": "1", "provider": "o2", "service": "mobile", "observed_at": "2017-05-13T09:40", "plz": "20095"}
    (tmp_path / "a.json").write_text(json.dumps([item, {**item, "report_id": "2", "plz": "x"}]))
    assert run("import", "a.json", "--format", "json_records").out == (
        "a.json: 1 kept, 0 duplicate, 1 rejected\n  1 unknown_place\n"
    )
    assert run("import", "a.json", "--feed", "nothing").status == 1


def test_export_writes_what_was_imported(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.ndjson").write_text(
        '{"provider": "o2", "service": "mobile", "observed_at": "2017-05-13T09:40", "plz": "20095", "symptom": "=1"}\n'
        '{"provider": "telekom", "service": "portal", "observed_at": "2017-05-13T09:52", "region": "09162"}\n'
    )
    assert run("import", "a.ndjson").status == 0
    assert run("export", "reports", "--format", "csv", "-o", "a.csv", "--region", "Hamburg").status == 0
    header, row = (tmp_path / "a.csv").read_text().splitlines()
    assert header.startswith("report_id,source,provider,service,symptom,region")
    assert ",import,o2,mobile,'=1,02000,plz," in row
    assert row.endswith(",true,false")
    assert run("export", "cube", "--format", "parquet", "-o", "cube.parquet").status == 0
    cube = pd.read_parquet(tmp_path / "cube.parquet")
    assert cube[["provider", "region", "count", "blind"]].to_numpy().tolist() == [
        ["o2", "02000", 1, False],
        ["telekom", "09162", 1, False],
    ]
    assert run("export", "reports", "--format", "csv", "-o", "no/such/folder.csv").status == 1
    assert run("export", "reports", "--format", "csv", "--region", "Nirgendwo").status == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "a.ndjson", "cube.parquet", "home"]
