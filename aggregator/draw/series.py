"""Counts per quarter of an hour -> bars with the band of the usual, the onset, the provider's words. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from aggregator.draw.svg import (
    MANNERS,
    WORD_OF_A_SIMULATION,
    Caption,
    Manner,
    number,
    picture,
    shortened,
    simulation,
    text,
    wrap,
)

STEP: Final = timedelta(minutes=15)
WIDTH: Final = 1200
HEIGHT: Final = 675
GAP: Final = 0.16  # of a bar's place that stays white
TALL: Final = 100.0  # the inner frame: one unit wide per bar, this high

Place = Callable[[datetime], float]


@dataclass(frozen=True, slots=True)
class Word:
    """A provider's statement on the time axis; `label` short enough for one line."""

    at: datetime
    label: str


@dataclass(frozen=True, slots=True)
class Series:
    """Reports per 15 minutes from `start` on. count None: nobody listened. low, high: what is usual, per bar."""

    start: datetime
    counts: tuple[int | None, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    onset: tuple[datetime, datetime, datetime] | None = None  # earliest, most likely, latest
    words: tuple[Word, ...] = ()
    kind: str = "strong"  # the colour of the bars: strong, suspected, or usual where nothing is claimed
    manner: Manner = MANNERS["de"]  # how days and numbers are written

    @property
    def top(self) -> int:
        """The highest tick of the scale, a round number at or above all that is drawn."""
        return round_up(max([1.0, *(c or 0 for c in self.counts), *self.high]))

    def place(self, moment: datetime) -> float:
        """Return where a moment lies, 0 at the start and 1 at the end."""
        return (moment - self.start) / (len(self.counts) * STEP)


def round_up(value: float) -> int:
    """Return the next 1, 2, 3, 4, 5, 6, 8 or 10 times a power of ten."""
    power = 10 ** max(0, math.ceil(math.log10(value)) - 1)
    return next(int(step * power) for step in (1, 2, 3, 4, 5, 6, 8, 10) if step * power >= value)


def drawing(series: Series) -> str:
    """Return band, bars and deaf stretches in a frame of one unit per bar, to be stretched to any size."""
    scale = TALL / series.top
    deaf = "".join(
        f'<rect class="deaf" x="{i}" y="0" width="1" height="100"/>'
        for i, count in enumerate(series.counts)
        if count is None
    )
    bars = "".join(
        f"M{number(i + GAP / 2)} 100v-{number(count * scale)}h{1 - GAP:.2f}V100z"
        for i, count in enumerate(series.counts)
        if count
    )
    return f'{deaf}<path class="band" d="{_band(series, scale)}"/><path class="bars" d="{bars}"/>'


def _band(series: Series, scale: float) -> str:
    """Return the stretch between low and high as a closed staircase."""
    up = "".join(f"V{number(TALL - v * scale)}H{i + 1}" for i, v in enumerate(series.high))
    down = "".join(f"V{number(TALL - series.low[i] * scale)}H{i}" for i in range(len(series.low) - 1, -1, -1))
    return f"M0 100{up}{down}z"


def _inner(series: Series, *, x: str, y: float, width: str, height: float) -> str:
    return (
        f'<svg class="{series.kind}" x="{x}" y="{number(y)}" width="{width}" height="{number(height)}"'
        f' viewBox="0 0 {len(series.counts)} 100" preserveAspectRatio="none" overflow="visible">{drawing(series)}</svg>'
    )


def spark(series: Series, zone: ZoneInfo, *, simulated: bool) -> str:
    """Return the small curve of a list, without labels of its own beyond its two ends; as wide as its place."""
    onset = _line(series.onset[1], series, "on", 4, 44) if series.onset else ""
    words = "".join(_line(word.at, series, "w", 4, 44) for word in series.words)
    word = text("60%", 57, WORD_OF_A_SIMULATION, kind="sim", anchor="middle") if simulated else ""
    end = series.start + len(series.counts) * STEP
    return (
        '<svg class="funke" width="100%" height="60" aria-hidden="true">'
        f"{_inner(series, x='0', y=4, width='100%', height=40)}"
        f'<line class="ax" x1="0" x2="100%" y1="44" y2="44"/>{onset}{words}'
        f"{text(0, 57, _day_and_time(series, zone))}{text('100%', 57, clock_time(end, zone), anchor='end')}"
        f"{word}</svg>"
    )


def _line(moment: datetime, series: Series, kind: str, top: float, bottom: float) -> str:
    place = series.place(moment)
    if not 0 <= place <= 1:
        return ""
    x = f"{place * 100:.2f}%"
    return f'<line class="{kind}" x1="{x}" x2="{x}" y1="{number(top)}" y2="{number(bottom)}"/>'


def inline_series(series: Series, zone: ZoneInfo, *, label: str, onset_label: str, simulated: bool) -> str:
    """Return the curve for a page: as wide as its place, type in its natural size, statements by number.

    label: what the picture shows, for those who cannot see it. The figure's caption names unit, sample and source and
    lists the statements by their numbers.
    """
    top, bottom = 54.0, 254.0
    shown = [word for word in series.words if 0 <= series.place(word.at) <= 1]
    words = "".join(
        _line(word.at, series, "w", 34, bottom) + _number_label(series, word.at, i, 28)
        for i, word in enumerate(shown, 1)
    )
    sim = text("100%", 296, WORD_OF_A_SIMULATION, kind="sim", anchor="end") if simulated else ""
    return (
        f'<svg class="bild" width="100%" height="300" role="img" aria-label="{_attribute(label)}">'
        f"{_scale(series, top, bottom)}{_inner(series, x='0', y=top, width='100%', height=bottom - top)}"
        f'<line class="ax" x1="0" x2="100%" y1="{bottom}" y2="{bottom}"/>{_ticks(series, zone, bottom)}'
        f"{_onset(series, onset_label, bottom)}{words}{sim}</svg>"
    )


def _attribute(words: str) -> str:
    return words.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")


def _number_label(series: Series, at: datetime, n: int, y: float) -> str:
    return text(f"{min(99.0, max(1.0, series.place(at) * 100)):.2f}%", y, f"({n})", kind="wt", anchor="middle")


def _scale(series: Series, top: float, bottom: float) -> str:
    lines = f'<line class="grid" x1="0" x2="100%" y1="{number(top)}" y2="{number(top)}"/>'
    return lines + text(0, top - 5, series.manner.count(series.top), kind="g")


def _ticks(series: Series, zone: ZoneInfo, bottom: float) -> str:
    """Return the hours below the axis; class `o`: left out where the picture is narrow."""
    found = []
    for i, moment in enumerate(tick_times(series, zone)):
        x = series.place(moment) * 100
        anchor = "" if x < 3 else "end" if x > 97 else "middle"
        label = clock_time(moment, zone)
        found.append(text(f"{x:.2f}%", bottom + 18, label, kind="o" if i % 2 else "", anchor=anchor))
        if label == "00:00":
            found.append(text(f"{x:.2f}%", bottom + 34, series.manner.date(moment.astimezone(zone)), anchor=anchor))
    return "".join(found)


def tick_times(series: Series, zone: ZoneInfo, most: int = 9) -> list[datetime]:
    """Return the full local hours to be named on the axis: every 1, 2, 3, 6, 12 or 24, at most about `most`."""
    hours = len(series.counts) * STEP / timedelta(hours=1)
    every = next((n for n in (1, 2, 3, 6, 12) if hours / n <= most), 24)
    begin = series.start.astimezone(zone)
    first = series.start + (begin.replace(minute=0, second=0, microsecond=0) - begin)
    candidates = [first + timedelta(hours=n) for n in range(int(hours) + 2)]
    end = series.start + len(series.counts) * STEP
    return [m for m in candidates if m.astimezone(zone).hour % every == 0 and series.start <= m <= end]


def _onset(series: Series, words: str, bottom: float) -> str:
    """Return the dashed line of the onset with its label in the lane above everything, and how sure it is."""
    if series.onset is None or not 0 <= series.place(series.onset[1]) <= 1:
        return ""
    early, at, late = (min(1.0, max(0.0, series.place(moment))) * 100 for moment in series.onset)
    sure = f'<rect class="sure" x="{early:.2f}%" y="16" width="{late - early:.2f}%" height="{number(bottom - 16)}"/>'
    anchor, shift = ("", 0.6) if at < 50 else ("end", -0.6)
    return sure + _line(series.onset[1], series, "on", 2, bottom) + text(f"{at + shift:.2f}%", 12, words, anchor=anchor)


def clock_time(moment: datetime, zone: ZoneInfo) -> str:
    """Return hours and minutes in that zone."""
    return f"{moment.astimezone(zone):%H:%M}"


def _day_and_time(series: Series, zone: ZoneInfo) -> str:
    return f"{series.manner.date(series.start.astimezone(zone))}, {clock_time(series.start, zone)}"


def picture_series(series: Series, zone: ZoneInfo, caption: Caption, *, onset_label: str) -> str:
    """Return the curve as a picture of 1200 x 675 (16:9) that can be lifted out alone."""
    left, right, bottom = 80.0, WIDTH - 40.0, HEIGHT - 128.0
    title = wrap(caption.title, 76)[:3]
    corrected = shortened(wrap(caption.correction, 105), 3)
    words = [word for word in series.words if 0 <= series.place(word.at) <= 1]
    begin = 26 * len(corrected)
    head = 40 + begin + 36 * len(title)
    lanes = head + 44
    top = lanes + 26 * (len(words) + (1 if series.onset else 0)) + 10
    parts = [text(40, 44 + 26 * i, line, kind="h", size=19) for i, line in enumerate(corrected)]
    parts += [text(40, 56 + begin + 36 * i, line, kind="h", size=27) for i, line in enumerate(title)]
    parts.append(text(40, head + 20, caption.subtitle, kind="g", size=19))
    parts.append(_picture_frame(series, zone, (left, right, top, bottom)))
    parts += _picture_labels(series, words, onset_label, (left, right, lanes + 16, bottom))
    parts += _picture_foot(caption)
    return picture(WIDTH, HEIGHT, caption, parts)


Box = tuple[float, float, float, float]


def _picture_frame(series: Series, zone: ZoneInfo, box: Box) -> str:
    left, right, top, bottom = box
    ticks = []
    for moment in tick_times(series, zone):
        x = left + series.place(moment) * (right - left)
        label = clock_time(moment, zone)
        ticks.append(text(x, bottom + 25, label, anchor="middle", size=18))
        if label == "00:00":
            day = series.manner.date(moment.astimezone(zone))
            ticks.append(text(x, bottom + 47, day, anchor="middle", size=18))
    middle = f"{left:g}", number(right - left)
    return (
        f'<path class="grid" d="M{left:g} {number(top)}H{right:g}" stroke-width="1"/>'
        f"{text(left - 10, top + 6, series.manner.count(series.top), anchor='end', size=18)}"
        f"{text(left - 10, bottom + 6, '0', anchor='end', size=18)}"
        f"{_inner(series, x=middle[0], y=top, width=middle[1], height=bottom - top)}"
        f'<path class="ax" d="M{left:g} {number(bottom)}H{right:g}" stroke-width="1.5"/>{"".join(ticks)}'
    )


def _picture_labels(series: Series, words: Sequence[Word], onset_label: str, box: Box) -> list[str]:
    """Return onset and statements, each with its label in a lane of its own above the bars."""
    left, right, y, bottom = box
    marks = [(series.onset[1], onset_label, "on", "")] if series.onset else []
    marks += [(word.at, word.label, "w", "wt") for word in words]
    parts = []
    for moment, label, line, kind in marks:
        place = series.place(moment)
        if not 0 <= place <= 1:
            continue
        x = left + place * (right - left)
        parts.append(f'<path class="{line}" d="M{number(x)} {number(y - 14)}V{number(bottom)}" stroke-width="2"/>')
        shift, anchor = (8, "") if place < 0.5 else (-8, "end")
        parts.append(text(x + shift, y, label, kind=kind, anchor=anchor, size=18))
        y += 26
    return parts


def _picture_foot(caption: Caption) -> list[str]:
    lines = [*wrap(caption.note, 125)[:2], *wrap(caption.source, 95)[:2]]
    y = HEIGHT - 16 - 22 * (len(lines) - 1)
    parts = [text(40, y + 22 * i, line, kind="g", size=17) for i, line in enumerate(lines)]
    return [*parts, simulation(WIDTH - 40, HEIGHT - 16, caption, anchor="end", size=18)]
