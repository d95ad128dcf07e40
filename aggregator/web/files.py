"""The files of /daten: made while they are sent, each with the schema that describes it. I/O."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, abort, jsonify, request

from aggregator.downloads import download, with_names
from aggregator.export import TABLES
from aggregator.export.listed import EVERY
from aggregator.export.tableschema import MEDIA_TYPE, Resource, data_package, table_schema
from aggregator.store import sources
from aggregator.web.answers import as_file, described
from aggregator.web.desk import instance
from aggregator.web.kinds import KINDS
from aggregator.web.language import in_german
from aggregator.web.params import parse
from aggregator.web.tables import NAMES

EXCEL: Final = "excel"
LONG: Final = frozenset({"reports", "cube", "coverage"})  # of millions of rows
blueprint = Blueprint("files", __name__)
_TABLES: Final = ",".join(KINDS)
_LISTS: Final = ",".join(EVERY)


@blueprint.get(f"/daten/<any({_TABLES}):table>-excel.csv")
def take_excel(table: str) -> Response:
    """Send a table as a file for a German spreadsheet."""
    return take(table, EXCEL)


@blueprint.get(f"/daten/<any({_TABLES}):table>.<any(csv,parquet,geojson):kind>")
def take(table: str, kind: str) -> Response:
    """Send a table as a file that is made while it is sent."""
    if kind not in KINDS[table]:
        abort(404)
    asked = parse(request.args, instance()).filter
    response = as_file(download(instance(), table, kind, asked), kind, table, is_long=table in LONG)
    response.headers["Link"] = described(table, excel=kind == EXCEL)
    return response


@blueprint.get(f"/daten/<any({_LISTS}):table>.schema.json")
def schema(table: str) -> Response:
    """Answer the Table Schema of a file, or of the CSV of a list of the API."""
    return _schema(jsonify(table_schema(table, EVERY[table])))


@blueprint.get(f"/daten/<any({_TABLES}):table>-excel.schema.json")
def schema_of_excel(table: str) -> Response:
    """Answer the Table Schema of a file for a German spreadsheet."""
    return _schema(jsonify(table_schema(table, with_names(TABLES[table]), excel=True)))


def _schema(response: Response) -> Response:
    response.headers["Content-Type"] = MEDIA_TYPE
    return response


@blueprint.get("/daten/datapackage.json")
def package() -> Response:
    """Answer the Data Package of all CSV files."""
    running = instance()
    with running.store.read() as connection:
        given = sources.given_on(connection, "reports") or []
    titles = {table: in_german(str(name)) for table, (name, _what) in NAMES.items()}
    plain = [Resource(table, titles[table], f"/daten/{table}.csv", TABLES[table]) for table in KINDS]
    excel = [
        Resource(table, titles[table], f"/daten/{table}-excel.csv", with_names(TABLES[table]), excel=True)
        for table in KINDS
    ]
    home = running.settings.base_url or request.url_root.rstrip("/")
    return jsonify(data_package([*plain, *excel], base_url=home, sources=given, simulated=running.clock.simulated))
