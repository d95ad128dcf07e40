"""The public holidays of each Land are those that the library of the whole world has."""

from __future__ import annotations

import holidays
import pytest

from aggregator.detect.feasts import feasts

CODES = {
    "01": "SH", "02": "HH", "03": "NI", "04": "HB", "05": "NW", "06": "HE", "07": "RP", "08": "BW",
    "09": "BY", "10": "SL", "11": "BE", "12": "BB", "13": "MV", "14": "SN", "15": "ST", "16": "TH",
}  # fmt: skip
YEARS = range(1995, 2051)


@pytest.mark.parametrize("land", CODES)
def test_every_holiday_of_a_land_is_there_and_no_other(land: str) -> None:
    known = holidays.country_holidays("DE", subdiv=CODES[land], years=YEARS)
    assert {day for year in YEARS for day in feasts(land, year)} == set(known)


def test_another_country_has_none() -> None:
    assert list(feasts("FR", 2026)) == []
