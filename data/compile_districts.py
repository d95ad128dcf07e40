"""VG250 shapefile and the Kreis statistics -> 400 districts with names, people, polygons, neighbours."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import openpyxl
import shapefile
import shapely
from compile_sources import member
from shapely import affinity
from shapely.geometry.base import BaseGeometry

EISENACH, WARTBURGKREIS = "16056", "16063"  # Eisenach lost its own district on 1 July 2021
SHARED_BORDER = 1e-4  # degrees; less is a point where corners meet
# Islands and an exclave that the generalised polygons leave out: district, latitude, longitude, radius in degrees of
# longitude. Only for finding coordinates; they are not drawn.
ISLANDS = {
    "Helgoland": ("01056", 54.18, 7.89, 0.04),
    "Neuwerk": ("02000", 53.94, 8.46, 0.09),
    "Borkum": ("03457", 53.58, 6.70, 0.10),
    "Juist": ("03452", 53.68, 7.00, 0.14),
    "Norderney": ("03452", 53.71, 7.20, 0.11),
    "Baltrum": ("03452", 53.73, 7.38, 0.05),
    "Langeoog": ("03462", 53.75, 7.50, 0.09),
    "Spiekeroog": ("03462", 53.77, 7.70, 0.08),
    "Wangerooge": ("03455", 53.79, 7.90, 0.07),
    "Nordstrand": ("01054", 54.50, 8.88, 0.08),
    "Pellworm": ("01054", 54.49, 8.70, 0.11),
    "Hooge": ("01054", 54.55, 8.53, 0.09),
    "Langeneß": ("01054", 54.65, 8.66, 0.12),
    "Hamburger Hallig": ("01054", 54.60, 8.82, 0.06),
    "Strelasund": ("13073", 54.40, 13.21, 0.04),
    "Wesermündung": ("03461", 53.57, 8.49, 0.04),
    "Hiddensee": ("13073", 54.55, 13.11, 0.06),
    "Büsingen": ("08335", 47.697, 8.69, 0.015),
}
GRID = 1e-4  # degrees

LAENDER = {
    "01": "Schleswig-Holstein",
    "02": "Hamburg",
    "03": "Niedersachsen",
    "04": "Bremen",
    "05": "Nordrhein-Westfalen",
    "06": "Hessen",
    "07": "Rheinland-Pfalz",
    "08": "Baden-Württemberg",
    "09": "Bayern",
    "10": "Saarland",
    "11": "Berlin",
    "12": "Brandenburg",
    "13": "Mecklenburg-Vorpommern",
    "14": "Sachsen",
    "15": "Sachsen-Anhalt",
    "16": "Thüringen",
}
LONG_FORMS = (
    (r"\ba\. ?d\. ", "an der "),
    (r"\bi\. ?d\. OPf\.", "in der Oberpfalz"),
    (r"\ba\. ", "am "),
    (r"\bi\. ", "im "),
    (r" \(Oldb\)", ""),
)
CITY = {"Kreisfreie Stadt", "Stadtkreis"}


@dataclass(frozen=True, slots=True)
class District:
    """One Kreis: AGS5, a name that stands alone, and whether it is a city of its own."""

    id: str
    name: str
    city: bool
    nuts: str
    population: int
    polygon: BaseGeometry


def read_districts(wheel: Path) -> list[District]:
    """The 400 districts in the order of their AGS, polygons covering the country without gap or overlap."""
    records, polygons, nuts = _shapes(wheel)
    people = _population(wheel)
    people[WARTBURGKREIS] += people.pop(EISENACH)
    polygons[WARTBURGKREIS] = shapely.union(polygons[WARTBURGKREIS], polygons.pop(EISENACH))
    ids = sorted(polygons)
    clean = shapely.coverage_clean([polygons[i] for i in ids])
    return [
        District(i, friendly_name(*records[i]), records[i][1] in CITY, nuts[i], people[i], polygon)
        for i, polygon in zip(ids, clean, strict=True)
    ]


def _shapes(wheel: Path) -> tuple[dict[str, tuple[str, str]], dict[str, BaseGeometry], dict[str, str]]:
    files = {kind: io.BytesIO(member(wheel, f"VG250_KRS.{kind}")) for kind in ("shp", "shx", "dbf")}
    reader = shapefile.Reader(**files, encoding="utf-8")
    records, polygons, nuts = {}, {}, {}
    for item in reader.iterShapeRecords():
        if item.record["GF"] != 4:  # 4 = land; the rest is water
            continue
        ags = item.record["AGS"]
        records[ags] = (item.record["GEN"], item.record["BEZ"])
        nuts[ags] = item.record["NUTS"]
        polygons[ags] = shapely.make_valid(shapely.geometry.shape(item.shape.__geo_interface__))
    return records, polygons, nuts


def _population(wheel: Path) -> dict[str, int]:
    book = openpyxl.load_workbook(io.BytesIO(member(wheel, "raw/regions/04-kreise.xlsx")), data_only=True)
    rows = book.worksheets[1].iter_rows(min_row=8, max_col=6, values_only=True)
    return {str(row[0]): int(str(row[5])) for row in rows if re.fullmatch(r"\d{5}", str(row[0])) and row[5]}


def friendly_name(name: str, kind: str) -> str:
    """A name that a reader cannot mistake: "München" is the city, "Landkreis München" the district around it."""
    for pattern, words in LONG_FORMS:
        name = re.sub(pattern, words, name)
    if kind in CITY:
        return name
    if re.search(r"kreis|region", name, re.IGNORECASE):
        return name
    return f"{kind} {name}"


def neighbours(districts: Sequence[District]) -> list[tuple[str, str]]:
    """Pairs that share a border, each once, the smaller AGS first."""
    tree = shapely.STRtree([d.polygon for d in districts])
    pairs = []
    for i, district in enumerate(districts):
        for j in sorted(tree.query(district.polygon)):
            other = districts[j]
            border = shapely.intersection(district.polygon.boundary, other.polygon.boundary)
            if j > i and border.length > SHARED_BORDER:
                pairs.append((district.id, other.id))
    return pairs


def with_islands(districts: Sequence[District]) -> list[District]:
    """The districts with the islands that belong to them, for finding coordinates."""
    areas = {d.id: d.polygon for d in districts}
    land = shapely.union_all(list(areas.values()))
    for region, lat, lon, radius in ISLANDS.values():
        disc = affinity.scale(shapely.Point(lon, lat).buffer(radius, quad_segs=4), yfact=0.5)
        # on the grid of the four decimals written, so that rounding makes no new crossings
        areas[region] = shapely.set_precision(shapely.union(areas[region], shapely.difference(disc, land)), GRID)
        land = shapely.union(land, disc)
    return [replace(d, polygon=areas[d.id]) for d in districts]


def middle(polygon: BaseGeometry) -> tuple[float, float]:
    """Latitude and longitude of the middle; of a ring around a city a point that lies in the ring."""
    point = polygon.centroid
    if not polygon.contains(point):
        point = polygon.representative_point()
    return round(point.y, 4), round(point.x, 4)


def laender_of(areas: Mapping[str, BaseGeometry]) -> dict[str, BaseGeometry]:
    """Unions by the first two digits of the AGS."""
    return {land: shapely.union_all([a for i, a in areas.items() if i.startswith(land)]) for land in LAENDER}
