"""A value per district -> the map of the country as SVG, inside a page or standing alone. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Final, Literal, Protocol

from aggregator.draw.svg import HATCH, WORD_OF_A_SIMULATION, Caption, number, picture, shortened, simulation, text, wrap

Value = Literal["strong", "suspected", "nothing", "few", "blind"]
VALUES: Final[tuple[Value, ...]] = ("strong", "suspected", "nothing", "few", "blind")
WIDTH: Final = 1200
HEIGHT: Final = 1200


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


def picture_map(shapes: Shapes, districts: Mapping[str, District], caption: Caption, words: Mapping[Value, str]) -> str:
    """Return the map as a picture of 1200 x 1200 with title, legend (`words` per value), time, sample and source."""
    scale = (HEIGHT - 40) / shapes.height
    areas = "".join(_plain(path, districts[region]) for region, path in shapes.districts.items())
    left = WIDTH - shapes.width * scale - 20
    drawn = (
        f'<g transform="translate({number(left)} 20) scale({scale:.5f})">{areas}'
        f'<path class="land" d="{shapes.borders}"/></g>'
    )
    return picture(WIDTH, HEIGHT, caption, [drawn, *_words(caption, _legend(districts, words))])


def _plain(path: str, district: District) -> str:
    return f'<path class="kreis {district.value}" d="{path}"><title>{escape(district.title)}</title></path>'


def _legend(districts: Mapping[str, District], words: Mapping[Value, str]) -> list[tuple[Value, str]]:
    shown = {district.value for district in districts.values()}
    return [(value, words[value]) for value in VALUES if value in shown]


def _words(caption: Caption, legend: list[tuple[Value, str]]) -> list[str]:
    """Return title, legend and notes, one below the other in the column left of the map."""
    parts, y = [], 78.0
    for line in shortened(wrap(caption.correction, 27), 7):
        parts.append(text(40, y, line, kind="h", size=21))
        y += 29
    width, size = (26, 27) if caption.correction else (19, 38)
    y += 16 if caption.correction else 0
    for line in wrap(caption.title, width):
        parts.append(text(40, y, line, kind="h", size=size))
        y += round(size * 1.2)
    for line in wrap(caption.subtitle, 27):
        parts.append(text(40, y, line, kind="g", size=21))
        y += 29
    y += 28
    for value, words in legend:
        parts.append(f'<rect class="key {value}" x="40" y="{number(y - 17)}" width="22" height="20"/>')
        parts += [text(76, y + 26 * i, line, size=20) for i, line in enumerate(wrap(words, 25))]
        y += 26 * len(wrap(words, 25)) + 10
    return [*parts, *_foot(caption)]


def _foot(caption: Caption) -> list[str]:
    lines = [*wrap(caption.note, 30), "", *wrap(caption.source, 30)]
    top = HEIGHT - 40 - 23 * (len(lines) - 1)
    parts = [text(40, top + 23 * i, line, kind="g", size=17) for i, line in enumerate(lines) if line]
    return [simulation(40, top - 36, caption, size=20), *parts]
