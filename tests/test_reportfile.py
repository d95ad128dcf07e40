"""A file of reports read piece by piece says what it says at once, and names the lines of the file."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from aggregator import reportfile
from aggregator.errors import DataError
from aggregator.frames import FILED
from aggregator.model import Region
from aggregator.reportfile import read_reports

REGIONS = [Region(name, name, "02", 53.5, 10.0, 100_000) for name in ("02000", "09162")]
LINES = [
    "2017-05-13T10:00:00Z,02000,o2,mobile,anna",
    "2017-05-13T12:30:00Z,09162,telekom,tv,",
    "2017-05-13T12:31:00Z,,o2,mobile,anna",  # within six hours of her first
    "2017-05-13T09:00:00Z,02000,vodafone,mobile,bert",
    "2017-05-13T17:00:00Z,02000,o2,mobile,anna",
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return written(tmp_path, LINES)


def written(folder: Path, lines: list[str]) -> Path:
    path = folder / "reports.csv"
    path.write_text("\n".join(["observed_at,region,provider,service,reporter", *lines]) + "\n", "utf-8")
    return path


def test_what_is_kept_of_a_report_is_little_and_in_the_order_of_arrival(file: Path) -> None:
    table = read_reports(file, REGIONS)
    assert {name: str(dtype) for name, dtype in table.dtypes.items()} == dict(FILED)
    assert table["provider"].tolist() == ["vodafone", "o2", "telekom", "o2", "o2"]
    assert table["region"].tolist() == ["02000", "02000", "09162", "", "02000"]
    assert table["counted"].tolist() == [True, True, True, False, True]


@pytest.mark.parametrize("lines", [1, 2, 3])
def test_pieces_of_any_length_give_the_same(file: Path, lines: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = read_reports(file, REGIONS)
    monkeypatch.setattr(reportfile, "LINES", lines)
    pd.testing.assert_frame_equal(read_reports(file, REGIONS), whole)


@pytest.mark.parametrize("wrong", ["yesterday,02000,o2,mobile,", "2017-05-13,99999,o2,mobile,", "2017-05-13,,,mobile,"])
def test_a_mistake_is_named_by_its_line_in_the_file(
    tmp_path: Path, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reportfile, "LINES", 2)
    with pytest.raises(DataError, match=r"line 7 "):
        read_reports(written(tmp_path, [*LINES, wrong]), REGIONS)
