"""Pictures that are lifted out alone: everything inside the frame, whatever the words, in both formats."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.catalogue import Catalogue, load_catalogue
from aggregator.draw.map import District, picture_map
from aggregator.draw.poster import MOST, picture_series
from aggregator.draw.series import STEP, Series, Word
from aggregator.draw.svg import FORMATS, Caption, balanced, clipped, fitted, measure
from tests.draw.svgs import of_class, read, words

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2017, 5, 13, 4, 0, tzinfo=UTC)
LONG = "Donaudampfschifffahrtsgesellschaftstelekommunikationsinfrastrukturbetreibergesellschaft"
TITLE = (
    f"Bundesweit: 12.345 Meldungen zum Internet (Festnetz) von {LONG} seit etwa 09:40 Uhr (13. Mai); üblich wären 31"
)
CAPTION = Caption(
    TITLE,
    "Meldungen je Viertelstunde, n = 12.345",
    "Meldungen sind keine Ausfälle.",
    "Quelle: Netzlage " * 6,
    simulated=True,
    correction="Zurückgezogen am 13. Mai: " + "Eine Quelle zählte doppelt. " * 12,
)
NOTHING = (0.0,) * 40


def curve(said: int = 3, label: str = "13:20 Uhr, O2: bestritten") -> Series:
    moments = tuple(Word(START + (3 + 5 * n) * STEP, label) for n in range(said))
    onset = START + 10 * STEP
    return Series(START, (3,) * 40, NOTHING, NOTHING, (onset, onset, onset), moments)


def reach(element: ET.Element) -> tuple[float, float]:
    """Return from where to where a text reaches, as its typeface has it."""
    x, width = float(element.get("x", "0")), measure(element.text or "", float(element.get("font-size", "16")))
    begin = {"end": x - width, "middle": x - width / 2}.get(element.get("text-anchor", ""), x)
    return begin, begin + width


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("label", ["13:20 Uhr, O2: bestritten", f"13:20 Uhr, {LONG * 2}: bestritten"])
def test_no_word_leaves_the_curve_s_picture_and_no_line_lies_on_another(name: str, label: str) -> None:
    form = FORMATS[name]
    root = read(picture_series(curve(label=label), BERLIN, CAPTION, onset_label="Beginn etwa 09:40 Uhr", form=form))
    for element in root.iter("text"):
        low, high = reach(element)
        assert low >= 0, element.text
        assert high <= form.width + 1, element.text
        assert 0 < float(element.get("y", "0")) < form.height
    lines = sorted((float(e.get("y", "0")), float(e.get("font-size", "0"))) for e in root.iter("text")
                   if e.get("text-anchor") is None and float(e.get("x", "0")) == form.margin)  # fmt: skip
    assert all(below - above >= 0.95 * size for (above, size), (below, _) in pairwise(lines))


@pytest.mark.parametrize("name", FORMATS)
def test_the_curve_s_picture_says_all_that_it_must_say_alone(name: str) -> None:
    root = read(picture_series(curve(), BERLIN, CAPTION, onset_label="Beginn etwa 09:40 Uhr", form=FORMATS[name]))
    said = " ".join(words(root)).replace(" ", "")
    for part in (CAPTION.subtitle, CAPTION.note, "Beginn etwa 09:40 Uhr", "O2: bestritten", "SIMULATION", "Quelle:"):
        assert part.replace(" ", "") in said


def test_of_many_statements_the_first_have_labels_and_all_have_lines() -> None:
    root = read(picture_series(curve(said=7), BERLIN, CAPTION, onset_label=""))
    assert len(of_class(root, "w")) == 7
    assert len(of_class(root, "wt")) == MOST


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.mark.parametrize("name", FORMATS)
def test_the_map_s_picture_holds_its_words_and_names_its_districts(name: str, catalogue: Catalogue) -> None:
    form = FORMATS[name]
    districts = {region: District("few", region) for region in catalogue.regions}
    districts["02000"] = District("strong", "Hamburg")
    legend = {"strong": "stark auffällig", "few": "zu wenig Meldungen für eine Aussage"}
    drawn = picture_map(catalogue.shapes, districts, CAPTION, legend, form=form, named={"02000": "Hamburg"})  # type: ignore[arg-type]
    root = read(drawn)
    assert [name.text for name in of_class(root, "ort")] == ["Hamburg"]
    for element in root.iter("text"):
        if element.get("class") not in {"ort", "hof weit"}:
            low, high = reach(element)
            assert low >= 0
            assert high <= form.width + 1, element.text
    said = " ".join(words(root)).replace(" ", "")
    for part in (CAPTION.subtitle, CAPTION.note, "SIMULATION", *legend.values()):
        assert part.replace(" ", "") in said


@given(st.text("abcdefghij MW.,", min_size=1, max_size=300), st.floats(120, 900), st.floats(10, 40))
def test_lines_hold_all_words_and_are_no_wider_than_told(said: str, width: float, size: float) -> None:
    for lines in (fitted(said, width, size), balanced(said, width, size)):
        assert "".join(lines).replace(" ", "") == said.replace(" ", "")
        assert all(measure(line, size) <= width or len(line) == 1 for line in lines)
    assert len(balanced(said, width, size)) == len(fitted(said, width, size))
    assert measure(clipped(said, width, size), size) <= width or len(said) < 3


def test_a_title_leaves_no_word_alone_in_its_last_line() -> None:
    said = "Hamburg: 145 Meldungen zum Internet (Festnetz) von O2 seit etwa 09:45 Uhr; üblich wären in dieser Zeit zwei"
    assert measure(balanced(said, 1120, 31)[-1], 31) > 0.5 * measure(balanced(said, 1120, 31)[0], 31)


def test_labels_and_lines_do_not_cross_where_they_need_not() -> None:
    words_ = (Word(START + 8 * STEP, "08:00 Uhr, O2: teilweise bestätigt"),
              Word(START + 24 * STEP, "12:00 Uhr, zu O2: Hotline, über einen Kunden, der dort angerufen hat"),
              Word(START + 39 * STEP, "15:45 Uhr, O2: bestritten"))  # fmt: skip
    onset = START + 4 * STEP
    drawn = Series(START, (3,) * 40, NOTHING, NOTHING, (onset, onset, onset), words_)
    root = read(picture_series(drawn, BERLIN, CAPTION, onset_label="Beginn etwa 07:00 Uhr"))
    lines = [element.get("d", "") for name in ("on", "w") for element in of_class(root, name)]
    uprights = [tuple(map(float, d[1:].replace("V", " ").split())) for d in lines]
    for element in of_class(root, "hof"):
        (low, high), y = reach(element), float(element.get("y", "0"))
        assert not [x for x, top, bottom in uprights if low < x < high and top < y - 5 < bottom], element.text
