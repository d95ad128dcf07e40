"""The curve: bars as high as the counts, nothing where nobody listened, marks only inside the frame."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.draw.poster import picture_series
from aggregator.draw.series import (
    STEP,
    Series,
    Word,
    axis,
    drawing,
    inline_series,
    round_step,
    spark,
    tick_times,
)
from aggregator.draw.svg import MANNERS, Caption
from tests.draw.svgs import of_class, read, words

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2017, 5, 13, 4, 0, tzinfo=UTC)  # 06:00 in German summer
CAPTION = Caption("O2 in Hamburg", "Meldungen je 15 Minuten", "Meldungen sind keine Messungen.", "Quelle: Netzlage")
NASTY = '<script>alert("1")</script> & mehr'


def series(*counts: int | None, **values: object) -> Series:
    """Return a series from START on, with nothing usual unless told."""
    none = (0.0,) * len(counts)
    given_: dict[str, object] = {"low": none, "high": none, **values}
    return Series(START, counts, **given_)  # type: ignore[arg-type]


def bars(drawn: Series) -> dict[int, float]:
    """Return the height of each bar (of 100) by its place in the row."""
    [path] = of_class(read(drawing(drawn)), "bars")
    found = re.findall(r"M([\d.]+) 100v-([\d.]+)h", path.get("d", ""))
    return {int(float(x)): float(height) for x, height in found}


def deaf(drawn: Series) -> list[int]:
    """Return the places that are marked as unheard."""
    return [int(mark.get("x", "")) for mark in of_class(read(drawing(drawn)), "deaf")]


def pages(drawn: Series, *, simulated: bool = False, said: str = "Beginn") -> list[str]:
    """Return all three forms of the curve."""
    return [
        spark(drawn, BERLIN, simulated=simulated),
        inline_series(drawn, BERLIN, label=said, onset_label=said, simulated=simulated),
        picture_series(drawn, BERLIN, replace(CAPTION, simulated=simulated), onset_label=said),
    ]


counted = st.lists(st.one_of(st.none(), st.integers(0, 20_000)), min_size=1, max_size=60)


@given(counted)
def test_a_bar_is_as_high_as_its_count_and_an_unheard_quarter_is_deaf_and_never_a_bar(
    counts: list[int | None],
) -> None:
    drawn = series(*counts)
    scale = 100 / drawn.top
    heights = bars(drawn)
    assert list(heights) == [place for place, count in enumerate(counts) if count]
    for place, height in heights.items():
        assert height == pytest.approx((counts[place] or 0) * scale, abs=0.051)
    assert deaf(drawn) == [place for place, count in enumerate(counts) if count is None]


def test_zero_reports_and_nobody_listening_do_not_look_the_same() -> None:
    assert (bars(series(4, 0)), deaf(series(4, 0))) == ({0: 100.0}, [])
    assert (bars(series(4, None)), deaf(series(4, None))) == ({0: 100.0}, [1])


def test_twice_the_reports_are_twice_as_high() -> None:
    heights = bars(series(10, 20, 40))
    assert heights[2] == 2 * heights[1] == 4 * heights[0] == 100


@given(st.floats(1, 5e6))
def test_at_most_five_ticks_of_a_round_step_reach_the_value_and_no_tick_too_many(value: float) -> None:
    step = round_step(value)
    assert str(step).rstrip("0") in {"1", "2", "5"}
    assert value <= 5 * step <= max(5, 2.5 * value)
    ticks = series(math.ceil(value)).scale
    assert ticks[-1] >= value
    assert len(ticks) == 1 or ticks[-2] < math.ceil(value)


def test_the_ticks_of_the_scale_are_named_in_every_form_that_has_a_scale() -> None:
    assert [series(n).scale for n in (0, 3, 22)] == [(1,), (1, 2, 3), (5, 10, 15, 20, 25)]
    for svg in pages(series(22))[1:]:
        assert {"0", "5", "10", "15", "20", "25"} <= set(words(read(svg)))


def test_the_band_of_the_usual_is_drawn_to_the_scale_of_the_bars() -> None:
    drawn = series(5, 5, low=(1.0, 2.0), high=(10.0, 8.0))
    [band] = of_class(read(drawing(drawn)), "band")
    assert drawn.top == 10
    assert band.get("d") == "M0 100V0H1V20H2V80H1V90H0z"


INSIDE = START + 2 * STEP
OUTSIDE = (START - timedelta(minutes=1), START + 4 * STEP + timedelta(minutes=1))


def onset(moment: datetime) -> tuple[datetime, datetime, datetime]:
    return moment - STEP, moment, moment + STEP


def test_onset_and_statements_inside_the_frame_are_drawn_at_their_place() -> None:
    drawn = series(1, 2, 3, 4, onset=onset(INSIDE), words=(Word(INSIDE + STEP, "Anbieter: keine Störung"),))
    for svg in pages(drawn)[:2]:
        assert [line.get("x1") for line in of_class(read(svg), "on")] == ["50.00%"]
        assert [line.get("x1") for line in of_class(read(svg), "w")] == ["75.00%"]
    picture = read(pages(drawn)[2])
    assert [line.get("d", "").partition(" ")[0] for line in of_class(picture, "on")] == ["M620"]  # of 80 to 1160
    assert [line.get("d", "").partition(" ")[0] for line in of_class(picture, "w")] == ["M890"]
    assert {"Beginn", "Anbieter: keine Störung"} <= set(words(picture))


@pytest.mark.parametrize("moment", OUTSIDE)
def test_onset_and_statements_outside_the_frame_are_not_drawn(moment: datetime) -> None:
    drawn = series(1, 2, 3, 4, onset=onset(moment), words=(Word(moment, "Anbieter: keine Störung"),))
    for svg in pages(drawn):
        root = read(svg)
        assert not [*of_class(root, "on"), *of_class(root, "w"), *of_class(root, "sure")]
        assert not {"Beginn", "Anbieter: keine Störung", "(1)"} & set(words(root))


def test_how_sure_the_onset_is_does_not_leave_the_frame() -> None:
    wide = (START - 8 * STEP, INSIDE, START + 40 * STEP)
    [sure] = of_class(read(pages(series(1, 2, 3, 4, onset=wide))[1]), "sure")
    assert (sure.get("x"), sure.get("width")) == ("0.00%", "100.00%")


def test_the_word_simulation_stands_inside_a_simulated_curve_and_in_no_other() -> None:
    for marked, plain in zip(pages(series(1, 2), simulated=True), pages(series(1, 2)), strict=True):
        assert any("SIMULATION" in said for said in words(read(marked)))
        assert "SIMULATION" not in plain


def test_words_from_outside_cannot_become_elements() -> None:
    drawn = series(1, 2, 3, 4, onset=onset(INSIDE), words=(Word(INSIDE, NASTY),))
    caption = Caption(NASTY, NASTY, NASTY, NASTY)
    for svg in [*pages(drawn, said=NASTY), picture_series(drawn, BERLIN, caption, onset_label=NASTY)]:
        assert not list(read(svg).iter("script"))
    inline = read(pages(drawn, said=NASTY)[1])
    assert inline[0].get("aria-label") == NASTY
    assert NASTY in words(inline)


def test_the_days_are_written_without_leading_zeros() -> None:
    night = replace(series(*([1] * 8)), start=datetime(2017, 5, 5, 21, 0, tzinfo=UTC))  # 23:00 to 01:00
    assert "5.5., 23:00" in words(read(spark(night, BERLIN, simulated=False)))
    for svg in pages(night)[1:]:
        assert "6.5." in words(read(svg))


def test_days_and_numbers_are_written_in_the_way_of_the_language() -> None:
    night = replace(series(*([1200] * 8)), start=datetime(2017, 5, 5, 21, 0, tzinfo=UTC))
    for svg in pages(night)[1:]:
        assert {"6.5.", "1.500"} <= set(words(read(svg)))
    for svg in pages(replace(night, manner=MANNERS["en"]))[1:]:
        assert {"6 May", "1,500"} <= set(words(read(svg)))


@pytest.mark.parametrize("day", [datetime(2017, 3, 25, 20, tzinfo=UTC), datetime(2017, 10, 28, 20, tzinfo=UTC)])
def test_full_local_hours_are_named_also_when_the_clocks_change(day: datetime) -> None:
    ticks = tick_times(replace(series(*([1] * 96)), start=day), BERLIN)
    assert ticks == sorted(ticks)
    assert {tick.astimezone(BERLIN).minute for tick in ticks} == {0}
    assert {tick.astimezone(BERLIN).hour % 3 for tick in ticks} == {0}
    assert 7 <= len(ticks) <= 9


@pytest.mark.parametrize("days", [3, 6, 20, 60, 200])
def test_long_curves_name_days_once_each_and_few_of_them(days: int) -> None:
    long = series(*([1] * (4 * days)), step=timedelta(hours=6))
    ticks = [tick.astimezone(BERLIN) for tick in tick_times(long, BERLIN)]
    assert 2 <= len(ticks) <= 10
    if days > 4:
        assert {f"{tick:%H:%M}" for tick in ticks} == {"00:00"}
        assert all(hour == "" and day for _place, hour, day in axis(long, BERLIN))


def test_a_bar_is_as_wide_as_its_step() -> None:
    hourly = series(1, 2, step=timedelta(hours=1))
    assert hourly.end - hourly.start == timedelta(hours=2)
    assert hourly.place(START + timedelta(hours=1)) == 0.5


def test_statements_keep_the_number_of_the_list_and_share_a_place_where_they_are_close() -> None:
    said = [START - STEP, START + STEP, START + STEP + timedelta(minutes=1), START + 3 * STEP]
    drawn = series(1, 2, 3, 4, words=tuple(Word(moment, "") for moment in said))
    assert [word for word in words(read(pages(drawn)[1])) if word.startswith("(")] == ["(2–3)", "(4)"]


def test_a_curve_without_a_midnight_names_its_day_at_the_first_hour() -> None:
    ticks = axis(series(*[1] * 24), BERLIN)
    assert [day for _place, _hour, day in ticks if day] == ["13.5."]
    assert ticks[0][2] == "13.5."


def test_the_first_hour_names_its_day_only_where_midnight_is_not_near() -> None:
    night = replace(series(*[1] * 96), start=START + timedelta(hours=8))  # from 14:00 on
    assert [day for _place, _hour, day in axis(night, BERLIN) if day] == ["13.5.", "14.5."]
    late = replace(series(*[1] * 216), start=START + timedelta(hours=11))  # from 17:00 on, named every six hours
    assert [day for _place, _hour, day in axis(late, BERLIN) if day] == ["14.5.", "15.5."]


def test_a_curve_without_marks_has_no_empty_lanes_above_it() -> None:
    plain = inline_series(series(1, 2), BERLIN, label="x", onset_label="", simulated=False)
    marked = inline_series(series(1, 2, words=(Word(START, "x"),)), BERLIN, label="x", onset_label="", simulated=False)
    heights = [int(re.findall(r'height="(\d+)" role', svg)[0]) for svg in (plain, marked)]
    assert heights[0] + 40 == heights[1]
