"""What leaves the house is valid by the programs of others: Table Schema by frictionless, GeoJSON by RFC 7946."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from geojson_pydantic import FeatureCollection

from aggregator.catalogue import load_catalogue
from aggregator.downloads import download, with_names
from aggregator.export import FORMATS, TABLES
from aggregator.export.tableschema import TYPES, Resource, data_package, table_schema
from aggregator.feedmodel import Source
from aggregator.instance import Instance
from aggregator.model import FeedRun, Filter, Statement
from aggregator.record import End
from aggregator.store import ends, incidents, reports, runs, sources, statements
from tests.making import at, incident, instance, report

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it is not ours
    import frictionless


@pytest.fixture(scope="module")
def netzlage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """Give an instance with a row of every kind: quoted, guarded, without a place, blind, over, national."""
    made = instance(tmp_path_factory.mktemp("valid"), load_catalogue())
    with made.store.write() as connection:
        sources.keep(connection, [Source("feed", republish="rows")])
        reports.add(
            connection,
            [
                report("a1", 0, symptom='=cmd(), "x"\nzwei', began_at=at(-60)),
                report("b2", 1.5, region="09162"),
                report("c3", 11, region="", plz="", place_source="", service="portal"),
            ],
        )
        ends.add(connection, [End("a1", at(60), at(61))])
        runs.add(connection, FeedRun("feed", at(0), at(7), "ok", listened_from=at(0), listened_until=at(7)))
        runs.add(connection, FeedRun("feed", at(10), at(15), "ok", listened_from=at(10), listened_until=at(15)))
        national = incident("20170513-o2-mobile-de", regions=(), scope="national", expected=2.5, relative_risk=4.8)
        incidents.save(connection, [incident(regions=("02000", "09162")), national], [])
        said = Statement("s1", "o2", "all", at(0), "Kein Hinweis", "denied", "official", "feed", expected_end=at(90))
        statements.add(connection, [said])
    yield made
    made.store.close()


def written(netzlage: Instance, folder: Path, table: str, kind: str) -> Path:
    path = folder / f"{table}{FORMATS[kind].suffix}"
    path.write_bytes(b"".join(download(netzlage, table, kind, Filter())))
    return path


def faults(path: Path, schema: dict[str, Any], *, excel: bool = False) -> list[str]:
    """Return what frictionless finds wrong with a CSV file."""
    package = data_package(
        [Resource(path.stem, "", path.name, (), excel=excel)], base_url="", sources=["feed"], simulated=True
    )
    described = {**package["resources"][0], "name": "table", "schema": schema}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = frictionless.Resource.from_descriptor(described, basepath=str(path.parent)).validate()
    assert found.tasks[0].stats["rows"]
    return [str(fault) for fault in found.flatten(["rowNumber", "fieldName", "type", "note"])]


@pytest.mark.parametrize("excel", [False, True])
@pytest.mark.parametrize("table", TABLES)
def test_every_table_is_what_its_schema_says(netzlage: Instance, tmp_path: Path, table: str, excel: bool) -> None:
    columns = with_names(TABLES[table]) if excel else TABLES[table]
    path = written(netzlage, tmp_path, table, "excel" if excel else "csv")
    assert faults(path, table_schema(table, columns, excel=excel), excel=excel) == []


def test_a_schema_that_does_not_fit_is_found(netzlage: Instance, tmp_path: Path) -> None:
    path = written(netzlage, tmp_path, "reports", "csv")
    schema = table_schema("reports", TABLES["reports"])
    schema["fields"][0] |= {"type": "integer"}
    assert any("type-error" in fault for fault in faults(path, schema))


def test_the_package_is_valid_and_names_every_column_in_two_languages() -> None:
    resources = [Resource(table, table, f"/daten/{table}.csv", columns) for table, columns in TABLES.items()]
    package = data_package(resources, base_url="https://example.org", sources=["feed"], simulated=False)
    assert frictionless.Package.validate_descriptor(package).valid
    for resource in package["resources"]:
        for field in resource["schema"]["fields"]:
            assert field["description"]
            assert field["description_de"]
            assert field["type"] in {kind["type"] for kind in TYPES.values()}


@pytest.mark.parametrize("table", ["reports", "cube", "incidents"])
def test_geojson_is_valid(netzlage: Instance, tmp_path: Path, table: str) -> None:
    found = json.loads(written(netzlage, tmp_path, table, "geojson").read_text("utf-8"))
    collection: FeatureCollection[Any] = FeatureCollection.model_validate(found)
    assert len(collection.features) > 1
    for feature in found["features"]:
        for lon, lat in _points(feature["geometry"]):
            assert 5 < lon < 16
            assert 47 < lat < 56  # longitude comes first


def _points(geometry: dict[str, Any] | None) -> list[list[float]]:
    if geometry is None:
        return []
    return [geometry["coordinates"]] if geometry["type"] == "Point" else list(geometry["coordinates"])
