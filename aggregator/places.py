"""Text, PLZ or coordinates -> place -> district -> Land. Pure: built once from tables, asked without I/O."""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Literal

import shapely
from rapidfuzz import fuzz, process

from aggregator.model import PlaceSource, Region
from aggregator.spelling import fold, name_keys, split_hint

Reason = Literal["unknown_place", "ambiguous_place", "outside", "bad_coordinates"]

LONGEST_NAME: Final = 80  # characters of a place that are looked at
SHORTEST_TYPO: Final = 5  # letters below which a near miss is somebody else's name
NEAR_ENOUGH: Final = 84.0  # rapidfuzz ratio, 0..100
CLEAR_LEAD: Final = 3.0  # points by which the best near miss must beat one in another district
FAR_BIGGER: Final = 100  # times as many people as every namesake: then the name alone is enough
FEWEST_PEOPLE: Final = 500  # for places of which GeoNames knows no number
COAST: Final = 0.05  # degrees outside the polygons that still count as the nearest district (islands, piers)
SOUTH, NORTH, WEST, EAST = 47.2, 55.2, 5.8, 15.1
FORMER_DISTRICTS: Final = {"16056": "16063"}  # Eisenach, since July 2021 in the Wartburgkreis


@dataclass(frozen=True, slots=True)
class Located:
    """A place in a district. `approximate`: a guess by neighbourhood or by a misspelt name."""

    region: str
    name: str
    lat: float
    lon: float
    place_source: PlaceSource
    approximate: bool = False


@dataclass(frozen=True, slots=True)
class NotLocated:
    """Why a place could not be found; `candidates` are texts that `locate` would take."""

    reason: Reason
    detail: str
    candidates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Postcode:
    """A PLZ, its middle, its district and its municipalities, the largest first."""

    plz: str
    lat: float
    lon: float
    region: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Town:
    """A populated place; `population` is noisy and serves only to tell namesakes apart."""

    name: str
    lat: float
    lon: float
    region: str
    population: int
    spellings: tuple[str, ...] = ()


