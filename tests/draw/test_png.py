"""The PNG: of the asked width, and with words that are really there."""

from __future__ import annotations

import re
import struct

import pytest

from aggregator.draw.png import to_png
from aggregator.draw.svg import Caption, Format, picture, simulation, text

CAPTION = Caption("O2 in Hamburg", "Meldungen je 15 Minuten", "", "", simulated=True)


def drawn(words: str) -> str:
    """Return a small picture with a bar, a sentence and the word SIMULATION."""
    parts = ['<rect class="strong" x="10" y="60" width="20" height="30"/>', text(10, 30, words, size=20)]
    return picture(Format(240, 120, 20, 12, 10, 10), CAPTION, [*parts, simulation(10, 110, CAPTION, size=12)])


def size(png: bytes) -> tuple[int, int]:
    """Return width and height in pixels; fails where it is no PNG."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert png[12:16] == b"IHDR"
    width, height = struct.unpack(">II", png[16:24])
    return width, height


@pytest.mark.parametrize(("asked", "expected"), [(None, (240, 120)), (480, (480, 240)), (120, (120, 60))])
def test_it_is_a_png_of_the_asked_width(asked: int | None, expected: tuple[int, int]) -> None:
    assert size(to_png(drawn("Köln"), width=asked)) == expected


def test_the_same_picture_is_the_same_file() -> None:
    assert to_png(drawn("Köln")) == to_png(drawn("Köln"))


def test_the_words_are_there() -> None:
    """Where the typeface is lacking, the picture is the one without its words."""
    whole = drawn("Störung bei O2")
    without = re.sub(r"<text.*?</text>", "", whole)
    assert "SIMULATION" not in re.sub(r"<title>.*?</title>", "", without)
    assert to_png(whole) != to_png(without)


def test_the_word_simulation_is_there() -> None:
    whole = drawn("Köln")
    assert to_png(whole) != to_png(whole.replace(simulation(10, 110, CAPTION, size=12), ""))


def test_the_typeface_has_umlauts() -> None:
    pictures = {to_png(drawn(word)) for word in ("K\u00f6ln", "Koln", "Kln", "K\u0378ln")}  # the last: no such sign
    assert len(pictures) == 4


def test_bold_words_have_a_cut_of_their_own() -> None:
    plain = drawn("Köln")
    assert to_png(plain) != to_png(plain.replace('<text x="10" y="30"', '<text class="h" x="10" y="30"'))
