"""Counts per quarter of an hour -> bars with the band of the usual, the onset, the provider's words. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from aggregator.draw.svg import MANNERS, WORD_OF_A_SIMULATION, Manner, number, text

STEP: Final = timedelta(minutes=15)
NEAR: Final = 0.05  # of the width: marks closer than that share a label
APART: Final = 0.12  # of the width: between two days on the axis
GAP: Final = 0.16  # of a bar's place that stays white
TALL: Final = 100.0  # the inner frame: one unit wide per bar, this high


@dataclass(frozen=True, slots=True)
class Word:
    """A provider's statement on the time axis; `label` short enough for one line."""

    at: datetime
    label: str


@dataclass(frozen=True, slots=True)
class Series:
    """Reports per `step` from `start` on. count None: nobody listened. low, high: what is usual, per bar."""

    start: datetime
    counts: tuple[int | None, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    onset: tuple[datetime, datetime, datetime] | None = None  # earliest, most likely, latest
    words: tuple[Word, ...] = ()
    kind: str = "strong"  # the colour of the bars: strong, suspected, or usual where nothing is claimed
    manner: Manner = MANNERS["de"]  # how days and numbers are written
    step: timedelta = STEP  # that a bar is wide

    @property
    def end(self) -> datetime:
        """The end of the last bar."""
        return self.start + len(self.counts) * self.step

    @property
    def top(self) -> int:
        """The highest tick of the scale, at or above all that is drawn."""
        return self.scale[-1]

    @property
    def scale(self) -> tuple[int, ...]:
        """The ticks of the scale above 0: at most five, of a round step."""
        most = max([1.0, *(c or 0 for c in self.counts), *self.high])
        step = round_step(most)
        return tuple(step * (i + 1) for i in range(math.ceil(most / step)))

    def place(self, moment: datetime) -> float:
        """Return where a moment lies, 0 at the start and 1 at the end."""
        return (moment - self.start) / (self.end - self.start)


def round_step(value: float) -> int:
    """Return the least of 1, 2, 5, 10, 20, … of which at most five reach `value`."""
    power = int(10 ** max(0, math.floor(math.log10(value)) - 1))
    return next(step * power for step in (1, 2, 5, 10, 20) if 5 * step * power >= value)


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


def inner(series: Series, *, x: str, y: float, width: str, height: float) -> str:
    """Return the bars and all behind them, stretched into that place."""
    return (
        f'<svg class="{series.kind}" x="{x}" y="{number(y)}" width="{width}" height="{number(height)}"'
        f' viewBox="0 0 {len(series.counts)} 100" preserveAspectRatio="none" overflow="visible">{drawing(series)}</svg>'
    )


def spark(series: Series, zone: ZoneInfo, *, simulated: bool) -> str:
    """Return the small curve of a list, without labels of its own beyond its two ends; as wide as its place."""
    onset = _line(series.onset[1], series, "on", 4, 44) if series.onset else ""
    words = "".join(_line(word.at, series, "w", 4, 44) for word in series.words)
    word = text("60%", 57, WORD_OF_A_SIMULATION, kind="sim", anchor="middle") if simulated else ""
    end = series.end
    return (
        '<svg class="funke" width="100%" height="60" aria-hidden="true">'
        f"{inner(series, x='0', y=4, width='100%', height=40)}"
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
    lists the statements by their numbers. The numbers of the scale stand left of it: the page leaves room.
    """
    top = 54.0 if series.onset or series.words else 14.0  # the lanes of the labels
    bottom = top + 200
    lines = "".join(_line(word.at, series, "w", 34, bottom) for word in series.words)
    words = "".join(text(f"{x * 100:.2f}%", 28, f"({n})", kind="wt", anchor="middle") for x, n in _marks(series))
    sim = text("100%", bottom + 42, WORD_OF_A_SIMULATION, kind="sim", anchor="end") if simulated else ""
    return (
        f'<svg class="bild" width="100%" height="{number(bottom + 46)}" role="img" aria-label="{_attribute(label)}">'
        f"{_scale(series, top, bottom)}{inner(series, x='0', y=top, width='100%', height=bottom - top)}"
        f'<line class="ax" x1="0" x2="100%" y1="{bottom}" y2="{bottom}"/>{_ticks(series, zone, bottom)}'
        f"{_onset(series, onset_label, bottom)}{lines}{words}{sim}</svg>"
    )


def _marks(series: Series) -> list[tuple[float, str]]:
    """Return where the numbers of the statements stand, counted among all; those too close share a place: "2–4"."""
    groups: list[list[tuple[float, int]]] = []
    for i, word in enumerate(series.words, 1):
        place = series.place(word.at)
        if not 0 <= place <= 1:
            continue
        if groups and place - groups[-1][-1][0] < NEAR:
            groups[-1].append((place, i))
        else:
            groups.append([(place, i)])
    return [(_middle(group), "–".join(map(str, sorted({group[0][1], group[-1][1]})))) for group in groups]


def _middle(group: list[tuple[float, int]]) -> float:
    return min(0.98, max(0.02, (group[0][0] + group[-1][0]) / 2))


def _attribute(words: str) -> str:
    return words.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")


def _scale(series: Series, top: float, bottom: float) -> str:
    parts = [text(-8, bottom + 4, "0", kind="g", anchor="end")]
    for value in series.scale:
        y = number(bottom - (bottom - top) * value / series.top)
        parts.append(f'<line class="grid" x1="0" x2="100%" y1="{y}" y2="{y}"/>')
        parts.append(text(-8, float(y) + 4, series.manner.count(value), kind="g", anchor="end"))
    return "".join(parts)


def _ticks(series: Series, zone: ZoneInfo, bottom: float) -> str:
    """Return the hours below the axis; class `o`: left out where the picture is narrow."""
    found = []
    for i, (place, hour, day) in enumerate(axis(series, zone)):
        x = place * 100
        anchor = "" if x < 3 else "end" if x > 97 else "middle"
        kind = "o" if i % 2 else ""
        found.append(text(f"{x:.2f}%", bottom + 18, hour or day, kind=kind, anchor=anchor))
        if hour and day:
            found.append(text(f"{x:.2f}%", bottom + 34, day, anchor=anchor))
    return "".join(found)


def axis(series: Series, zone: ZoneInfo) -> list[tuple[float, str, str]]:
    """Return the ticks of the time axis: place (0 to 1), hour ("" where each is a day), day (at midnight, and first).

    The first tick has its day, too, where that of a midnight leaves it the room.
    """
    ticks = tick_times(series, zone)
    daily = all(f"{tick.astimezone(zone):%H:%M}" == "00:00" for tick in ticks)
    found = []
    for tick in ticks:
        hour = clock_time(tick, zone)
        day = series.manner.date(tick.astimezone(zone)) if hour == "00:00" else ""
        found.append((series.place(tick), "" if daily else hour, day))
    named = [place for place, _hour, day in found if day]
    if found and not daily and not any(place - found[0][0] < APART for place in named):
        found[0] = (*found[0][:2], series.manner.date(ticks[0].astimezone(zone)))
    return found


def tick_times(series: Series, zone: ZoneInfo, most: int = 9) -> list[datetime]:
    """Return the full local hours to be named on the axis: every 1, 2, 3, 6 or 12, else midnights; about `most`."""
    hours = (series.end - series.start) / timedelta(hours=1)
    begin = series.start.astimezone(zone)
    every = next((n for n in (1, 2, 3, 6, 12) if hours / n <= most), None)
    if every is None:
        days = next((n for n in (1, 2, 5, 7, 14) if hours / 24 / n <= most), 30)
        midnights = (datetime.combine(begin.date() + timedelta(n), time(), zone) for n in range(int(hours / 24) + 2))
        found = [m for m in midnights if series.start <= m <= series.end]
        return [m.astimezone(UTC) for m in found[::days]]
    first = series.start + (begin.replace(minute=0, second=0, microsecond=0) - begin)
    candidates = [first + timedelta(hours=n) for n in range(int(hours) + 2)]
    return [m for m in candidates if m.astimezone(zone).hour % every == 0 and series.start <= m <= series.end]


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
