"""What was exported can be imported, and exports as the same rows again."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.catalogue import Catalogue, load_catalogue
from aggregator.downloads import download
from aggregator.exported import Exported
from aggregator.feedmodel import Source
from aggregator.importing import read_csv
from aggregator.instance import Instance
from aggregator.model import Filter, Rejected, Report
from aggregator.pipeline import Outcome, accept
from aggregator.record import End
from aggregator.store import ends, reports, sources
from tests.commands import Run
from tests.making import SATURDAY, instance, report

NOW = SATURDAY + timedelta(days=1)


@dataclass(frozen=True)
class Standing:
    """A real clock that stands still."""

    simulated = False

    def now(self) -> datetime:
        return NOW

    def sleep(self, seconds: float) -> None:
        raise NotImplementedError


@cache
def catalogue() -> Catalogue:
    """Not a fixture: hypothesis prints the arguments of a test, and this one is long."""
    return load_catalogue()


def real(folder: Path) -> Instance:
    folder.mkdir()
    made = replace(instance(folder, catalogue()), clock=Standing())
    with made.store.write() as connection:
        sources.keep(connection, [Source("feed", republish="rows")])
    return made


def export(instance: Instance, kind: str = "csv") -> bytes:
    return b"".join(download(instance, "reports", kind, Filter()))


def take_in(instance: Instance, data: bytes) -> Outcome:
    return accept(instance, read_csv(data.splitlines(keepends=True)), whole=True)


PAST = st.integers(-10_000_000_000, 0).map(lambda n: SATURDAY + timedelta(microseconds=n))
SYMPTOM = st.text(st.sampled_from("=+-@'\";, aäß0\u202f"), max_size=8).map(str.strip)


@st.composite
def stored(draw: st.DrawFn) -> tuple[list[Report], list[End]]:
    """Reports as the store may hold them: received after they were observed, ended after they began."""
    found, over = [], []
    for n in range(draw(st.integers(0, 8))):
        observed = draw(PAST)
        received = observed + timedelta(seconds=draw(st.integers(-600, 7200)))
        lasted = draw(st.none() | st.integers(0, 86_000))
        values: dict[str, Any] = {
            "source": draw(st.sampled_from(["feed", "form", "import"])),
            "provider": draw(st.sampled_from(["o2", "telekom", "stadtwerke-nirgendwo"])),
            "service": draw(st.sampled_from(["mobile", "fixed_internet", "other"])),
            "symptom": draw(SYMPTOM),
            "region": draw(st.sampled_from(["", "02000", "16077"])),
            "place_source": draw(st.sampled_from(["", "plz", "ip", "text", "area_code"])),
            "counted": draw(st.booleans()),
            "began_at": draw(st.none() | st.just(observed - timedelta(hours=30))),
        }
        found.append(report(f"{n:024x}", observed_at=observed, received_at=received, **values))
        if lasted is not None:
            over.append(End(f"{n:024x}", observed + timedelta(seconds=lasted), received + timedelta(days=1)))
    return found, over


@settings(max_examples=15)
@given(stored())
def test_importing_an_export_gives_the_same_rows(reported: tuple[list[Report], list[End]]) -> None:
    given_, over = reported
    with tempfile.TemporaryDirectory() as folder:
        first, second = (real(Path(folder) / name) for name in ("first", "second"))
        with first.store.write() as connection:
            reports.add(connection, given_)
            ends.add(connection, over)
        out = export(first)
        outcome = take_in(second, out)
        assert (outcome.kept, outcome.rejected) == (len(given_), {})
        assert lines(export(second)) == lines(out)  # within five minutes their order is not told
        assert take_in(second, out).duplicate == len(given_)
        assert take_in(first, out).duplicate == len(given_)
        assert counts(second) == counts(first)
        first.store.close()
        second.store.close()


def lines(data: bytes) -> list[bytes]:
    return sorted(data.split(b"\r\n"))


def counts(instance: Instance) -> list[str]:
    cells = b"".join(download(instance, "cube", "csv", Filter())).decode().splitlines()[1:]
    return [cell for cell in cells if cell.split(",")[5]]


def items(*lines: str) -> Sequence[Any]:
    header = "report_id,source,provider,service,symptom,region,place_source,observed_at,received_at,counted"
    return list(read_csv(line.encode() + b"\n" for line in (header, *lines)))


GOOD = "aa,feed,o2,mobile,'=x,02000,plz,2017-05-13T07:40:00Z,2017-05-13T07:40:00Z,false"


def test_a_row_of_an_export_keeps_its_id_and_source_and_loses_its_guard() -> None:
    (item,) = items(GOOD)
    assert isinstance(item, Exported)
    assert (item.report_id, item.source, item.symptom, item.counted) == ("aa", "feed", "=x", False)


@pytest.mark.parametrize(
    ("before", "after", "field"),
    [
        ("aa,", "a b,", "report_id"), ("aa,", ",", "report_id"), (",feed,", ",,", "source"),
        (",plz,", ",moon,", "place_source"), (",false", ",maybe", "counted"),
    ],
)  # fmt: skip
def test_a_row_that_no_export_wrote_is_told_by_field_and_line(before: str, after: str, field: str) -> None:
    (item,) = items(GOOD.replace(before, after, 1))
    assert isinstance(item, Rejected)
    assert (item.field, item.where) == (field, "line 2")


def test_what_makes_no_report_is_refused_in_an_export_too(tmp_path: Path) -> None:
    made = real(tmp_path / "one")
    bad = [GOOD.replace("mobile", "pigeons"), GOOD.replace("02000", "99999"), GOOD.replace("13T07:40:00Z,2", "13T,2")]
    outcome = accept(made, items(*bad))
    assert outcome.kept == 0
    assert outcome.rejected == {"unknown_service": 1, "unknown_place": 1, "bad_time": 1}
    made.store.close()


def test_a_file_for_excel_can_be_imported_as_well(tmp_path: Path) -> None:
    first, second = (real(tmp_path / name) for name in ("first", "second"))
    with first.store.write() as connection:
        reports.add(connection, [report("ab", source="form", symptom="=x", counted=False), report("cd", 3)])
    assert take_in(second, export(first, "excel")).kept == 2
    assert export(second) == export(first)
    first.store.close()
    second.store.close()


def test_the_commands_do_it_too(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_text("provider,service,observed_at,plz\no2,mobile,2017-05-13T09:40,20095\n")
    assert run("import", "a.csv").status == 0
    assert run("export", "reports", "--format", "csv", "-o", "out.csv").status == 0
    monkeypatch.setenv("NETZLAGE_HOME", str(tmp_path / "other"))
    assert run("import", "out.csv").out == "out.csv: 1 kept, 0 duplicate, 0 rejected\n"
    assert run("export", "reports", "--format", "csv").out.encode() == (tmp_path / "out.csv").read_bytes()
