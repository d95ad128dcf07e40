"""Regions -> the zones that are scanned: circles of nearest districts, Länder, the nation. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from aggregator.model import Region

Floats = npt.NDArray[np.float64]
CIRCLES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 200)
LEVELS = ("district", "2-4", "6-12", "16-32", "48-96", "128-200", "land", "nation")
_UPPER = (1, 4, 12, 32, 96)  # largest circle of the first five levels
EARTH_KM = 6371.0
NEAR = 6  # nearest regions that count as neighbours: as many as a German district has on average


@dataclass(frozen=True, slots=True)
class Zones:
    """Sets of regions, one a row; the last row is the nation.

    member: sparse (zones, regions), 1 where the zone holds the region, by column and by row; zones_of: the same turned
    round, (regions, zones), in 32 bits; level: place in
    LEVELS; land: the Land's id for a zone that is a Land, else ""; near: (regions, regions), non-zero for neighbours.
    """

    regions: tuple[str, ...]
    member: sparse.csc_array
    member_rows: sparse.csr_array
    zones_of: sparse.csr_array
    level: npt.NDArray[np.int64]
    land: tuple[str, ...]
    near: sparse.csr_array

    @property
    def nation(self) -> int:
        """Return the row of the nation."""
        return len(self.level) - 1

    def indices(self, zone: int) -> npt.NDArray[np.int64]:
        """Return the places of the regions that the zone holds, ascending."""
        low, high = self.member_rows.indptr[zone : zone + 2]
        return np.sort(self.member_rows.indices[low:high]).astype(np.int64)


def great_circle(lat: Floats, lon: Floats) -> Floats:
    """Return the distances in km between all pairs of points (degrees), shape (n, n); haversine."""
    phi, lam = np.radians(lat), np.radians(lon)
    hav = (
        np.sin((phi[:, None] - phi) / 2) ** 2
        + np.cos(phi[:, None]) * np.cos(phi) * np.sin((lam[:, None] - lam) / 2) ** 2
    )
    distance: Floats = 2 * EARTH_KM * np.arcsin(np.sqrt(np.clip(hav, 0.0, 1.0)))
    return distance


def circles(
    regions: Sequence[Region], sizes: Iterable[int] = CIRCLES, *, max_population_share: float = 1.0
) -> list[tuple[int, ...]]:
    """Return the distinct sets of the k nearest regions around each region (sorted places), in order of k.

    A circle is left out when it holds more than that share of the population.
    """
    lat, lon = np.array([r.lat for r in regions]), np.array([r.lon for r in regions])
    population = np.array([r.population for r in regions], dtype=float)
    nearest = np.argsort(great_circle(lat, lon), axis=1, kind="stable")
    limit = max_population_share * population.sum()
    found: dict[tuple[int, ...], None] = {}
    for size in sorted(set(sizes)):
        for row in nearest[:, :size] if size <= len(regions) else ():
            zone = tuple(int(i) for i in np.sort(row))
            if max_population_share >= 1 or population[list(zone)].sum() <= limit:
                found.setdefault(zone)
    return list(found)


def make_zones(regions: Sequence[Region], sizes: Iterable[int] = CIRCLES) -> Zones:
    """Build circles, Länder (by parent) and the nation; a set that is two things keeps the first."""
    sets: dict[tuple[int, ...], tuple[int, str]] = {}
    for zone in circles(regions, sizes):
        sets.setdefault(zone, (_circle_level(len(zone)), ""))
    for land in sorted({r.parent for r in regions if r.parent}):
        inside = tuple(i for i, r in enumerate(regions) if r.parent == land)
        sets.setdefault(inside, (LEVELS.index("land"), land))
    everywhere = tuple(range(len(regions)))
    sets.pop(everywhere, None)
    sets[everywhere] = (LEVELS.index("nation"), "")
    level = np.array([kind for kind, _ in sets.values()], dtype=np.int64)
    member = member_matrix(list(sets), len(regions))
    names = tuple(name for _, name in sets.values())
    turned = sparse.csr_array(member.T.tocsr().astype(np.float32))
    return Zones(tuple(r.id for r in regions), member, member.tocsr(), turned, level, names, neighbours(regions))


def neighbours(regions: Sequence[Region]) -> sparse.csr_array:
    """Return which regions are near each other: one among the other's 6 nearest. Works without borders."""
    lat, lon = np.array([r.lat for r in regions]), np.array([r.lon for r in regions])
    nearest = np.argsort(great_circle(lat, lon), axis=1, kind="stable")[:, 1 : NEAR + 1]
    rows = np.repeat(np.arange(len(regions)), nearest.shape[1])
    one_way = sparse.csr_array((np.ones(nearest.size), (rows, nearest.ravel())), shape=(len(regions), len(regions)))
    return sparse.csr_array(one_way + one_way.T)


def member_matrix(sets: Sequence[tuple[int, ...]], regions: int) -> sparse.csc_array:
    """Return the sparse 0/1 matrix (zones, regions) of those sets."""
    columns = np.concatenate([np.asarray(s, dtype=np.int64) for s in sets])
    rows = np.repeat(np.arange(len(sets)), [len(s) for s in sets])
    return sparse.csc_array((np.ones(len(rows)), (rows, columns)), shape=(len(sets), regions))


def _circle_level(size: int) -> int:
    return int(np.searchsorted(_UPPER, size))
