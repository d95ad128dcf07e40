"""The map: every district once, in its colour, with its words; marked where it is a simulation."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import cycle

import pytest

from aggregator.catalogue import Catalogue, load_catalogue
from aggregator.draw.map import VALUES, District, Value, inline_map, picture_map
from aggregator.draw.svg import Caption
from tests.draw.svgs import of_class, parents, read, words

LEGEND: dict[Value, str] = {
    "strong": "deutliche Häufung",
    "suspected": "Verdacht",
    "nothing": "nichts Auffälliges",
    "few": "wenige Meldungen",
    "blind": "niemand hört zu",
}
CAPTION = Caption("Lage", "Meldungen um 12:30", "Meldungen sind keine Messungen.", "Quelle: Netzlage")
SIMULATED = replace(CAPTION, simulated=True)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.fixture(scope="module")
def districts(catalogue: Catalogue) -> dict[str, District]:
    """All districts, the five values in turn, each with a link."""
    values = cycle(VALUES)
    return {i: District(next(values), f"{r.name} ({i})", f"/ort/{i}") for i, r in catalogue.regions.items()}


def drawn(svg: str) -> dict[str, tuple[str, str]]:
    """Return path -> (class, title) of the areas; fails where one is drawn twice."""
    root = read(svg)
    found = []
    around = dict(parents(root))
    for area in root.iter("path"):
        kind = area.get("class", "").removeprefix("kreis ")
        if kind in VALUES:
            title = area.find("title")
            title = around[area].find("title") if title is None else title
            assert title is not None
            found.append((area.get("d", ""), (kind, title.text or "")))
    assert max(Counter(path for path, _ in found).values()) == 1
    return dict(found)


def expected(catalogue: Catalogue, districts: dict[str, District]) -> dict[str, tuple[str, str]]:
    paths = catalogue.shapes.districts
    return {paths[region]: (district.value, district.title) for region, district in districts.items()}


def test_the_page_has_every_district_once_with_its_class_and_title(
    catalogue: Catalogue, districts: dict[str, District]
) -> None:
    found = drawn(inline_map(catalogue.shapes, districts, simulated=False))
    assert len(found) == 400
    assert found == expected(catalogue, districts)


def test_the_picture_has_every_district_once_with_its_class_and_title(
    catalogue: Catalogue, districts: dict[str, District]
) -> None:
    found = drawn(picture_map(catalogue.shapes, districts, CAPTION, LEGEND))
    assert len(found) == 400
    assert found == expected(catalogue, districts)


def test_a_district_leads_to_its_page_without_stopping_the_tabulator_key(
    catalogue: Catalogue, districts: dict[str, District]
) -> None:
    links = list(read(inline_map(catalogue.shapes, districts, simulated=False)).iter("a"))
    assert [link.get("href") for link in links] == [districts[region].link for region in catalogue.shapes.districts]
    assert {link.get("tabindex") for link in links} == {"-1"}


def test_a_district_without_a_page_is_drawn_without_a_link(
    catalogue: Catalogue, districts: dict[str, District]
) -> None:
    root = read(inline_map(catalogue.shapes, {**districts, "02000": District("few", "Hamburg")}, simulated=False))
    assert len(list(root.iter("a"))) == 399


def test_the_word_simulation_stands_inside_a_simulated_map_and_in_no_other(
    catalogue: Catalogue, districts: dict[str, District]
) -> None:
    page = [inline_map(catalogue.shapes, districts, simulated=simulated) for simulated in (True, False)]
    alone = [picture_map(catalogue.shapes, districts, caption, LEGEND) for caption in (SIMULATED, CAPTION)]
    for marked, plain in (page, alone):
        assert any("SIMULATION" in said for said in words(read(marked)))
        assert "SIMULATION" not in plain
    assert (read(alone[0]).findtext(".//title") or "").startswith("SIMULATION: ")


def test_words_from_outside_cannot_become_elements(catalogue: Catalogue, districts: dict[str, District]) -> None:
    nasty = '<script>alert("1")</script> & mehr'
    hostile = {**districts, "02000": District("strong", nasty, '/ort/02000"><script>')}
    caption = Caption(nasty, nasty, nasty, nasty)
    for svg in (
        inline_map(catalogue.shapes, hostile, simulated=False),
        picture_map(catalogue.shapes, hostile, caption, {**LEGEND, "strong": nasty}),
    ):
        root = read(svg)
        assert not list(root.iter("script"))
        assert nasty in {title.text for title in root.iter("title")}


def test_the_legend_names_the_values_on_the_map_and_no_others(
    catalogue: Catalogue, districts: dict[str, District]
) -> None:
    shown: tuple[Value, Value] = ("suspected", "few")
    values = cycle(shown)
    two = {region: replace(district, value=next(values)) for region, district in districts.items()}
    root = read(picture_map(catalogue.shapes, two, CAPTION, LEGEND))
    assert [key.get("class") for key in of_class(root, "key")] == ["key suspected", "key few"]
    assert {LEGEND[value] for value in shown} <= set(words(root))
    assert not {LEGEND[value] for value in VALUES if value not in shown} & set(words(root))


def test_the_picture_carries_what_it_needs_to_be_lifted_out_alone(
    catalogue: Catalogue, districts: dict[str, District]
) -> None:
    said = " ".join(words(read(picture_map(catalogue.shapes, districts, CAPTION, LEGEND))))
    for part in (CAPTION.title, CAPTION.subtitle, CAPTION.note, CAPTION.source):
        assert part in said


def test_a_country_meant_as_a_whole_has_no_district_set_apart(catalogue: Catalogue) -> None:
    whole = {region: District("strong", region) for region in catalogue.regions}
    words: dict[Value, str] = {"strong": "stark auffällig", "few": "wenig"}
    assert '<g class="ganz"' in picture_map(catalogue.shapes, whole, CAPTION, words)
    part = {**whole, "02000": District("few", "Hamburg")}
    assert '<g class="ganz"' not in picture_map(catalogue.shapes, part, CAPTION, words)
