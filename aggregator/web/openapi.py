"""The OpenAPI 3.1 document of what exists, made of the same tables as the answers. Pure."""

from __future__ import annotations

from typing import Any, Final

from aggregator import __doc__ as what
from aggregator.export import FORMATS
from aggregator.export.listed import EVERY
from aggregator.export.tableschema import MEDIA_TYPE
from aggregator.web.kinds import KINDS
from aggregator.web.lists import LISTS
from aggregator.web.samples import sample
from aggregator.web.schemas import Known, Schema, components, or_empty, parameter, ref, row_name

FILTERS: Final = ("provider", "service", "region", "since", "until", "as_of")
LICENCE: Final = {"name": "CC BY 4.0", "url": "https://creativecommons.org/licenses/by/4.0/"}


def document(base_url: str, known: Known, day: str) -> dict[str, Any]:
    """Return the document; base_url: where the site is. day: an ISO date not later than today, for the samples."""
    paths: dict[str, dict[str, Any]] = {f"/api/v1/{name}": {"get": _list(name)} for name in LISTS}
    paths |= {f"/api/v1/{name}.csv": {"get": _list_as_csv(name)} for name in LISTS}
    paths["/api/v1/reports"]["post"] = _post_report()
    paths["/api/v1/statements"]["post"] = _written("Statement", "statements", known_already=True)
    paths["/api/v1/statements/{statement_id}/withdrawal"] = {"post": _withdrawal()}
    paths["/api/v1/enquiries"] = {"post": _written("Enquiry", "statements", known_already=True)}
    paths["/api/v1/incidents/{incident_id}/corrections"] = {"post": _correction()}
    paths["/api/v1/comments"] = {"get": _comments()}
    paths["/api/v1/comments/{report_id}"] = {"post": _moderate()}
    paths["/api/v1/health"] = {"get": _health()}
    paths["/api/v1/openapi.json"] = {"get": _plain("This document.", "Document")}
    for table, kinds in KINDS.items():
        paths |= {f"/daten/{table}{FORMATS[kind].suffix}": {"get": _file(table, kind)} for kind in kinds}
    paths |= {f"/daten/{table}.schema.json": {"get": _schema_of(table)} for table in EVERY}
    paths["/daten/datapackage.json"] = {"get": _plain("The CSV files as a Data Package.", "DataPackage")}
    for path, methods in paths.items():
        for method, operation in methods.items():
            operation["x-codeSamples"] = sample(base_url, method, path, day)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Netzlage", "version": "1", "description": what, "license": LICENCE},
        "servers": [{"url": base_url}],
        "paths": paths,
        "components": components(known),
    }


def _answers(**named: str) -> dict[str, Any]:
    """Return answers by status, each a component of that name."""
    return {status: ref("responses", name) for name, status in named.items()}


def _asked(*names: str) -> list[Schema]:
    return [ref("parameters", name) for name in names]


def _cursor(name: str) -> Schema:
    like = {"type": "string", "pattern": f"^{LISTS[name].cursor}$"}
    return parameter("cursor", or_empty(like), "The word next of the answer before.")


def _list(name: str) -> dict[str, Any]:
    properties: dict[str, Schema] = {
        "items": {"type": "array", "items": ref("schemas", row_name(name))},
        "next": {"type": ["string", "null"]},
        "simulated": {"type": "boolean"},
    }
    page = {"type": "object", "required": list(properties), "properties": properties}
    content = {"application/json": {"schema": page}, "text/csv": {"schema": {"type": "string"}}}
    good = {"description": "A page of them.", "content": content, "headers": _next()}
    return {
        "summary": f"The {name}, a page at a time.",
        "operationId": name,
        "parameters": [*_asked(*FILTERS, "limit"), _cursor(name)],
        "responses": {"200": good, **_answers(Unusable="422", Later="503")},
    }


def _next() -> dict[str, Schema]:
    return {"X-Next": {"description": "Of a CSV: the cursor of the next page.", "schema": {"type": "string"}}}


def _described() -> dict[str, Schema]:
    said = "Where its Table Schema is (describedby)."
    return {"Link": {"description": said, "schema": {"type": "string"}, "required": True}}


def _list_as_csv(name: str) -> dict[str, Any]:
    content = {"text/csv": {"schema": {"type": "string"}}}
    good = {"description": "The table.", "content": content, "headers": {**_next(), **_described()}}
    return {
        "summary": f"The {name} as CSV: all of them, or a page where limit or cursor is given.",
        "operationId": f"{name}_csv",
        "parameters": [*_asked(*FILTERS, "limit"), _cursor(name)],
        "responses": {"200": good, **_answers(Unusable="422", Later="503")},
    }


