"""One file of data/ -> checked values; each error names file, line and mend. I/O, for catalogue only."""

from __future__ import annotations

import csv
import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import shapely

from aggregator.areacodes import AreaCode
from aggregator.errors import DataError
from aggregator.model import ALL, Provider, Region, Service
from aggregator.placenames import Town
from aggregator.places import Postcode

T = TypeVar("T")
IN_A_QUARTER: Final = 15_000  # people of a quarter of a big city, typically: enough to tell it from a village
MEND: Final = "restore the file or run data/compile.py"
SERVICE_KEYS: Final[dict[str, type]] = {"id": str, "name_de": str, "name_en": str, "aliases": list, "symptoms": dict}
PROVIDER_KEYS: Final[dict[str, type]] = {
    **dict.fromkeys(("id", "name", "website", "press_contact", "fault_line"), str),
    **dict.fromkeys(("aliases", "services", "footprint", "asns"), list),
    "share": float,
    "fictitious": bool,
}
KIND_NAMES: Final = {str: "a text", list: "a list", dict: "a table", float: "a number", bool: "true or false"}


def read_text(path: Path) -> str:
    """The whole file as UTF-8 text. DataError if it is missing, is no text or ends in the middle of a line."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path.name} cannot be read ({error.strerror}); {MEND}.") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path.name} is not UTF-8 at byte {error.start}; {MEND}.") from None
    if not text.endswith("\n"):
        raise DataError(f"{path.name} ends in the middle of a line (or lacks its last line feed); {MEND}.")
    return text


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object. DataError names the line."""
    try:
        data = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise DataError(f"{path.name}, line {error.lineno}: {error.msg}; {MEND}.") from None
    if not isinstance(data, dict):
        raise DataError(f"{path.name}, line 1: not an object; {MEND}.")
    return data


def read_toml(path: Path, key: str) -> list[dict[str, Any]]:
    """The tables `[[key]]` of a TOML file. DataError names the line."""
    try:
        tables = tomllib.loads(read_text(path)).get(key)
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{path.name}: {error}; mend the line.") from None
    if not isinstance(tables, list) or not tables:
        raise DataError(f"{path.name}: it has no [[{key}]]; restore the file.")
    return tables


def line_of(path: Path, text: str) -> int:
    """The first line that holds the text, for messages; 1 if none does."""
    lines = read_text(path).splitlines()
    return next((number for number, line in enumerate(lines, 1) if f'"{text}"' in line), 1)


def read_rows(path: Path, columns: tuple[str, ...], make: Callable[[list[str]], T]) -> Iterator[T]:
    """Each row of a CSV file, made a value by `make`, which may raise ValueError or KeyError for a bad one."""
    rows = csv.reader(read_text(path).splitlines())
    if tuple(next(rows, ())) != columns:
        raise DataError(f"{path.name}, line 1: the columns must be {','.join(columns)}; {MEND}.")
    for row in rows:
        if len(row) != len(columns):
            raise DataError(f"{path.name}, line {rows.line_num}: {len(row)} columns, not {len(columns)}; {MEND}.")
        try:
            yield make(row)
        except (ValueError, KeyError, shapely.GEOSException) as error:
            raise DataError(f"{path.name}, line {rows.line_num}: {error} is not a good value; {MEND}.") from None


def read_regions(path: Path) -> dict[str, Region]:
    """Districts or Länder by their key, in its order."""

    def make(row: list[str]) -> Region:
        return Region(row[0], row[1], row[2], float(row[3]), float(row[4]), int(row[5]))

    columns = ("region", "name", "parent", "lat", "lon", "population")
    return {region.id: region for region in sorted(read_rows(path, columns, make), key=lambda r: r.id)}


def read_neighbours(path: Path, regions: Mapping[str, Region]) -> dict[str, tuple[str, ...]]:
    """District to those that share a border with it, both ways, sorted."""
    found: dict[str, list[str]] = {i: [] for i in regions}
    for a, b in read_rows(path, ("region", "neighbour"), lambda row: (regions[row[0]].id, regions[row[1]].id)):
        found[a].append(b)
        found[b].append(a)
    return {i: tuple(sorted(others)) for i, others in found.items()}


def read_postcodes(folder: Path, regions: Mapping[str, Region]) -> list[Postcode]:
    """All PLZ with their municipalities."""
    names: dict[str, list[str]] = {}
    for plz, name in read_rows(folder / "plz_names.csv", ("plz", "name"), lambda row: (row[0], row[1])):
        names.setdefault(plz, []).append(name)

    def make(row: list[str]) -> Postcode:
        return Postcode(row[0], float(row[1]), float(row[2]), regions[row[3]].id, tuple(names.get(row[0], ())))

    return list(read_rows(folder / "plz.csv", ("plz", "lat", "lon", "region"), make))


def read_towns(path: Path, regions: Mapping[str, Region]) -> list[Town]:
    """All towns, the most populous first."""

    def make(row: list[str]) -> Town:
        spellings = tuple(row[5].split("|")) if row[5] else ()
        return Town(row[0], float(row[1]), float(row[2]), regions[row[3]].id, int(row[4]), spellings)

    return list(read_rows(path, ("name", "lat", "lon", "region", "population", "spellings"), make))


def read_quarters(path: Path, regions: Mapping[str, Region]) -> list[Town]:
    """Quarters of big cities as towns, each in the middle of its city."""

    def make(row: list[str]) -> Town:
        city = regions[row[1]]
        return Town(row[0], city.lat, city.lon, city.id, IN_A_QUARTER)

    return list(read_rows(path, ("name", "region", "source"), make))


