"""Files of data/ -> providers, services, regions, places, shapes: the facts, checked when they are loaded. I/O."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import dropwhile, takewhile
from pathlib import Path
from typing import Final

from aggregator import factfiles
from aggregator.errors import DataError
from aggregator.model import Provider, Region, Service
from aggregator.places import Places
from aggregator.spelling import fold

NATION: Final = "Deutschland"


@dataclass(frozen=True, slots=True)
class Attribution:
    """Whose facts these are, and the line that must be shown with them."""

    name: str
    licence: str
    date: str
    line: str


@dataclass(frozen=True, slots=True)
class Shapes:
    """SVG path data in whole pixels of a frame `width` x `height`, drawn once at compile time."""

    width: int
    height: int
    borders: str  # all Land borders, each once
    laender: Mapping[str, str]  # area of each Land by AGS2
    districts: Mapping[str, str]  # area of each Kreis by AGS5
    projection: Mapping[str, float]

    @property
    def view_box(self) -> str:
        """For the attribute of that name."""
        return f"0 0 {self.width} {self.height}"

    def point(self, lat: float, lon: float) -> tuple[float, float]:
        """Where a place lies in the frame (Lambert azimuthal equal-area, as the paths)."""
        p = self.projection
        east = math.radians(lon - p["centre_lon"])
        north, centre = math.radians(lat), math.radians(p["centre_lat"])
        cos = math.cos(north) * math.cos(east)
        k = p["scale"] * math.sqrt(2 / (1 + math.sin(centre) * math.sin(north) + math.cos(centre) * cos))
        x = k * math.cos(north) * math.sin(east)
        y = k * (math.cos(centre) * math.sin(north) - math.sin(centre) * cos)
        return x + p["shift_x"], p["shift_y"] - y


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All facts that Netzlage has of the country, immutable."""

    services: Mapping[str, Service]
    providers: Mapping[str, Provider]
    regions: Mapping[str, Region]  # the 400 districts by AGS5, in that order
    laender: Mapping[str, Region]  # the 16 Länder by AGS2
    neighbours: Mapping[str, tuple[str, ...]]
    places: Places
    attributions: tuple[Attribution, ...]
    shapes: Shapes
    provider_keys: Mapping[str, str] = field(repr=False)  # ids, names and aliases as written and folded -> id
    service_keys: Mapping[str, str] = field(repr=False)
    vocabulary: Mapping[str, tuple[str, ...]] = field(repr=False, default_factory=dict)  # of posts, for ingest/text

    def provider_id(self, text: str) -> str | None:
        """The id behind an id, a name or an alias, whatever its case, umlauts and punctuation; None: unknown."""
        return self.provider_keys.get(text) or self.provider_keys.get(fold(text))

    def service_id(self, text: str) -> str | None:
        """The id behind an id, a name or an alias of a service; None: unknown."""
        return self.service_keys.get(text) or self.service_keys.get(fold(text))

    def provider(self, id: str) -> Provider:  # noqa: A002 - the word of the contract
        """The provider, or one that carries only its id where the catalogue does not list it."""
        return self.providers.get(id) or Provider(id, id, listed=False)

    def region_name(self, id: str) -> str:  # noqa: A002
        """A name for readers of a district, a Land or ("" or "de") the nation; an unknown key is its own name."""
        if id in {"", "de"}:
            return NATION
        region = self.regions.get(id) or self.laender.get(id)
        return region.name if region else id


def data_folder() -> Path:
    """Where the facts lie: inside the installed package, else beside it in the checkout."""
    inside = Path(__file__).parent / "data"
    return inside if inside.is_dir() else Path(__file__).parent.parent / "data"


def load_catalogue(folder: Path | None = None) -> Catalogue:
    """Read and check all facts, in about 0.2 s. Raises DataError with file, line and mend."""
    folder = folder or data_folder()
    regions = factfiles.read_regions(folder / "regions.csv")
    laender = factfiles.read_regions(folder / "laender.csv")
    neighbours = factfiles.read_neighbours(folder / "neighbours.csv", regions)
    services = factfiles.read_services(folder / "services.toml")
    providers = factfiles.read_providers(folder / "providers.toml", services, regions)
    places = Places(
        regions,
        laender,
        postcodes=factfiles.read_postcodes(folder / "odbl", regions),
        towns=factfiles.read_towns(folder / "places.csv", regions),
        polygons=factfiles.read_polygons(folder / "polygons.csv", regions),
        neighbours=neighbours,
        area_codes=factfiles.read_area_codes(folder / "area_codes.csv", regions),
        quarters=factfiles.read_quarters(folder / "quarters.csv", regions),
    )
    return Catalogue(
        services,
        providers,
        regions,
        laender,
        neighbours,
        places,
        read_attributions(folder / "SOURCES.md"),
        read_shapes(folder / "shapes.json", regions),
        provider_keys=_keys({p.id: (p.name, *p.aliases) for p in providers.values()}, folder / "providers.toml"),
        service_keys=_keys(
            {s.id: (s.name_de, s.name_en, *s.aliases) for s in services.values()}, folder / "services.toml"
        ),
        vocabulary=factfiles.read_vocabulary(folder / "vocabulary.toml"),
    )


def _keys(names: Mapping[str, tuple[str, ...]], path: Path) -> dict[str, str]:
    """Each id, name and alias to its id, as written and folded; DataError where two claim the same."""
    keys: dict[str, str] = {}
    for owner, aliases in names.items():
        for text in (owner, *aliases):
            for key in (text, fold(text)):
                if keys.setdefault(key, owner) != owner:
                    line = factfiles.line_of(path, text)
                    raise DataError(f"{path.name}, line {line}: {text!r} belongs to {keys[key]} already; remove one.")
    return keys


def read_attributions(path: Path) -> tuple[Attribution, ...]:
    """The first table of SOURCES.md: source | files | licence | date | line to show."""
    lines = factfiles.read_text(path).splitlines()
    table = takewhile(lambda line: line.startswith("|"), dropwhile(lambda line: not line.startswith("|"), lines))
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in table][2:]
    if not cells or any(len(row) != 5 for row in cells):
        raise DataError(f"{path.name}: its first table needs five columns and a row for each source; restore it.")
    return tuple(Attribution(name, licence, date, line) for name, _files, licence, date, line in cells)


def read_shapes(path: Path, regions: Mapping[str, Region]) -> Shapes:
    """The drawn map. DataError if a district lacks its shape."""
    data = factfiles.read_json(path)
    try:
        shapes = Shapes(**data)
    except TypeError as error:
        raise DataError(f"{path.name}: {error}; run data/compile.py.") from None
    missing = regions.keys() - shapes.districts.keys()
    if missing:
        raise DataError(f"{path.name}: no shape for {', '.join(sorted(missing)[:3])}; run data/compile.py.")
    return shapes
