"""The schemas and parameters of the OpenAPI document: what may be asked, what is answered, what may be sent. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, get_args

from aggregator.export import Column
from aggregator.export.listed import EVERY
from aggregator.importing import NEEDED
from aggregator.model import ALL, Channel, Stance
from aggregator.record import CorrectionKind
from aggregator.web.params import MOST, USUAL

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Known:
    """The ids that an answer depends on, of this Netzlage."""

    providers: Sequence[str]
    services: Sequence[str]
    regions: Sequence[str]


KINDS: Final[Mapping[str, Schema]] = {
    "text": {"type": ["string", "null"]},
    "time": {"type": ["string", "null"], "format": "date-time"},
    "number": {"type": ["number", "null"]},
    "integer": {"type": ["integer", "null"]},
    "truth": {"type": ["boolean", "null"]},
    "list": {"type": "array", "items": {"type": "string"}},
}
ERRORS: Final[Schema] = {
    "type": "object",
    "required": ["errors"],
    "properties": {"errors": {"type": "object", "additionalProperties": {"type": "string"}}},
}
TEXT: Final[Schema] = {"type": ["string", "number", "null"]}
WORD: Final[Schema] = {"type": "string", "minLength": 1, "maxLength": 120}
TRUTH: Final[Schema] = {"type": "boolean"}
MOMENT: Final[Schema] = {"type": "string", "format": "date-time"}
WITHOUT_OFFSET: Final = "ISO 8601; without an offset German time."


def ref(kind: str, name: str) -> Schema:
    """Return the reference to a component."""
    return {"$ref": f"#/components/{kind}/{name}"}


def components(known: Known) -> dict[str, Any]:
    """Return the components of the document."""
    rows = {row_name(name): _row(columns) for name, columns in EVERY.items()}
    return {
        "schemas": {
            "ProviderId": _ids(known.providers), "ServiceId": _ids(known.services), "RegionId": _ids(known.regions),
            "DistrictId": _ids([region for region in known.regions if len(region) == 5]),
            **rows, **_sent(known), "Errors": ERRORS,
        },
        "parameters": _parameters(),
        "responses": RESPONSES,
        "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
    }  # fmt: skip


def row_name(table: str) -> str:
    """Return the name of the schema of a row of a table."""
    return f"{table.capitalize()}Row"


def _ids(ids: Sequence[str]) -> Schema:
    return {"type": "string", "enum": list(ids)}


def _row(columns: Sequence[Column]) -> Schema:
    properties = {column.name: {**KINDS[column.kind], "description": column.en} for column in columns}
    return {"type": "object", "required": list(properties), "properties": properties, "additionalProperties": False}


def _parameters() -> dict[str, Any]:
    also = "Names and usual spellings are understood too."
    said: dict[str, tuple[Schema, str]] = {
        "provider": ({"anyOf": [ref("schemas", "ProviderId"), {"const": ALL}]}, f"Id of a provider. {also}"),
        "service": ({"anyOf": [ref("schemas", "ServiceId"), {"const": ALL}]}, f"Id of a service. {also}"),
        "region": (ref("schemas", "RegionId"), f"District (AGS, five digits) or Land (two digits). {also}"),
        "since": (MOMENT, f"From this time on. {WITHOUT_OFFSET}"),
        "until": (MOMENT, f"Before this time, which lies after since. {WITHOUT_OFFSET}"),
        "as_of": (MOMENT, f"Only what was known by this time. {WITHOUT_OFFSET}"),
        "limit": ({"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL}, "How many items at most."),
    }
    return {name: parameter(name, or_empty(schema), text) for name, (schema, text) in said.items()}


def or_empty(schema: Schema) -> Schema:
    """Return the schema of what may also be given empty, as a form does: then it is not asked for."""
    return {"anyOf": [schema, {"const": ""}]}


def parameter(name: str, schema: Schema, description: str, where: str = "query") -> Schema:
    """Return a parameter."""
    return {"name": name, "in": where, "required": where == "path", "description": description, "schema": schema}


def _fault(description: str, **headers: str) -> Schema:
    told = {name.replace("_", "-"): {"description": text, "schema": {"type": "string"}, "required": True}
            for name, text in headers.items()}  # fmt: skip
    content = {"application/json": {"schema": ref("schemas", "Errors")}}
    return {"description": description, "content": content, **({"headers": told} if told else {})}


RESPONSES: Final[Mapping[str, Schema]] = {
    "Unusable": _fault("Something cannot be used: a sentence a field."),
    "Unknown": _fault("There is nothing of that id."),
    "NoToken": _fault("No token that holds.", WWW_Authenticate="Bearer"),
    "NotAllowed": _fault("The token is for something else."),
    "TooLarge": _fault("The body is too large (64 KB at most)."),
    "TooMany": _fault("Too many from one place; come again after the seconds named.", Retry_After="Seconds."),
    "Later": _fault("The store is busy or away; send it again after the seconds named.", Retry_After="Seconds."),
    "NotHere": {"description": "A page that says why not.", "content": {"text/html": {"schema": {"type": "string"}}}},
}


def _sent(known: Known) -> dict[str, Schema]:
    report: dict[str, Schema] = {
        "provider": ref("schemas", "ProviderId"),
        "service": ref("schemas", "ServiceId"),
        "observed_at": {**MOMENT, "description": f"When it was noticed, in the last 31 days. {WITHOUT_OFFSET}"},
        "plz": {"type": "string", "pattern": "^[0-9]{5}$", "description": "Postal code."},
        "place": {**WORD, "description": "Town, where the postal code is not known."},
        "region": ref("schemas", "DistrictId"),
        "lat": {"type": "number", "minimum": 47, "maximum": 56},
        "lon": {"type": "number", "minimum": 5, "maximum": 16},
        "began_at": {**MOMENT, "description": "Since when it lasts."},
        "ended_at": {**MOMENT, "description": "Since when it works again; by the one who sent it, with its uid."},
        **dict.fromkeys(("symptom", "reporter", "received_at", "report_id", "comment"), TEXT),
        "uid": {**TEXT, "description": "Your own key of this report: sent twice it counts once."},
    }
    text = {"type": "string"}
    return {
        "Report": {"type": "object", "required": list(NEEDED), "properties": report},
        "ReportForm": {"type": "object", "required": list(NEEDED), "properties": {**report, **dict.fromkeys(
            ("symptom", "reporter", "received_at", "report_id", "comment", "uid"), text)}},
        "Sent": _object(report_id=text, duplicate=TRUTH, region=text, simulated=TRUTH),
        "Statement": {"type": "object", "required": ["quote", "channel"], "properties": {
            "provider": ref("schemas", "ProviderId"), "service": ref("schemas", "ServiceId"), "said_at": MOMENT,
            "quote": {"type": "string", "minLength": 1, "maxLength": 5000}, "stance": {"enum": list(get_args(Stance))},
            "channel": {"enum": list(get_args(Channel))}, "link": {**text, "format": "uri"}, "expected_end": MOMENT,
            "incident_id": WORD, "enquiry_id": WORD, "own_words": TRUTH, "assumed_time": TRUTH, "uid": text}},
        "Enquiry": {"type": "object", "required": ["incident_id"], "properties": {
            "incident_id": WORD, "provider": ref("schemas", "ProviderId"), "asked_at": MOMENT}},
        "Correction": {"type": "object", "required": ["kind", "text"], "properties": {
            "kind": {"enum": list(get_args(CorrectionKind))}, "text": {"type": "string", "minLength": 1}}},
        "Withdrawal": {"type": "object", "required": ["text"], "properties": {
            "text": {"type": "string", "minLength": 1}}},
        "Moderation": _object(shown=TRUTH),
        "Moderated": _object(report_id=text, shown=TRUTH),
        "Comments": _object(items={"type": "array", "items": {"type": "object", "required": ["report_id", "shown"]}},
                            next={"type": "null"}),
        "StatementKept": _object(statement_id=text, duplicate=TRUTH),
        "WithdrawalKept": _object(statement_id=text, at=MOMENT),
        "EnquiryKept": _object(enquiry_id=text, duplicate=TRUTH),
        "CorrectionKept": _object(incident_id=text, at=MOMENT, kind=text),
        "Health": {"anyOf": [
            {**_object(status={"enum": ["ok", "degraded"]}, live=TRUTH, ready=TRUTH, reasons=KINDS["list"], now=MOMENT,
                       last_look=KINDS["time"], feeds={"type": "integer"}, simulated=TRUTH)},
            {**_object(status={"enum": ["live", "ready"]})}]},
        "Document": {"type": "object", "required": ["openapi", "paths"]},
        "TableSchema": {"type": "object", "required": ["fields"]},
        "DataPackage": {"type": "object", "required": ["name", "resources"]},
        "FeatureCollection": {"type": "object", "required": ["type", "features"], "properties": {
            "type": {"const": "FeatureCollection"}, "features": {"type": "array", "items": {"type": "object"}}}},
    }  # fmt: skip


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "required": list(properties), "properties": properties}