def read_area_codes(path: Path, regions: Mapping[str, Region]) -> dict[str, AreaCode]:
    """Area codes, without their zero, to their places."""

    def make(row: list[str]) -> AreaCode:
        return AreaCode(row[0], row[1], float(row[2]), float(row[3]), regions[row[4]].id, row[5] == "1")

    columns = ("code", "name", "lat", "lon", "region", "approximate")
    return {found.code: found for found in read_rows(path, columns, make)}


def read_vocabulary(path: Path) -> dict[str, tuple[str, ...]]:
    """The lists of words of vocabulary.toml, each under the names of its tables: "service.mobile.strong"."""
    try:
        return dict(_word_lists(tomllib.loads(read_text(path))))
    except (tomllib.TOMLDecodeError, TypeError) as error:
        raise DataError(f"{path.name}: {error}; mend the line.") from None


def _word_lists(table: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from ((f"{name}.{rest}", words) for rest, words in _word_lists(value))
        elif isinstance(value, list) and all(isinstance(word, str) for word in value):
            yield name, tuple(value)
        else:
            raise TypeError(f"{name} must be a list of texts")


def read_polygons(path: Path, regions: Mapping[str, Region]) -> dict[str, shapely.Geometry]:
    """District to its polygon (degrees, WGS 84), for point in polygon."""
    rows = list(read_rows(path, ("region", "wkt"), lambda row: (regions[row[0]].id, shapely.from_wkt(row[1]))))
    polygons = dict(rows)
    if polygons.keys() != regions.keys():
        raise DataError(f"{path.name}: {len(polygons)} polygons for {len(regions)} districts; {MEND}.")
    return polygons


def read_services(path: Path) -> dict[str, Service]:
    """Services by id. DataError if a key is missing, unknown or of the wrong kind."""
    services: dict[str, Service] = {}
    for table in read_toml(path, "service"):
        fields = _fields(table, path, SERVICE_KEYS, {"id", "name_de", "name_en"})
        fields["symptoms"] = {key: _pair(table, path, names) for key, names in table.get("symptoms", {}).items()}
        services[_new_id(fields["id"], services, table, path)] = Service(**fields)
    return services


def read_providers(path: Path, services: Mapping[str, Service], regions: Mapping[str, Region]) -> dict[str, Provider]:
    """Providers by id. DataError if one names a service, a place or a share that cannot be."""
    providers: dict[str, Provider] = {}
    for table in read_toml(path, "provider"):
        provider = Provider(**_fields(table, path, PROVIDER_KEYS, {"id", "name", "services"}))
        _check_provider(provider, table, path, services=services, regions=regions)
        providers[_new_id(provider.id, providers, table, path)] = provider
    total = sum(p.share for p in providers.values())
    if total > 1 + 1e-9:
        raise DataError(f"{path.name}: the shares add up to {total:.3f}; they may reach 1 at most.")
    return providers


def _fields(table: Mapping[str, Any], path: Path, kinds: Mapping[str, type], needed: set[str]) -> dict[str, Any]:
    """The values of one table, lists as tuples. DataError for a missing or unknown key or a wrong kind of value."""
    if needed - table.keys():
        raise _at(path, table, f"{', '.join(sorted(needed - table.keys()))} is missing; add it")
    if table.keys() - kinds.keys():
        raise _at(path, table, f"unknown key {', '.join(sorted(table.keys() - kinds.keys()))}; remove or correct it")
    for key, value in table.items():
        if not isinstance(value, kinds[key]) and not (kinds[key] is float and value == 0):
            raise _at(path, table, f"{key} must be {KIND_NAMES[kinds[key]]}, not {value!r}")
    return {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}


def _pair(table: Mapping[str, Any], path: Path, names: object) -> tuple[str, str]:
    if not isinstance(names, list) or len(names) != 2:
        raise _at(path, table, "each symptom needs a German and an English name")
    return str(names[0]), str(names[1])


def _new_id(key: str, taken: Mapping[str, object], table: Mapping[str, Any], path: Path) -> str:
    if not re.fullmatch(r"[a-z0-9]+([_-][a-z0-9]+)*", key) or key == ALL:
        raise _at(path, table, "an id is made of small letters, digits and hyphens; correct it")
    if key in taken:
        raise _at(path, table, "its id is there twice; remove one")
    return key


def _check_provider(
    provider: Provider,
    table: Mapping[str, Any],
    path: Path,
    *,
    services: Mapping[str, Service],
    regions: Mapping[str, Region],
) -> None:
    unknown = [s for s in provider.services if s not in services]
    if unknown or not provider.services:
        raise _at(path, table, f"unknown service {', '.join(map(str, unknown)) or '(none)'}; use ids of services.toml")
    lost = [p for p in provider.footprint if not any(r.startswith(str(p)) for r in regions)]
    if lost:
        raise _at(path, table, f"footprint {', '.join(map(str, lost))} is no beginning of a district key; correct it")
    if not 0 <= provider.share <= 1:
        raise _at(path, table, f"share {provider.share} is not between 0 and 1; correct it")


def _at(path: Path, table: Mapping[str, Any], problem: str) -> DataError:
    owner = str(table.get("id", table.get("name", table.get("name_de", "?"))))
    return DataError(f"{path.name}, line {line_of(path, owner)}, {owner}: {problem}.")
