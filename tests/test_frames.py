"""The frames' columns and dtypes are the contract's, and conform() makes or refuses them."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator import frames

SCHEMAS = {
    name: getattr(frames, name) for name in ("REPORTS", "CUBE", "LISTENING", "COVERAGE", "SCORES")
}  # the tables of the contract


def kinds(frame: pd.DataFrame) -> dict[str, str]:
    return {str(name): str(dtype) for name, dtype in frame.dtypes.items()}


def one_cube_row(**changes: object) -> pd.DataFrame:
    row: dict[str, object] = {
        "provider": "o2", "service": "mobile", "region": "02000", "source": "x", "count": 3,
        "bucket": pd.Timestamp("2017-05-13T10:00Z"),
    }  # fmt: skip
    return pd.DataFrame([{**row, **changes}])


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS.keys())
def test_an_empty_frame_has_the_columns_and_dtypes(schema: dict[str, str]) -> None:
    frame = frames.empty(schema)
    assert len(frame) == 0
    assert kinds(frame) == dict(schema)
    assert kinds(frames.conform(frame, schema)) == dict(schema)


def test_the_columns_are_the_contracts() -> None:
    assert list(frames.REPORTS) == [
        "report_id", "source", "reporter", "block", "provider", "service", "symptom", "region", "plz", "place_source",
        "lat", "lon", "observed_at", "began_at", "received_at", "counted",
    ]  # fmt: skip
    assert set(frames.CUBE) >= {"provider", "service", "region", "bucket", "count"}
    assert list(frames.COVERAGE) == ["provider", "bucket", "share"]
    assert list(frames.SCORES) == ["zone", "start", "end", "observed", "expected", "score"]


def test_conform_orders_columns_drops_others_and_sets_dtypes() -> None:
    frame = frames.conform(one_cube_row(extra=1, count="7"), frames.CUBE)
    assert list(frame.columns) == list(frames.CUBE)
    assert kinds(frame) == dict(frames.CUBE)
    assert frame["count"].tolist() == [7]


def test_conform_names_every_missing_column() -> None:
    with pytest.raises(KeyError, match="columns missing: region, count"):
        frames.conform(one_cube_row().drop(columns=["count", "region"]), frames.CUBE)


def test_conform_turns_other_zones_into_utc() -> None:
    frame = frames.conform(one_cube_row(bucket=pd.Timestamp("2017-05-13T12:00", tz="Europe/Berlin")), frames.CUBE)
    assert frame["bucket"].tolist() == [pd.Timestamp("2017-05-13T10:00Z")]


def test_conform_refuses_a_time_without_zone() -> None:
    with pytest.raises(TypeError, match=r"naive|timezone"):
        frames.conform(one_cube_row(bucket=pd.Timestamp("2017-05-13T12:00")), frames.CUBE)


def test_conform_refuses_text_where_a_number_belongs() -> None:
    with pytest.raises(ValueError, match="viele"):
        frames.conform(one_cube_row(count="viele"), frames.CUBE)


def test_conform_keeps_what_is_missing_missing() -> None:
    frame = frames.conform(one_cube_row(count=None), frames.CUBE)
    assert frame["count"].isna().all()


def test_conform_leaves_the_frame_it_was_given_alone() -> None:
    given_frame = one_cube_row(count="7", extra=1)
    before = given_frame.copy()
    frames.conform(given_frame, frames.CUBE)
    pd.testing.assert_frame_equal(given_frame, before)


@given(st.lists(st.integers(0, 2**40), max_size=20))
def test_conforming_twice_changes_nothing(counts: list[int]) -> None:
    rows = [one_cube_row(count=count) for count in counts]
    once = frames.conform(pd.concat([frames.empty(frames.CUBE), *rows], ignore_index=True), frames.CUBE)
    pd.testing.assert_frame_equal(frames.conform(once, frames.CUBE), once)
    assert once["count"].tolist() == counts
