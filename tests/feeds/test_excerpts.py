"""The excerpts of two recordings, through parser and the one door: each row in the district that a person looked up."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from aggregator.catalogue import Catalogue, load_catalogue
from aggregator.model import Rejected
from aggregator.normalise import Normaliser
from ingest.feed import load_feeds
from ingest.parsers import NO_HINTS, PARSERS

HERE = Path(__file__).parent
NOW = datetime(2026, 5, 4, tzinfo=UTC)
# Row by row: number, district, why it lies there.
LAMPS = {
    "700001": "06439", "700002": "06436", "700003": "06439", "700004": "12069", "700005": "08118", "700006": "05111",
    "700007": "05366", "700008": "14713", "700009": "14612", "700011": "06439", "700012": "03405", "700013": "06436",
    "700014": "07232", "700103": "14713", "700010": "missing_field provider", "700104": "bad_number lat",
}  # fmt: skip
KOELN = dict.fromkeys([*(f"B-{number}" for number in range(900, 910))], "05315") | {"B-920": ""}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.mark.parametrize(("name", "expected"), [("stoerungsauskunft/lamps", LAMPS), ("open311/koeln", KOELN)])
def test_each_row_is_in_its_district_or_rejected_for_the_right_reason(
    name: str, expected: dict[str, str], catalogue: Catalogue
) -> None:
    [feed] = load_feeds(HERE / f"{name}.toml", {})
    parsed = PARSERS[feed.format]((HERE / f"{name}.json").read_bytes(), feed, NO_HINTS)
    normaliser, found = Normaliser(catalogue, b"k"), {}
    for raw in parsed.reports:
        report = normaliser.report(raw, NOW)
        found[raw.key] = f"{report.reason} {report.field}" if isinstance(report, Rejected) else report.region
        assert isinstance(report, Rejected) or report.service == "other"
    assert found == expected
