"""A curve as a picture that stands alone: title, unit, time, sample and source inside, 16:9 or square. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from aggregator.draw.series import Series, axis, inner
from aggregator.draw.svg import (
    FORMATS,
    Caption,
    Format,
    clipped,
    foot,
    head,
    measure,
    number,
    picture,
    text,
)

MOST = 5  # statements that have a label; more are lines only
BESIDE = 8.0  # between a line and its label
LEFT = 80.0  # where the axis begins: the numbers of the scale stand before it


@dataclass(frozen=True, slots=True)
class Box:
    """Where the bars stand, and from which height on the labels of the marks."""

    left: float
    right: float
    top: float
    bottom: float
    lanes: float

    def x(self, place: float) -> float:
        """Return where a place from 0 to 1 lies."""
        return self.left + place * (self.right - self.left)


def picture_series(
    series: Series, zone: ZoneInfo, caption: Caption, *, onset_label: str, form: Format = FORMATS["16x9"]
) -> str:
    """Return the curve as a picture of the format."""
    width = form.width - 2 * form.margin
    above = head(caption, form, x=form.margin, width=width)
    below = foot(caption, form, x=form.margin, width=width)
    marks = list(_marks(series, onset_label))
    labelled = sum(bool(label) for _place, label, _line, _kind in marks)
    lanes = above.y + form.text * 0.9
    top = lanes + form.text * (1.4 * labelled + 0.6)
    bottom = below.y - form.text * 3.4
    box = Box(LEFT, form.width - 40.0, top, bottom, lanes + form.text * 0.8)
    parts = [*above.parts, _frame(series, zone, box, form), *_labels(marks, box, form), *below.parts]
    return picture(form, caption, parts)


def _frame(series: Series, zone: ZoneInfo, box: Box, form: Format) -> str:
    parts = [text(box.left - 10, box.bottom + 6, "0", anchor="end", size=form.small)]
    for value in series.scale:
        y = box.bottom - (box.bottom - box.top) * value / series.top
        parts.append(f'<path class="grid" d="M{box.left:g} {number(y)}H{box.right:g}" stroke-width="1"/>')
        parts.append(text(box.left - 10, y + 6, series.manner.count(value), anchor="end", size=form.small))
    parts.append(
        inner(series, x=f"{box.left:g}", y=box.top, width=number(box.right - box.left), height=box.bottom - box.top)
    )
    parts.append(f'<path class="ax" d="M{box.left:g} {number(box.bottom)}H{box.right:g}" stroke-width="1.5"/>')
    for place, hour, day in axis(series, zone):
        x, y = box.x(place), box.bottom + form.text * 1.3
        parts.append(text(x, y, hour or day, anchor="middle", size=form.small))
        if hour and day:
            parts.append(text(x, y + form.small * 1.2, day, anchor="middle", size=form.small))
    return "".join(parts)


Mark = tuple[float, str, str, str]  # place, label, class of the line, class of the label


def _marks(series: Series, onset_label: str) -> Iterator[Mark]:
    """Yield onset and statements inside the frame, in time; more statements than have room are lines only."""
    if series.onset and 0 <= series.place(series.onset[1]) <= 1:
        yield series.place(series.onset[1]), onset_label, "on", ""
    inside = [word for word in series.words if 0 <= series.place(word.at) <= 1]
    for i, word in enumerate(inside):
        yield series.place(word.at), word.label if i < MOST else "", "w", "wt"


@dataclass(frozen=True, slots=True)
class Label:
    """The words of a mark, beside its line: where they reach from and to."""

    x: float
    words: str
    line: str
    kind: str
    right: bool
    low: float
    high: float


def _labels(marks: list[Mark], box: Box, form: Format) -> list[str]:
    """Return each mark with its label in a lane of its own above the bars, so that few labels and lines cross.

    Where they do after all, the label has a white rim.
    """
    told = [_label(mark, box, form) for mark in marks if mark[1]]
    rights, lefts = [one for one in told if one.right], [one for one in reversed(told) if not one.right]
    ordered = min(([*lefts, *rights], [*rights, *lefts]), key=_crossings)
    lines = [_upright(box.x(place), box.top, box, line) for place, label, line, _kind in marks if not label]
    labels = []
    for lane, one in enumerate(ordered):
        y = box.lanes + form.text * 1.4 * lane
        lines.append(_upright(one.x, y - form.text * 0.75, box, one.line))
        at, anchor = (one.x + BESIDE, "") if one.right else (one.x - BESIDE, "end")
        labels += [text(at, y, one.words, kind=k, anchor=anchor, size=form.text) for k in ("hof", one.kind)]
    return lines + labels


def _label(mark: Mark, box: Box, form: Format) -> Label:
    """Set the label right of its line if it has room there, else on the side that has more."""
    place, said, line, kind = mark
    x = box.x(place)
    room = {True: box.right - x - 2 * BESIDE, False: x - box.left - 2 * BESIDE}
    right = measure(said, form.text) <= room[True] or room[True] >= room[False]
    words = clipped(said, room[right], form.text)
    width = measure(words, form.text) + BESIDE
    return Label(x, words, line, kind, right, x if right else x - width, x + width if right else x)


def _crossings(ordered: list[Label]) -> int:
    """Count the lines from higher lanes that go through labels of lower ones."""
    return sum(one.low < higher.x < one.high for lane, one in enumerate(ordered) for higher in ordered[:lane])


def _upright(x: float, begin: float, box: Box, line: str) -> str:
    return f'<path class="{line}" d="M{number(x)} {number(begin)}V{number(box.bottom)}" stroke-width="2"/>'
