"""Text, PLZ, area code or coordinates -> place -> district -> Land. Pure: built once from tables, asked without I/O."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, NamedTuple

import shapely

from aggregator.areacodes import AreaCode, area_code_of
from aggregator.model import PlaceSource, Region
from aggregator.placenames import PlaceNames, Town
from aggregator.points import Reason, abroad, bad_point
from aggregator.spelling import LAND_WORDS, bare_name, fold, split_hint, split_quarter, without_river

LONGEST_NAME: Final = 80  # characters of a place that are looked at
FAR_BIGGER: Final = 100  # times as many people as every namesake: then the name alone is enough
FEWEST_PEOPLE: Final = 200  # for places of which no number is known: villages
MOST_CANDIDATES: Final = 8
BORDER: Final = 0.015  # degrees outside the generalised polygons that still count as the nearest district
FORMER_DISTRICTS: Final = {"16056": "16063"}  # Eisenach, since July 2021 in the Wartburgkreis


@dataclass(frozen=True, slots=True)
class Located:
    """A place in a district. `approximate`: by its neighbourhood, by a misspelt name, or PLZ and town disagree."""

    region: str
    name: str
    lat: float
    lon: float
    place_source: PlaceSource
    approximate: bool = False


@dataclass(frozen=True, slots=True)
class NotLocated:
    """Why a place could not be found; `candidates` are texts that `locate` takes."""

    reason: Reason
    detail: str
    candidates: tuple[str, ...] = ()


class Postcode(NamedTuple):
    """A PLZ, its middle, its district and its municipalities, the largest first."""

    plz: str
    lat: float
    lon: float
    region: str
    names: tuple[str, ...] = ()


class Places:
    """The gazetteer. Nothing of it changes after it is built but a bounded memory of names asked for."""

    def __init__(
        self,
        regions: Mapping[str, Region],
        laender: Mapping[str, Region],
        *,
        postcodes: Sequence[Postcode],
        towns: Sequence[Town],
        polygons: Mapping[str, shapely.Geometry],
        neighbours: Mapping[str, tuple[str, ...]],
        area_codes: Mapping[str, AreaCode] | None = None,
        quarters: Sequence[Town] = (),
    ) -> None:
        self._regions = regions
        self._laender = laender
        self._neighbours = neighbours
        self._region_keys = {fold(r.name): r.id for r in regions.values()}
        self._by_plz = {
            c.plz: Located(c.region, c.names[0] if c.names else regions[c.region].name, c.lat, c.lon, "plz")
            for c in postcodes
        }
        self._plz = sorted(self._by_plz)
        self._names = PlaceNames(towns, (*_municipalities(postcodes), *quarters))
        self._area_codes = area_codes or {}
        self._ids = list(polygons)
        self._polygons = list(polygons.values())
        self._tree = shapely.STRtree(self._polygons)
        self._named = lru_cache(maxsize=8192)(self._find_name)
        self._pointed = lru_cache(maxsize=16384)(self._by_point)  # feeds send the middles of towns, again and again

    def locate(
        self,
        *,
        region: str = "",
        plz: str = "",
        place: str = "",
        lat: float | None = None,
        lon: float | None = None,
        area_code: str = "",
    ) -> Located | NotLocated:
        """The district of what is known of a place: region, PLZ, coordinates, name, area code. Never raises.

        They are asked in that order: a PLZ or coordinates that cannot be true, and a name that is unknown or ambiguous,
        give way to what comes after them; a point abroad does not.
        Latitude and longitude in degrees (WGS 84).
        """
        if region:
            return self._by_region(region)
        first: NotLocated | None = None
        if plz:
            found = self._by_plz.get(plz) or self._by_unusual_plz(plz)
            if isinstance(found, Located):
                return self._checked(found, place[:LONGEST_NAME]) if place else found
            first = found
        if lat is not None or lon is not None:
            at = self._pointed(lat, lon)
            if isinstance(at, Located) or at.reason == "outside":
                return at
            first = first or at
        if place:
            named = self._named(place[:LONGEST_NAME])
            if isinstance(named, Located):
                return named
            first = first or named
        if area_code:
            dialled = self._by_area_code(area_code)
            if isinstance(dialled, Located):
                return dialled
            first = first or dialled
        return first or NotLocated("unknown_place", "no place was given")

    def suggest(self, text: str, limit: int = 5) -> list[str]:
        """Up to `limit` places or PLZ that begin like `text`, the most populous first; each is one `locate` takes."""
        text = text[:LONGEST_NAME].strip()
        if text.isdigit():
            start = bisect_left(self._plz, text)
            return [f"{p} {self._by_plz[p].name}" for p in self._plz[start : start + limit] if p.startswith(text)]
        key = fold(text)
        found = (self._names.beginning(key) or self._names.near(key)) if key else []
        return list(dict.fromkeys(self.label(town) for town in found[: 4 * limit]))[:limit]

    def candidates(self, text: str) -> list[Town]:
        """All towns that a text may mean, the most populous first; for a geocoder that offers a choice."""
        text = text[:LONGEST_NAME]
        return _ranked(self._read(text) or self._names.near(fold(text)))

    def towns(self, key: str) -> Sequence[Town]:
        """All towns of exactly that folded name."""
        return self._names.exact(key)

    def postcodes(self) -> Sequence[str]:
        """All known PLZ in their order."""
        return tuple(self._plz)

    def label(self, town: Town) -> str:
        """The town's name, with its Land or district where the name alone would mean another."""
        region = self._regions[town.region]
        land = self._laender[town.region[:2]].name
        texts = (town.name, f"{town.name} ({land})") if _is_city(region) else (town.name,)
        for text in texts:
            meant = _winner(self._read(text))
            if meant is not None and meant.region == town.region:
                return text
        return f"{town.name} ({region.name})"

    def _by_region(self, text: str) -> Located | NotLocated:
        """A key of district, Land or municipality, or the district's own name."""
        key = text.strip()
        if key.isdigit():
            key = key.zfill(5) if len(key) == 4 else key.zfill(2)[:5]  # a table may have lost the leading zero
        key = FORMER_DISTRICTS.get(key, key)
        key = self._region_keys.get(fold(key), key)
        if key in self._laender:
            inside = [i for i in self._regions if i.startswith(key)]
            if len(inside) > 1:
                return NotLocated("ambiguous_place", f"{self._laender[key].name} is a Land; give a district in it")
            key = inside[0]
        region = self._regions.get(key)
        if region is None:
            return NotLocated("unknown_place", f"there is no district {text[:20]!r}")
        return Located(region.id, region.name, region.lat, region.lon, "place")

    def _by_unusual_plz(self, text: str) -> Located | NotLocated:
        code = text.strip().upper().removeprefix("DE").removeprefix("D").removeprefix("-").removesuffix(".0")
        if len(code) == 4 and code.isdigit():
            found = self._by_plz.get(f"0{code}")  # Leipzig or Dresden, once a number in somebody's table
            return found or NotLocated("unknown_place", f"{text[:20]!r} is not a German PLZ")
        if len(code) != 5 or not (code.isascii() and code.isdigit()):
            return NotLocated("unknown_place", f"{text[:20]!r} is not a German PLZ")
        return self._by_plz.get(code) or self._by_next_plz(code)

    def _by_next_plz(self, code: str) -> Located | NotLocated:
        """PLZ of post boxes and large customers: the nearest known with three equal leading digits."""
        at = bisect_left(self._plz, code)
        near = [p for p in self._plz[max(0, at - 1) : at + 1] if p[:3] == code[:3]]
        if not near:
            return NotLocated("unknown_place", f"there is no PLZ {code}")
        nearest = min(near, key=lambda p: abs(int(p) - int(code)))
        return replace(self._by_plz[nearest], approximate=True)

    def _checked(self, found: Located, place: str) -> Located:
        """The PLZ holds; where the town named beside it lies elsewhere, only roughly."""
        meant = _winner(self._names.exact(fold(place)))
        near = (found.region, *self._neighbours.get(found.region, ()))
        return found if meant is None or meant.region in near else replace(found, approximate=True)

    def _by_area_code(self, text: str) -> Located | NotLocated:
        found = area_code_of(text, self._area_codes)
        if found is None:
            return NotLocated("unknown_place", f"{text[:20]!r} is not a German area code")
        return Located(found.region, found.name, found.lat, found.lon, "area_code", found.approximate)

    def _by_point(self, lat: float | None, lon: float | None) -> Located | NotLocated:
        if lat is None or lon is None:
            return NotLocated("bad_coordinates", "one of the two coordinates is missing")
        problem = bad_point(lat, lon)
        if problem is not None:
            return NotLocated(*problem)
        point = shapely.Point(lon, lat)
        inside = self._tree.query(point, predicate="intersects")
        index = int(inside[0]) if len(inside) else int(self._tree.nearest(point))
        if not len(inside) and self._polygons[index].distance(point) > BORDER:
            return NotLocated(*abroad(lat, lon))
        region = self._regions[self._ids[index]]
        return Located(region.id, region.name, lat, lon, "coords", approximate=not len(inside))

    def _find_name(self, place: str) -> Located | NotLocated:
        """A name, with what may stand around it: a PLZ, a Land, a district, a quarter; at last a misspelt one."""
        towns = self._read(place)
        if towns:
            return self._decide(towns, place)
        code = re.search(r"(?<![0-9])[0-9]{5}(?![0-9])", place)
        if code:
            return self._by_plz.get(code.group()) or self._by_next_plz(code.group())
        key = fold(bare_name(place))
        if key in self._region_keys:
            return self._by_region(self._region_keys[key])
        if key in LAND_WORDS:
            land = self._laender[LAND_WORDS[key]].name
            return NotLocated("ambiguous_place", f"{land} is a Land; name a town or a PLZ in it")
        return self._guess(self._names.near(key) or self._city_of_quarter(place), place)

    def _guess(self, towns: Sequence[Town], place: str) -> Located | NotLocated:
        if not towns:
            return NotLocated("unknown_place", f"no place {place[:40].strip()!r} is known in Germany")
        found = self._decide(towns, place)
        return replace(found, approximate=True) if isinstance(found, Located) else found

    def _read(self, place: str) -> Sequence[Town]:
        """The towns of that name; with a hint in brackets, or after a comma or slash, those that the hint fits."""
        place = bare_name(place)
        towns = self._names.exact(fold(place)) or self._names.exact(without_river(place))
        if towns:
            return towns
        base, hint = split_hint(place)
        towns = self._names.exact(base)
        fitting = [t for t in towns if self._fits(t, hint)]
        if fitting or _winner(towns) is None:
            return fitting or towns
        return [t for t in towns if _is_city(self._regions[t.region])]  # "Köln, Ehrenfeld"

    def _fits(self, town: Town, hint: str) -> bool:
        land = LAND_WORDS.get(hint)
        return town.region.startswith(land) if land else hint in fold(self._regions[town.region].name)

    def _city_of_quarter(self, place: str) -> list[Town]:
        """ "Köln-Ehrenfeld", "Hamburg Altona": the city, if its name alone is clear."""
        meant = _winner(self._names.exact(split_quarter(place)))
        return [meant] if meant is not None and _is_city(self._regions[meant.region]) else []

    def _decide(self, towns: Sequence[Town], place: str) -> Located | NotLocated:
        meant = _winner(towns)
        if meant is not None:
            return Located(meant.region, meant.name, meant.lat, meant.lon, "place")
        largest = {town.region: town for town in reversed(_ranked(towns))}
        labels = [self.label(town) for town in _ranked(largest.values())]
        detail = f"{len(labels)} places may be meant by {place[:40].strip()!r}; add a PLZ or choose one"
        return NotLocated("ambiguous_place", detail, tuple(labels[:MOST_CANDIDATES]))


def _ranked(towns: Iterable[Town]) -> list[Town]:
    return sorted(towns, key=lambda town: -town.population)


def _winner(towns: Sequence[Town]) -> Town | None:
    """The one that a name means: all in one district, or far bigger than its namesakes elsewhere."""
    if not towns:
        return None
    first, *others = _ranked(towns)
    elsewhere = [max(t.population, FEWEST_PEOPLE) for t in others if t.region != first.region]
    return first if not elsewhere or first.population >= FAR_BIGGER * elsewhere[0] else None


def _is_city(region: Region) -> bool:
    """Whether the district is one city, by its name: all others carry their kind."""
    return not re.search(r"kreis|region", region.name, re.IGNORECASE)


def _municipalities(postcodes: Iterable[Postcode]) -> Iterable[Town]:
    seen = {(name, code.region): code for code in postcodes for name in code.names}
    return (Town(name, c.lat, c.lon, region, FEWEST_PEOPLE) for (name, region), c in seen.items())