class Places:
    """The gazetteer. Immutable after it is built; safe to share between threads."""

    def __init__(
        self,
        regions: Mapping[str, Region],
        laender: Mapping[str, Region],
        *,
        postcodes: Iterable[Postcode],
        towns: Sequence[Town],
        polygons: Mapping[str, shapely.Geometry],
        neighbours: Mapping[str, tuple[str, ...]],
    ) -> None:
        self._regions = regions
        self._laender = laender
        self._neighbours = neighbours
        self._by_region = {r.id: Located(r.id, r.name, r.lat, r.lon, "place") for r in regions.values()}
        codes = list(postcodes)
        self._by_plz = {c.plz: Located(c.region, _postcode_name(c, regions), c.lat, c.lon, "plz") for c in codes}
        self._plz = sorted(self._by_plz)
        self._region_keys = {fold(r.name): r.id for r in regions.values()}
        self._namesakes = _namesakes(towns, codes)
        self._names = {key: self._decide(found) for key, found in self._namesakes.items()}
        self._names.update((key, self._by_region[i]) for key, i in self._region_keys.items() if key not in self._names)
        self._buckets = _buckets(self._namesakes)
        self._ids = list(polygons)
        self._polygons = list(polygons.values())
        shapely.prepare(self._polygons)
        self._tree = shapely.STRtree(self._polygons)
        self._towns = sorted(((fold(t.name), t) for t in towns), key=lambda pair: pair[0])
        self._misspelt = lru_cache(maxsize=4096)(self._by_misspelt)

    def locate(
        self, *, region: str = "", plz: str = "", place: str = "", lat: float | None = None, lon: float | None = None
    ) -> Located | NotLocated:
        """The district of what is known of a place: region before PLZ before coordinates before name.

        A PLZ or coordinates that cannot be true give way to what comes after them; a point abroad does not.
        Never raises. Latitude and longitude in degrees (WGS 84).
        """
        if region:
            return self._by_key(region)
        first: NotLocated | None = None
        if plz:
            found = self._by_plz.get(plz) or self._by_unusual_plz(plz)
            if isinstance(found, Located):
                return self._checked(found, place) if place else found
            first = found
        if lat is not None or lon is not None:
            at = self._by_point(lat, lon)
            if isinstance(at, Located) or at.reason == "outside":
                return at
            first = first or at
        if place:
            named = self._by_name(place)
            if first is None or isinstance(named, Located):
                return named
        return first or NotLocated("unknown_place", "no place was given")

    def suggest(self, text: str, limit: int = 5) -> list[str]:
        """Up to `limit` places or PLZ that begin like `text`, the most populous first; each is one `locate` takes."""
        text = text[:LONGEST_NAME].strip()
        if text.isdigit():
            start = bisect_left(self._plz, text)
            return [f"{p} {self._by_plz[p].name}" for p in self._plz[start : start + limit] if p.startswith(text)]
        key = fold(text)
        if not key:
            return []
        found = self._beginning(key) or self._near(key)
        labels = dict.fromkeys(self.label(town) for town in found)
        return list(labels)[:limit]

    def label(self, town: Town) -> str:
        """The town's name, with its district or Land where the name alone would not do."""
        if isinstance(self._names.get(fold(town.name)), Located) and self._is_meant(town):
            return town.name
        region = self._regions[town.region]
        return f"{town.name} ({region.name})"

    def _is_meant(self, town: Town) -> bool:
        found = self._names.get(fold(town.name))
        return isinstance(found, Located) and found.region == town.region

    def _by_key(self, region: str) -> Located | NotLocated:
        found = self._by_region.get(region)
        if found is not None:
            return found
        key = region.strip()
        if key.isdigit():
            key = key.zfill(len(key) + len(key) % 2) if len(key) < 5 else key
            key = key.zfill(5) if len(key) == 4 else key[:5]
        key = FORMER_DISTRICTS.get(key, key)
        inside = [i for i in self._by_region if i.startswith(key)] if len(key) == 2 else []
        if len(inside) == 1:
            return self._by_region[inside[0]]
        key = self._region_keys.get(fold(key), key)
        if key in self._by_region:
            return self._by_region[key]
        if key in self._laender:
            return NotLocated("ambiguous_place", f"{self._laender[key].name} is a Land; a district is needed")
        return NotLocated("unknown_place", f"there is no district with the key {region[:20]!r}")

    def _by_unusual_plz(self, plz: str) -> Located | NotLocated:
        code = plz.strip().upper().removeprefix("D-").removeprefix("DE-").removesuffix(".0")
        if len(code) == 4 and code.isdigit():
            code = f"0{code}"  # Leipzig and Dresden, once a number in somebody's table
            if code not in self._by_plz:
                return NotLocated("unknown_place", f"{plz[:20]!r} is not a German PLZ")
        found = self._by_plz.get(code)
        if found is not None:
            return found
        if len(code) != 5 or not code.isdigit():
            return NotLocated("unknown_place", f"{plz[:20]!r} is not a German PLZ")
        return self._by_next_plz(code)

    def _by_next_plz(self, code: str) -> Located | NotLocated:
        """PLZ of post boxes and large customers: the nearest known with three equal leading digits."""
        at = bisect_left(self._plz, code)
        near = [p for p in self._plz[max(0, at - 1) : at + 1] if p[:3] == code[:3]]
        if not near:
            return NotLocated("unknown_place", f"there is no PLZ {code}")
        nearest = min(near, key=lambda p: abs(int(p) - int(code)))
        return replace(self._by_plz[nearest], approximate=True)

    def _checked(self, found: Located, place: str) -> Located:
        """PLZ and town contradict one another: the PLZ holds, but only roughly."""
        named = self._names.get(place) or self._names.get(fold(place[:LONGEST_NAME]))
        if not isinstance(named, Located) or named.region == found.region:
            return found
        if named.region in self._neighbours.get(found.region, ()):
            return found
        return replace(found, approximate=True)

    def _by_point(self, lat: float | None, lon: float | None) -> Located | NotLocated:
        problem = _bad_point(lat, lon)
        if problem is not None or lat is None or lon is None:
            return problem or NotLocated("bad_coordinates", "one of the two coordinates is missing")
        point = shapely.Point(lon, lat)
        inside = self._tree.query(point, predicate="intersects")
        index = inside[0] if len(inside) else self._tree.nearest(point)
        if not len(inside) and self._polygons[index].distance(point) > COAST:
            return NotLocated("outside", f"the point {lat:.4f}, {lon:.4f} is not in Germany")
        region = self._regions[self._ids[index]]
        return Located(region.id, region.name, lat, lon, "coords", approximate=not len(inside))

    def _by_name(self, place: str) -> Located | NotLocated:
        found = self._names.get(place)
        if found is not None:
            return found
        place = place[:LONGEST_NAME]
        key = fold(place)
        return self._names.get(key) or self._by_longer_name(place) or self._misspelt(key)

    def _by_longer_name(self, place: str) -> Located | NotLocated | None:
        """Names with something around them: a PLZ, a Land, a district, a quarter."""
        code = re.search(r"(?<!\d)\d{5}(?!\d)", place)
        if code:
            found = self._by_plz.get(code.group()) or self._by_next_plz(code.group())
            return replace(found, place_source="plz") if isinstance(found, Located) else found
        for base, hint in split_hint(place):
            namesakes = self._namesakes.get(base)
            if namesakes:
                return self._by_hint(namesakes, hint)
        return None

    def _by_hint(self, namesakes: Sequence[Town], hint: str) -> Located | NotLocated:
        """Among namesakes those in the district or Land of the hint; a city's quarter is in that city."""
        if not hint:
            return self._decide(namesakes)
        meant = [t for t in namesakes if self._fits(t, hint)]
        return self._decide(meant or namesakes)

    def _fits(self, town: Town, hint: str) -> bool:
        region = fold(self._regions[town.region].name)
        return hint in region or hint == fold(self._laender[town.region[:2]].name)

    def _decide(self, namesakes: Sequence[Town]) -> Located | NotLocated:
        """The one that a name means: the only district, or a town far bigger than its namesakes."""
        ranked = sorted(namesakes, key=lambda t: -t.population)
        first = ranked[0]
        others = [t for t in ranked if t.region != first.region]
        if not others or first.population >= FAR_BIGGER * max(others[0].population, FEWEST_PEOPLE):
            return Located(first.region, first.name, first.lat, first.lon, "place")
        by_region = {t.region: t for t in reversed(ranked)}
        kept = sorted(by_region.values(), key=lambda t: -t.population)
        labels = tuple(f"{t.name} ({self._regions[t.region].name})" for t in kept[:8])
        return NotLocated("ambiguous_place", f"there are {len(kept)} places called {first.name}", labels)

    def _by_misspelt(self, key: str) -> Located | NotLocated:
        near = self._near(key)
        if not near:
            return NotLocated("unknown_place", "no German place of this name is known")
        found = self._decide(near)
        if isinstance(found, Located):
            return replace(found, approximate=True)
        return found

    def _near(self, key: str) -> list[Town]:
        """Towns whose name is a near miss of the key, all that are about as near as the nearest."""
        if len(key) < SHORTEST_TYPO:
            return []
        pool = [k for n in range(len(key) - 2, len(key) + 3) for k in self._buckets.get((key[0], n), ())]
        hits = process.extract(key, pool, scorer=fuzz.ratio, score_cutoff=NEAR_ENOUGH, limit=8)
        names = [name for name, score, _ in hits if score > hits[0][1] - CLEAR_LEAD]
        return [town for name in names for town in self._namesakes[name]]

    def _beginning(self, key: str) -> list[Town]:
        start = bisect_left(self._towns, key, key=lambda pair: pair[0])
        end = bisect_left(self._towns, key + "\uffff", key=lambda pair: pair[0])
        return [t for _, t in sorted(self._towns[start:end], key=lambda pair: -pair[1].population)]


