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


def _labels(marks: list[Mark], box: Box, form: Format) -> list[str]:
    """Return each mark with its label in a lane of its own above the bars, so that labels and lines do not cross.

    All labels stand on one side where there is room: right of the lines from the top lane down, or left of them with
    the last in the top lane. Where lines cross a label after all, it has a white rim.
    """
    told = [mark for mark in marks if mark[1]]
    right = all(box.x(place) + measure(label, form.text) <= box.right - 8 for place, label, _line, _kind in told)
    ordered = (
        told if right else sorted(told, key=lambda mark: (mark[0] >= 0.5, -mark[0] if mark[0] >= 0.5 else mark[0]))
    )
    lines, labels = [], []
    for place, _label, line, _kind in (mark for mark in marks if not mark[1]):
        lines.append(_upright(box.x(place), box.top, box, line))
    for lane, (place, label, line, kind) in enumerate(ordered):
        x, y = box.x(place), box.lanes + form.text * 1.4 * lane
        lines.append(_upright(x, y - form.text * 0.75, box, line))
        start = right or place < 0.5
        shift, anchor, room = (8, "", box.right - x) if start else (-8, "end", x - box.left)
        words = clipped(label, room - 8, form.text)
        labels += [text(x + shift, y, words, kind=k, anchor=anchor, size=form.text) for k in ("hof", kind)]
    return lines + labels


def _upright(x: float, begin: float, box: Box, line: str) -> str:
    return f'<path class="{line}" d="M{number(x)} {number(begin)}V{number(box.bottom)}" stroke-width="2"/>'
