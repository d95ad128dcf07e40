"""Folded name -> the towns that bear it, exactly, nearly or by its beginning. Pure; for places."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from rapidfuzz import fuzz, process

from aggregator.spelling import fold, name_keys

SHORTEST_TYPO: Final = 5  # letters below which a near miss is somebody else's name
NEAR_ENOUGH: Final = 84.0  # rapidfuzz ratio, 0..100
CLEAR_LEAD: Final = 3.0  # points behind the nearest within which a name is about as near


class Town(NamedTuple):
    """A populated place; `population` is noisy and serves only to tell namesakes apart.

    A tuple, as Postcode: thousands are made at every start, and a frozen dataclass takes four times as long.
    """

    name: str
    lat: float
    lon: float
    region: str
    population: int
    spellings: tuple[str, ...] = ()


class PlaceNames:
    """Index of names: of towns, of municipalities that only the PLZ list knows, and last their other spellings."""

    def __init__(self, towns: Sequence[Town], municipalities: Iterable[Town]) -> None:
        names: dict[str, list[Town]] = {}
        for town in towns:
            for key in name_keys(town.name):
                names.setdefault(key, []).append(town)
        for municipality in municipalities:
            for key in name_keys(municipality.name):
                namesakes = names.setdefault(key, [])
                if not any(_close(municipality, town) for town in namesakes):
                    namesakes.append(municipality)
        self._own_keys = sorted(names)
        spellings: dict[str, list[Town]] = {}
        for town in towns:
            for spelling in town.spellings:
                spellings.setdefault(fold(spelling), []).append(town)
        names = spellings | names
        names.pop("", None)
        self._names = names
        self._buckets: dict[tuple[str, int], list[str]] = {}
        for key in names:
            self._buckets.setdefault((key[0], len(key)), []).append(key)

    def exact(self, key: str) -> Sequence[Town]:
        """The towns of that folded name, none if there is none."""
        return self._names.get(key, ())

    def near(self, key: str) -> list[Town]:
        """The towns whose name is a near miss of the key, and all that are about as near as the nearest."""
        if len(key) < SHORTEST_TYPO:
            return []
        pool = [name for n in range(len(key) - 2, len(key) + 3) for name in self._buckets.get((key[0], n), ())]
        hits = process.extract(key, pool, scorer=fuzz.ratio, score_cutoff=NEAR_ENOUGH, limit=8)
        return [town for name, score, _ in hits if score > hits[0][1] - CLEAR_LEAD for town in self._names[name]]

    def beginning(self, key: str) -> list[Town]:
        """The towns whose German name begins with the key, the most populous first."""
        start = bisect_left(self._own_keys, key)
        end = bisect_left(self._own_keys, key + "\uffff")
        found = dict.fromkeys(town for name in self._own_keys[start:end] for town in self._names[name])
        return sorted(found, key=lambda town: -town.population)


def _close(a: Town, b: Town) -> bool:
    """So near to one another (about 30 km) that two of one name are one: the PLZ list has only middles of PLZ."""
    return abs(a.lat - b.lat) < 0.3 and abs(a.lon - b.lon) < 0.45
