"""The OpenAPI 3.1 document of what exists, made of the same tables as the answers. I/O."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, get_args

from aggregator import __doc__ as what
from aggregator.export import Column
from aggregator.importing import COLUMNS, NEEDED
from aggregator.model import Channel, Stance
from aggregator.record import CorrectionKind
from aggregator.web.lists import LISTS
from aggregator.web.params import MOST, USUAL

TYPES: Final[dict[str, dict[str, Any]]] = {
    "text": {"type": ["string", "null"]},
    "time": {"type": ["string", "null"], "format": "date-time"},
    "number": {"type": ["number", "null"]},
    "integer": {"type": ["integer", "null"]},
    "truth": {"type": ["boolean", "null"]},
    "list": {"type": "array", "items": {"type": "string"}},
}
SAID: Final = {
    "provider": "Id or name of a provider.",
    "service": "Id or name of a service.",
    "region": "District (AGS, five digits), Land (two digits), or its name.",
    "since": "From this time on: ISO 8601; without an offset Europe/Berlin.",
    "until": "Before this time.",
    "as_of": "Only what was known by this time.",
    "cursor": "`next` of the answer before.",
}
ERRORS: Final = {"type": "object", "required": ["errors"], "properties": {
    "errors": {"type": "object", "additionalProperties": {"type": "string"}}}}  # fmt: skip
FAULT: Final = {"description": "What is wrong, a sentence a field.", "content": {"application/json": {
    "schema": {"$ref": "#/components/schemas/Errors"}}}}  # fmt: skip
LATER: Final = {**FAULT, "headers": {"Retry-After": {"schema": {"type": "integer"}}}}


def document(base_url: str) -> dict[str, Any]:
    """Return the document; base_url: where the site is."""
    schemas = {name.capitalize(): _row(listed.columns) for name, listed in LISTS.items()}
    paths: dict[str, dict[str, Any]] = {f"/api/v1/{name}": {"get": _list(name, csv=False)} for name in LISTS}
    paths |= {f"/api/v1/{name}.csv": {"get": _list(name, csv=True)} for name in LISTS}
    paths["/api/v1/reports"]["post"] = _post()
    paths["/api/v1/statements"]["post"] = _written("statement", "statements", {"200": "Known already."})
    paths["/api/v1/enquiries"] = {"post": _written("enquiry", "statements", {"200": "Known already."})}
    paths["/api/v1/incidents/{incident_id}/corrections"] = {
        "parameters": [{"name": "incident_id", "in": "path", "required": True, "schema": {"type": "string"}}],
        "post": _written("correction", "corrections", {}),
    }
    paths["/api/v1/health"] = {"get": _plain("Whether it runs.", "Health", {"503": LATER})}
    paths["/api/v1/openapi.json"] = {"get": _plain("This document.", "Document", {})}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Netzlage", "version": "1", "description": what},
        "servers": [{"url": base_url}],
        "paths": paths,
        "components": {
            "schemas": {**schemas, **OTHERS, **WRITTEN, "Errors": ERRORS, "Report": _report()},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


OTHERS: Final = {
    "Health": {"type": "object", "required": ["status"], "properties": {
        "status": {"enum": ["ok", "degraded"]}, "reasons": {"type": "array", "items": {"type": "string"}},
        "now": {"type": "string", "format": "date-time"}, "last_look": TYPES["time"],
        "feeds": {"type": "integer"}, "simulated": {"type": "boolean"}}},
    "Document": {"type": "object"},
    "Sent": {"type": "object", "required": ["report_id", "duplicate", "region", "simulated"], "properties": {
        "report_id": {"type": "string"}, "duplicate": {"type": "boolean"}, "region": {"type": "string"},
        "simulated": {"type": "boolean"}}},
}  # fmt: skip

TEXT: Final = {"type": "string"}
MOMENT: Final = {"type": ["string", "null"], "description": "ISO 8601; without an offset Europe/Berlin."}
WRITTEN: Final = {
    "Statement": {"type": "object", "required": ["quote", "channel"], "properties": {
        "provider": TEXT, "service": TEXT, "said_at": MOMENT, "quote": TEXT, "stance": {"enum": list(get_args(Stance))},
        "channel": {"enum": list(get_args(Channel))}, "link": TEXT, "expected_end": MOMENT, "incident_id": TEXT,
        "enquiry_id": TEXT, "own_words": {"type": "boolean"}, "assumed_time": {"type": "boolean"}, "uid": TEXT}},
    "Enquiry": {"type": "object", "required": ["incident_id"], "properties": {
        "incident_id": TEXT, "provider": TEXT, "asked_at": MOMENT}},
    "Correction": {"type": "object", "required": ["kind", "text"], "properties": {
        "kind": {"enum": list(get_args(CorrectionKind))}, "text": TEXT}},
}  # fmt: skip


def _written(name: str, scope: str, more: dict[str, str]) -> dict[str, Any]:
    """Return a POST of those who hold a token for `scope`; more: other answers that are good."""
    body = {"application/json": {"schema": {"$ref": f"#/components/schemas/{name.capitalize()}"}}}
    good = {"content": {"application/json": {"schema": {"type": "object"}}}}
    return {
        "summary": f"Put a {name} on record (token for {scope}).",
        "operationId": f"put_{name}",
        "security": [{"token": []}],
        "requestBody": {"required": True, "content": body},
        "responses": {
            "201": {"description": "Kept.", **good},
            **{status: {"description": said, **good} for status, said in more.items()},
            **dict.fromkeys(("401", "403", "413", "422"), FAULT),
            "503": LATER,
        },
    }


def _row(columns: Sequence[Column]) -> dict[str, Any]:
    properties = {column.name: {**TYPES[column.kind], "description": column.en} for column in columns}
    return {"type": "object", "required": list(properties), "properties": properties}


def _list(name: str, *, csv: bool) -> dict[str, Any]:
    page = {"type": "object", "required": ["items", "next", "simulated"], "properties": {
        "items": {"type": "array", "items": {"$ref": f"#/components/schemas/{name.capitalize()}"}},
        "next": {"type": ["string", "null"]}, "simulated": {"type": "boolean"}}}  # fmt: skip
    table = {"text/csv": {"schema": {"type": "string"}}}
    content = table if csv else {"application/json": {"schema": page}, **table}
    return {
        "summary": f"The {name}" + (" as CSV; all of them unless limit is given." if csv else "."),
        "operationId": f"{name}_csv" if csv else name,
        "parameters": _parameters(),
        "responses": {"200": {"description": "A page of them.", "content": content}, "422": FAULT, "503": LATER},
    }


def _parameters() -> list[dict[str, Any]]:
    texts = [
        {"name": name, "in": "query", "description": said, "schema": {"type": "string"}} for name, said in SAID.items()
    ]
    schema = {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL}
    return [*texts, {"name": "limit", "in": "query", "description": "How many at most.", "schema": schema}]


def _report() -> dict[str, Any]:
    number = {"type": ["number", "string", "null"]}
    text = {"type": ["string", "number", "null"]}
    properties = {name: number if name in {"lat", "lon"} else text for name in COLUMNS}
    uid = {"type": "string", "description": "Your own key of this report: sent twice it counts once."}
    return {"type": "object", "required": list(NEEDED), "properties": {**properties, "uid": uid}}


def _post() -> dict[str, Any]:
    body = {"schema": {"$ref": "#/components/schemas/Report"}}
    sent = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Sent"}}}}
    return {
        "summary": "Send one report.",
        "description": "Without `reporter` your address and browser stand for the person; they are hashed at once.",
        "operationId": "send",
        "requestBody": {
            "required": True,
            "content": {"application/json": body, "application/x-www-form-urlencoded": body},
        },
        "responses": {
            "201": {"description": "Kept.", **sent},
            "200": {"description": "Known already.", **sent},
            "413": FAULT,
            "422": FAULT,
            "429": LATER,
            "503": LATER,
        },
    }


def _plain(summary: str, schema: str, more: dict[str, Any]) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"summary": summary, "operationId": schema.lower(), "responses": {
        "200": {"description": summary, "content": content}, **more}}  # fmt: skip
