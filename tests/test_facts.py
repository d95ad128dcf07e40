"""The files of data/ agree with one another and with the figures that are known of the country."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
import shapely

from aggregator.catalogue import Catalogue, data_folder, load_catalogue
from aggregator.factfiles import read_polygons

DATA = data_folder()


@pytest.fixture(scope="module")
def facts() -> Catalogue:
    return load_catalogue()


def rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_there_are_400_districts_in_16_laender(facts: Catalogue) -> None:
    assert len(facts.regions) == 400
    assert len(facts.laender) == 16
    assert list(facts.regions) == sorted(facts.regions)
    assert {region.parent for region in facts.regions.values()} == set(facts.laender)
    assert all(region.parent == region.id[:2] for region in facts.regions.values())


def test_the_people_of_the_districts_add_up_to_those_of_the_laender_and_the_nation(facts: Catalogue) -> None:
    people = [region.population for region in facts.regions.values()]
    assert sum(people) == 83_166_711
    assert min(people) > 30_000
    for land in facts.laender.values():
        assert land.population == sum(r.population for r in facts.regions.values() if r.parent == land.id)


def test_eisenach_is_part_of_the_wartburgkreis(facts: Catalogue) -> None:
    assert "16056" not in facts.regions
    assert facts.regions["16063"].population == 118_974 + 42_250


def test_there_are_1044_pairs_of_neighbours_and_nobody_is_alone(facts: Catalogue) -> None:
    assert sum(len(others) for others in facts.neighbours.values()) == 2 * 1_044
    assert facts.neighbours.keys() == facts.regions.keys()
    assert all(facts.neighbours.values())
    assert len(facts.neighbours["02000"]) == 6
    assert len(facts.neighbours["11000"]) == 9


def test_neighbours_are_neighbours_of_one_another(facts: Catalogue) -> None:
    assert all(i in facts.neighbours[other] for i, others in facts.neighbours.items() for other in others)


def test_there_are_8168_postcodes_in_known_districts(facts: Catalogue) -> None:
    postcodes = rows("odbl/plz.csv")
    assert len({row["plz"] for row in postcodes}) == len(postcodes) == 8_168
    assert all(re.fullmatch(r"\d{5}", row["plz"]) for row in postcodes)
    assert {row["region"] for row in postcodes} == set(facts.regions)  # none without a PLZ


def test_the_75_differences_from_eurostat_are_each_decided(facts: Catalogue) -> None:
    located = {row["plz"]: row["region"] for row in rows("odbl/plz.csv")}
    corrections = rows("plz_corrections.csv")
    assert len(corrections) == 75
    for row in corrections:
        assert row["take"] in {"tercet", "polygon"}
        assert located[row["plz"]] == row[row["take"]]
        assert row["why"] or row["take"] == "tercet"


def test_every_place_lies_in_a_known_district_of_germany(facts: Catalogue) -> None:
    towns = rows("places.csv")
    assert len(towns) == 11_870
    assert {row["region"] for row in towns} <= set(facts.regions)
    for row in (*towns, *rows("odbl/plz.csv")):
        assert 47.2 < float(row["lat"]) < 55.1
        assert 5.8 < float(row["lon"]) < 15.1


def test_no_town_has_more_people_than_its_district(facts: Catalogue) -> None:
    assert all(int(row["population"]) <= facts.regions[row["region"]].population for row in rows("places.csv"))


def test_the_middle_of_a_district_lies_in_it(facts: Catalogue) -> None:
    polygons = read_polygons(DATA / "polygons.csv", facts.regions)
    for region in facts.regions.values():
        assert shapely.distance(polygons[region.id], shapely.Point(region.lon, region.lat)) < 1e-3, region.name


def test_the_polygons_do_not_overlap(facts: Catalogue) -> None:
    polygons = list(read_polygons(DATA / "polygons.csv", facts.regions).values())
    assert all(shapely.is_valid(polygon) for polygon in polygons)
    whole = sum(polygon.area for polygon in polygons)
    assert whole == pytest.approx(shapely.union_all(polygons).area, rel=1e-5)


def test_names_of_districts_are_told_apart(facts: Catalogue) -> None:
    names = [region.name for region in facts.regions.values()]
    assert len(set(names)) == 400
    assert facts.region_name("09162") == "München"
    assert facts.region_name("09184") == "Landkreis München"
    assert facts.region_name("03241") == "Region Hannover"
    assert facts.region_name("03403") == "Oldenburg"
    assert facts.region_name("09363") == "Weiden in der Oberpfalz"
    assert not [name for name in names if re.search(r"\b(a|i|d)\.", name)]


def test_every_district_and_land_is_drawn_within_the_frame(facts: Catalogue) -> None:
    shapes = facts.shapes
    assert shapes.districts.keys() == facts.regions.keys()
    assert shapes.laender.keys() == facts.laender.keys()
    assert shapes.view_box == f"0 0 6000 {shapes.height}"
    for path in (*shapes.districts.values(), *shapes.laender.values()):
        assert re.fullmatch(r"(M\d+ \d+l(-?\d+ ?)+z)+", path), path[:80]
        for start in re.findall(r"M(\d+) (\d+)", path):
            assert 0 <= int(start[0]) <= shapes.width
            assert 0 <= int(start[1]) <= shapes.height


def test_a_point_is_drawn_where_its_district_is(facts: Catalogue) -> None:
    for region in facts.regions.values():
        x, y = facts.shapes.point(region.lat, region.lon)
        corners = [(int(a), int(b)) for a, b in re.findall(r"M(\d+) (\d+)", facts.shapes.districts[region.id])]
        nearest = min((x - a) ** 2 + (y - b) ** 2 for a, b in corners) ** 0.5
        assert nearest < 900, region.name  # path starts on the border; the widest district is 1,200 across


def test_the_nine_services_of_the_contract_have_two_names_and_symptoms(facts: Catalogue) -> None:
    assert list(facts.services) == [
        "fixed_internet",
        "mobile",
        "landline",
        "tv",
        "email",
        "portal",
        "hotline",
        "power",
        "other",
    ]
    for service in facts.services.values():
        assert service.name_de
        assert service.name_en
        assert 3 <= len(service.symptoms) <= 6
        assert all(german and english for german, english in service.symptoms.values())


def test_there_are_providers_for_the_whole_country_and_one_that_is_invented(facts: Catalogue) -> None:
    assert len(facts.providers) >= 31
    assert [p.id for p in facts.providers.values() if p.fictitious] == ["rheinfunk"]
    assert facts.providers["rheinfunk"].footprint == ("05315",)
    assert "erfunden" in facts.providers["rheinfunk"].name
    assert 0.9 < sum(p.share for p in facts.providers.values()) <= 1
    named = {"telekom", "vodafone", "o2", "1und1", "pyur", "congstar", "freenet", "netcologne", "m-net", "ewe"}
    assert named | {"wilhelm-tel", "deutsche-glasfaser", "htp", "tele-columbus"} <= facts.providers.keys()


def test_each_table_of_the_folder_has_a_source(facts: Catalogue) -> None:
    sources = (DATA / "SOURCES.md").read_text(encoding="utf-8")
    tables = [path.relative_to(DATA).as_posix() for path in DATA.rglob("*.csv") if "scenarios" not in path.parts]
    assert sorted(set(tables) - set(re.findall(r"[\w/]+\.csv", sources))) == []
    lines = [a.line for a in facts.attributions]
    assert "© OpenStreetMap contributors" in lines
    assert "© GeoNames" in lines
    assert "© GeoBasis-DE / BKG (2019), dl-de/by-2-0, Daten verändert" in lines
    assert "© Statistische Ämter des Bundes und der Länder, 31.12.2019" in lines
    assert any("Eurostat (TERCET)" in line for line in lines)


def test_the_odbl_columns_lie_apart_with_their_notice() -> None:
    notice = Path(DATA / "odbl" / "NOTICE.md").read_text(encoding="utf-8")
    assert "OpenStreetMap contributors" in notice
    for path in (DATA / "odbl").glob("*.csv"):
        assert path.name in notice