def _postcode_name(code: Postcode, regions: Mapping[str, Region]) -> str:
    return code.names[0] if code.names else regions[code.region].name


def _namesakes(towns: Iterable[Town], codes: Iterable[Postcode]) -> dict[str, list[Town]]:
    """Folded name to towns. A town's own names come before other spellings, those before municipalities of a PLZ."""
    own: dict[str, list[Town]] = {}
    other: dict[str, list[Town]] = {}
    for town in towns:
        for key in name_keys(town.name):
            own.setdefault(key, []).append(town)
        for spelling in town.spellings:
            other.setdefault(fold(spelling), []).append(town)
    for key, found in other.items():
        own.setdefault(key, found)
    rest: dict[str, list[Town]] = {}
    for code in codes:
        for name in code.names:
            for key in name_keys(name):
                if key not in own:
                    rest.setdefault(key, []).append(Town(name, code.lat, code.lon, code.region, FEWEST_PEOPLE))
    return own | rest


def _buckets(namesakes: Iterable[str]) -> dict[tuple[str, int], list[str]]:
    buckets: dict[tuple[str, int], list[str]] = {}
    for key in namesakes:
        if key:
            buckets.setdefault((key[0], len(key)), []).append(key)
    return buckets


def _bad_point(lat: float | None, lon: float | None) -> NotLocated | None:
    """Coordinates that cannot be meant, and why; None: they may be true."""
    if lat is None or lon is None:
        return NotLocated("bad_coordinates", "one of the two coordinates is missing")
    if not (math.isfinite(lat) and math.isfinite(lon)) or abs(lat) > 90 or abs(lon) > 180:
        return NotLocated("bad_coordinates", "latitude and longitude are not degrees")
    if abs(lat) < 1e-3 and abs(lon) < 1e-3:
        return NotLocated("bad_coordinates", "the coordinates are 0, 0, which stands for none")
    if SOUTH <= lat <= NORTH and WEST <= lon <= EAST:
        return None
    if SOUTH <= lon <= NORTH and WEST <= lat <= EAST:
        return NotLocated("bad_coordinates", "latitude and longitude are swapped")
    return NotLocated("outside", f"the point {lat:.4f}, {lon:.4f} is not in Germany")
