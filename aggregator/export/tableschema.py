"""The data dictionary for programs: Frictionless Table Schema and Data Package, of the same columns. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aggregator.export.columns import Column

MEDIA_TYPE: Final = "application/schema+json"
PROFILE: Final = "tabular-data-package"
CC_BY: Final = {"name": "CC-BY-4.0", "title": "CC BY 4.0", "path": "https://creativecommons.org/licenses/by/4.0/"}
KEYS: Final[Mapping[str, str]] = {"reports": "report_id", "incidents": "incident_id", "statements": "statement_id"}
TYPES: Final[Mapping[str, Mapping[str, Any]]] = {
    "text": {"type": "string"},
    "time": {"type": "datetime", "format": "%Y-%m-%dT%H:%M:%SZ"},
    "number": {"type": "number"},
    "integer": {"type": "integer"},
    "truth": {"type": "boolean", "trueValues": ["true"], "falseValues": ["false"]},
    "list": {"type": "string"},  # its items are set off by blanks
}
EXCEL: Final[Mapping[str, Mapping[str, Any]]] = {
    **TYPES,
    "time": {"type": "datetime", "format": "%Y-%m-%d %H:%M:%S"},
    "number": {"type": "number", "decimalChar": ","},
    "truth": {"type": "boolean", "trueValues": ["WAHR"], "falseValues": ["FALSCH"]},
}


@dataclass(frozen=True, slots=True)
class Resource:
    """A file of a package: its table, what it is, its address, and whether it is the one for Excel."""

    table: str
    title: str
    path: str
    columns: Sequence[Column]
    excel: bool = False


def table_schema(table: str, columns: Sequence[Column], *, excel: bool = False) -> dict[str, Any]:
    """Return the Table Schema of a CSV of `table`; each description in English, and in German beside it."""
    types = EXCEL if excel else TYPES
    fields = [
        {"name": column.name, **types[column.kind], "description": column.en, "description_de": column.de}
        for column in columns
    ]
    key = {"primaryKey": [KEYS[table]]} if table in KEYS else {}
    return {"fields": fields, "missingValues": [""], **key}


def data_package(
    resources: Iterable[Resource], *, base_url: str, sources: Sequence[str], simulated: bool
) -> dict[str, Any]:
    """Return the Data Package of the CSV files at `base_url`; sources: whose reports are among them."""
    mark = "SIMULATION: " if simulated else ""
    return {
        "profile": PROFILE,
        "name": "netzlage",
        "title": f"{mark}Netzlage",
        "homepage": f"{base_url}/daten",
        "licenses": [CC_BY],
        "sources": [{"title": source} for source in sources],
        "simulated": simulated,
        "resources": [_resource(resource, base_url) for resource in resources],
    }


def _resource(resource: Resource, base_url: str) -> dict[str, Any]:
    dialect = {"delimiter": ";" if resource.excel else ",", "lineTerminator": "\r\n", "quoteChar": '"'}
    return {
        "name": f"{resource.table}-excel" if resource.excel else resource.table,
        "title": resource.title,
        "path": f"{base_url}{resource.path}",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "profile": "tabular-data-resource",
        "dialect": dialect,
        "schema": table_schema(resource.table, resource.columns, excel=resource.excel),
    }
