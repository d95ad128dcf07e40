"""A value per district -> the map of the country as SVG, inside a page or standing alone. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Final, Literal, Protocol

from aggregator.draw.svg import (
    FORMATS,
    HATCH,
    WORD_OF_A_SIMULATION,
    Caption,
    Format,
    column,
    foot,
    head,
    number,
    picture,
    text,
)

Value = Literal["strong", "suspected", "nothing", "few", "blind"]
VALUES: Final[tuple[Value, ...]] = ("strong", "suspected", "nothing", "few", "blind")


class Shapes(Protocol):
    """Path data per district and of the Land borders, in one frame (see catalogue.Shapes)."""

    @property
    def width(self) -> int:
        """Width of the frame."""

    @property
    def height(self) -> int:
        """Height of the frame."""

    @property
    def borders(self) -> str:
        """Path of the Land borders."""

    @property
    def districts(self) -> Mapping[str, str]:
        """Path of each district."""


@dataclass(frozen=True, slots=True)
class District:
    """What the map says of one district: its value, the words of its tooltip, where a click leads."""

    value: Value
    title: str
    link: str = ""


def inline_map(shapes: Shapes, districts: Mapping[str, District], *, simulated: bool) -> str:
    """Return the map for a page, whose style sheet colours it. The list beside it says the same in words.

    Districts of which nothing is said are left out.
    A link cannot be reached by the tabulator key: four hundred stops before the next heading would lock a reader in.
    """
    areas = "".join(
        _linked(path, districts[region]) for region, path in shapes.districts.items() if region in districts
    )
    word = _word(shapes) if simulated else ""
    return (
        f'<svg class="karte" viewBox="0 0 {shapes.width} {shapes.height}" aria-hidden="true"><defs>{HATCH}</defs>'
        f"{areas}{_borders(shapes)}{word}</svg>"
    )


def _linked(path: str, district: District) -> str:
    area = f'<path class="{district.value}" d="{path}"/>'
    title = f"<title>{escape(district.title)}</title>"
    if not district.link:
        return f"<g>{title}{area}</g>"
    return f'<a href="{escape(district.link)}" tabindex="-1">{title}{area}</a>'


def _borders(shapes: Shapes) -> str:
    return f'<path class="land" d="{shapes.borders}"/>'


def _word(shapes: Shapes) -> str:
    return f'<text class="sim" x="{shapes.width}" y="{shapes.height - 60}">{WORD_OF_A_SIMULATION}</text>'


def picture_map(
    shapes: Shapes,
    districts: Mapping[str, District],
    caption: Caption,
    words: Mapping[Value, str],
    *,
    form: Format = FORMATS["quadrat"],
    named: Mapping[str, str] | None = None,
) -> str:
    """Return the map as a picture with title, legend (`words` per value), time, sample and source.

    named: districts that have their name beside them. Where all are of one incident the country is meant, and no
    district is set apart. Square: title and source stand over and under all, else left of the map.
    """
    full, gap = form.width - 2 * form.margin, form.margin * 0.6
    wide = form.width > form.height
    above = None if wide else head(caption, form, x=form.margin, width=full)
    below = None if wide else foot(caption, form, x=form.margin, width=full)
    top, bottom = (above.y + gap, below.y - gap) if above and below else (gap, form.height - gap)
    scale = (bottom - top) / shapes.height
    left = form.width - shapes.width * scale - form.margin
    width = left - 2 * form.margin
    above = above or head(caption, form, x=form.margin, width=width)
    below = below or foot(caption, form, x=form.margin, width=width)
    areas = "".join(_plain(path, districts[region]) for region, path in shapes.districts.items())
    whole = ' class="ganz"' if {district.value for district in districts.values()} <= {"strong", "suspected"} else ""
    drawn = (
        f'<g{whole} transform="translate({number(left)} {number(top)}) scale({scale:.5f})">{areas}'
        f'<path class="land" d="{shapes.borders}"/>{_names(shapes, named or {}, form.text / scale)}</g>'
    )
    legend = _legend(districts, words, form, above.y + form.text * 1.4, width)
    return picture(form, caption, [drawn, *above.parts, *legend, *below.parts])


def _plain(path: str, district: District) -> str:
    return f'<path class="kreis {district.value}" d="{path}"><title>{escape(district.title)}</title></path>'


def _names(shapes: Shapes, named: Mapping[str, str], size: float) -> str:
    """Return the names beside their districts, on the side where there is more room."""
    found = []
    for region, name in named.items():
        low, high, middle = _extent(shapes.districts[region])
        right = low + high < shapes.width
        x, anchor = (high + size * 0.4, "") if right else (low - size * 0.4, "end")
        y = middle + size * 0.35
        found += [text(x, y, name, kind=kind, anchor=anchor, size=size) for kind in ("hof weit", "ort")]
    return "".join(found)


def _extent(path: str) -> tuple[float, float, float]:
    """Return the least and the greatest x of a path, and its middle y. It has but M, l and z (see catalogue.Shapes)."""
    xs: list[int] = []
    ys: list[int] = []
    x = y = 0
    for command, numbers in re.findall(r"([MlLz])([^MlLz]*)", path):
        pairs = [int(n) for n in re.findall(r"-?\d+", numbers)]
        for dx, dy in zip(pairs[::2], pairs[1::2], strict=True):
            x, y = (x + dx, y + dy) if command == "l" else (dx, dy)
            xs.append(x)
            ys.append(y)
    return min(xs), max(xs), (min(ys) + max(ys)) / 2


def _legend(
    districts: Mapping[str, District], words: Mapping[Value, str], form: Format, y: float, width: float
) -> list[str]:
    """Return the values that the map shows, one below the other, from `y` on."""
    shown = {district.value for district in districts.values()}
    parts, size = [], form.text
    for value in (value for value in VALUES if value in shown):
        x = form.margin
        parts.append(
            f'<rect class="key {value}" x="{number(x)}" y="{number(y + size * 0.15)}"'
            f' width="{number(size * 1.1)}" height="{number(size)}"/>'
        )
        told = column(x + size * 1.7, y, words[value], width=width - size * 1.7, size=size)
        parts += told.parts
        y = told.y + size * 0.35
    return parts
