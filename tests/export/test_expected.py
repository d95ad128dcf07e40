"""The count cube says what was expected of each cell, by the baseline of its day, and never NaN."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from aggregator.clock import SimulatedClock
from aggregator.detect.baseline import MODEL, Baseline
from aggregator.detect.cube import bucket_number
from aggregator.detect.usual import expect, read_baseline
from aggregator.downloads import download
from aggregator.feedmodel import Source
from aggregator.instance import Instance, open_instance
from aggregator.model import Filter, Stream
from aggregator.refresh import Detection
from aggregator.settings import load_settings
from aggregator.store import baselines, reports, sources
from tests.detect.world import IDS, LOUD, NOW, learn, usual
from tests.making import report
from tests.test_refresh import NOW as LOOK
from tests.test_refresh import fill, hamburg, quiet

TODAY = datetime(2017, 5, 13, tzinfo=UTC)


@pytest.fixture(scope="module")
def netzlage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    settings = load_settings(None, {"NETZLAGE_HOME": str(tmp_path_factory.mktemp("cube"))})
    opened = open_instance(settings, SimulatedClock(LOOK))
    own = [report(f"f{r.report_id}", source="form", provider=r.provider, service=r.service, region=r.region,
                  observed_at=r.observed_at, received_at=r.received_at) for r in hamburg()]  # fmt: skip
    fill(opened, quiet(), heard_until=LOOK - timedelta(minutes=30))
    with opened.store.write() as connection:
        reports.add(connection, own)
        sources.keep(connection, [Source("feed", republish="counts")])
    Detection(opened).refresh()
    yield opened
    opened.store.close()


@pytest.fixture(scope="module")
def cells(netzlage: Instance) -> list[dict[str, str]]:
    data = b"".join(download(netzlage, "cube", "csv", Filter(since=TODAY - timedelta(days=1))))
    return list(csv.DictReader(io.StringIO(data.decode("utf-8"))))


def kept(netzlage: Instance) -> Baseline:
    with netzlage.store.read() as connection:
        found = baselines.load(connection, LOOK)
    assert found
    return Baseline.from_bytes(found[1])


def test_each_cell_of_a_modelled_day_has_what_that_model_expects(
    netzlage: Instance, cells: list[dict[str, str]]
) -> None:
    made = kept(netzlage)
    today = [c for c in cells if c["bucket"] >= "2017-05-13" and c["blind"] == "false"]
    assert today
    for cell in today:
        bucket = np.array([bucket_number(datetime.fromisoformat(cell["bucket"]))])
        stream = Stream(cell["provider"], cell["service"])
        usually = float(made.expected(stream, [cell["region"]], bucket)[0])
        assert 0 < float(cell["expected"]) <= usually * 1.000001
        assert float(cell["variance"]) >= float(cell["expected"])
        assert cell["model"] == MODEL


def test_a_day_without_a_model_and_blind_rows_have_none(cells: list[dict[str, str]]) -> None:
    yesterday = [c for c in cells if c["bucket"] < "2017-05-13"]
    blind = [c for c in cells if c["blind"] == "true"]
    assert yesterday
    assert any(c["count"] for c in blind)  # from the form, while the feed was deaf
    assert {(c["expected"], c["variance"], c["model"]) for c in yesterday} == {("", "", "")}
    assert {(c["expected"], c["variance"]) for c in blind} == {("", "")}


def test_no_output_is_nan(cells: list[dict[str, str]]) -> None:
    assert not any("nan" in value.lower() for cell in cells for value in cell.values())


def test_all_cells_of_a_bucket_together_are_the_nation() -> None:
    made = learn(usual())
    bucket = pd.Timestamp(NOW)
    places = pd.DataFrame({"provider": "loud", "service": "mobile", "region": [*IDS, ""], "bucket": bucket})
    found = expect(places.astype({"bucket": "datetime64[us, UTC]"}), made, np.ones(len(places)))
    nation = made.expected(LOUD, None, np.array([bucket_number(NOW)]))[0]
    assert found["expected"].sum() == pytest.approx(nation, rel=1e-9)
    halved = expect(places.astype({"bucket": "datetime64[us, UTC]"}), made, np.full(len(places), 0.5))
    assert halved["expected"].sum() == pytest.approx(nation / 2, rel=1e-9)


def test_a_baseline_of_another_method_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    blob = learn(usual()).to_bytes()
    assert read_baseline(blob) is not None
    monkeypatch.setattr("aggregator.detect.usual.MODEL", "another")
    assert read_baseline(blob) is None