def _file(table: str, kind: str) -> dict[str, Any]:
    media = FORMATS[kind].media_type.partition(";")[0]
    schema = ref("schemas", "FeatureCollection") if kind == "geojson" else {"type": "string"}
    good = {"description": "The file.", "content": {media: {"schema": schema}}, "headers": _described()}
    return {
        "summary": f"The {table} as a file ({kind}), made while it is sent.",
        "operationId": f"file_{table}_{kind}",
        "parameters": _asked(*FILTERS),
        "responses": {"200": good, **_answers(NotHere="422"), "503": ref("responses", "NotHere")},
    }


def _schema_of(table: str) -> dict[str, Any]:
    described = _plain(f"The Table Schema of the {table}.", "TableSchema")
    content = {MEDIA_TYPE: {"schema": ref("schemas", "TableSchema")}}
    return {**described, "responses": {"200": {"description": "Its columns.", "content": content}}}


def _body(*names: tuple[str, str]) -> dict[str, Any]:
    return {"required": True, "content": {media: {"schema": ref("schemas", name)} for media, name in names}}


def _told(description: str, schema: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": ref("schemas", schema)}}}


def _post_report() -> dict[str, Any]:
    return {
        "summary": "Send one report.",
        "description": "Without `reporter` your address and browser stand for the person; they are hashed at once. "
        "One of plz, place, region or both coordinates says where; without any it counts for the nation.",
        "operationId": "send",
        "requestBody": _body(("application/json", "Report"), ("application/x-www-form-urlencoded", "ReportForm")),
        "responses": {
            "201": _told("Kept.", "Sent"),
            "200": _told("Known already.", "Sent"),
            **_answers(TooLarge="413", Unusable="422", TooMany="429", Later="503"),
        },
    }


def _written(name: str, scope: str, *, known_already: bool = False) -> dict[str, Any]:
    """Return a POST of those who hold a token for `scope`."""
    good = {"201": _told("Kept.", f"{name}Kept")}
    return {
        "summary": f"Put a {name.lower()} on record (token for {scope}).",
        "operationId": f"put_{name.lower()}",
        "security": [{"token": []}],
        "requestBody": _body(("application/json", name)),
        "responses": {
            **good,
            **({"200": _told("Known already.", f"{name}Kept")} if known_already else {}),
            **_answers(NoToken="401", NotAllowed="403", TooLarge="413", Unusable="422", Later="503"),
        },
    }


def _correction() -> dict[str, Any]:
    path = parameter("incident_id", {"type": "string", "pattern": "^[a-z0-9_.-]+$"}, "Id of the incident.", "path")
    return {**_written("Correction", "corrections"), "parameters": [path]}


def _withdrawal() -> dict[str, Any]:
    path = parameter("statement_id", {"type": "string", "pattern": "^[A-Za-z0-9_.-]+$"}, "Id of the statement.", "path")
    put = _written("Withdrawal", "statements")
    return {**put, "summary": "Take a statement back, with the reason (token for statements).", "parameters": [path]}


def _comments() -> dict[str, Any]:
    only = parameter("only", {"enum": ["", "complained", "hidden"]}, "Those complained of, or hidden; empty: all.")
    return {
        "summary": "What people wrote with their reports, newest first (token for moderation).",
        "operationId": "comments",
        "security": [{"token": []}],
        "parameters": [only],
        "responses": {"200": _told("The newest 500.", "Comments"),
                      **_answers(NoToken="401", NotAllowed="403", Unusable="422", Later="503")},
    }  # fmt: skip


def _moderate() -> dict[str, Any]:
    path = parameter("report_id", {"type": "string", "pattern": "^[0-9a-f]+$"}, "Id of its report.", "path")
    return {
        "summary": "Hide a comment, or show it again (token for moderation).",
        "operationId": "moderate",
        "security": [{"token": []}],
        "parameters": [path],
        "requestBody": _body(("application/json", "Moderation")),
        "responses": {"200": _told("As it stands now.", "Moderated"),
                      **_answers(NoToken="401", NotAllowed="403", Unknown="404", TooLarge="413", Unusable="422",
                                 Later="503")},
    }  # fmt: skip


def _health() -> dict[str, Any]:
    probes = {"type": "string", "enum": ["", "live", "ready"]}
    said = "live: whether the process answers; ready: whether it can serve readers; left out: everything, with reasons."
    plain = _plain("Whether it runs.", "Health", Unusable="422", Later="503")
    return {**plain, "parameters": [parameter("probe", probes, said)]}


def _plain(summary: str, schema: str, **more: str) -> dict[str, Any]:
    return {
        "summary": summary,
        "operationId": summary.rstrip(".").lower().replace(" ", "_"),
        "responses": {"200": _told(summary, schema), **_answers(**more)},
    }
