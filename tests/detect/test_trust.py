"""What a hotspot must not stand on: one block, one text, guessed places."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from aggregator.detect.calibrate import SHIPPED
from aggregator.detect.trust import FLOOD, Part, is_flood, matters, stands_without
from aggregator.model import Hotspot, Stream

AT = datetime(2017, 5, 13, 8, tzinfo=UTC)


def hotspot(reports: int, expected: float) -> Hotspot:
    return Hotspot(
        Stream("o2", "fixed_internet"), "02000", ("02000",), AT - timedelta(hours=1), AT, reports, expected, 30.0,
        effective=reports * 0.9, effective_expected=expected * 0.9,
    )  # fmt: skip


def stands(reports: int, part: Part, expected: float = 0.5) -> bool:
    return stands_without(hotspot(reports, expected), 1.05, 0.03, part, SHIPPED)


def test_what_stands_on_one_new_block_falls() -> None:
    assert not stands(40, Part(38, 0.0))


@pytest.mark.parametrize("observed", [5, 40])
def test_only_what_never_lets_a_hotspot_fall_does_not_matter(observed: int) -> None:
    falls = [size for size in range(observed + 1) if not stands(observed, Part(size, 0.0))]
    large = [size for size in range(observed + 1) if matters(hotspot(observed, 0.5), size)]
    assert falls
    assert set(falls) <= set(large) < set(range(observed + 1))


def test_what_is_left_of_a_real_fault_stands() -> None:
    assert stands(40, Part(24, 0.2))


def test_a_carriers_gateway_is_no_flood_however_many_come_through_it() -> None:
    assert stands(200, Part(120, 0.5))
    assert not is_flood(120, 200, 0.5)


def test_a_gateway_never_seen_before_is_taken_out_and_the_rest_stands() -> None:
    assert is_flood(120, 200, 0.0)
    assert stands(200, Part(120, 0.0))


@pytest.mark.parametrize(("size", "total", "usual", "flood"), [
    (10_000, 10_060, 0.1, True),
    (FLOOD - 1, FLOOD, 0.0, False),  # too few to be taken out; no hotspot stands on them either
    (300, 5_000, 0.0, False),
    (2_500, 5_000, 0.45, False),
    (4_900, 5_000, 0.45, True),
])  # fmt: skip
def test_a_flood_is_far_more_than_its_usual_share(size: int, total: int, usual: float, flood: bool) -> None:
    assert is_flood(size, total, usual) is flood


def test_a_region_of_guessed_places_falls_where_their_share_grew() -> None:
    assert not stands(30, Part(29, 0.6))
    assert stands(60, Part(38, 0.6))
