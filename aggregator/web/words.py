"""/api/v1 for those who hold a token: what a provider said, that it was asked, what is taken back. I/O."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, make_response

from aggregator.export.table import iso
from aggregator.web.desk import instance
from aggregator.web.rights import holder
from aggregator.web.sending import body
from aggregator.words import correct, put_enquiry, put_statement, take_back

blueprint = Blueprint("words", __name__)


@blueprint.post("/api/v1/statements")
def statement() -> Response:
    """Put a statement on record: 201 kept, 200 known already, 422 with a sentence a field."""
    holder("statements")
    said, new = put_statement(instance(), body())
    return make_response(jsonify(statement_id=said.statement_id, duplicate=not new), 201 if new else 200)


@blueprint.post("/api/v1/statements/<statement_id>/withdrawal")
def withdrawal(statement_id: str) -> Response:
    """Take a statement back, as `netzlage statement withdraw` does: it stays to be seen, struck through."""
    author = holder("statements").name
    done = take_back(instance(), statement_id, body().get("text"), author=author)
    return make_response(jsonify(statement_id=done.statement_id, at=iso(done.at)), 201)


@blueprint.post("/api/v1/enquiries")
def enquiry() -> Response:
    """Put on record that a provider was asked; enquiry_id is what its answer names."""
    holder("statements")
    asked, new = put_enquiry(instance(), body())
    return make_response(jsonify(enquiry_id=asked.enquiry_id, duplicate=not new), 201 if new else 200)


@blueprint.post("/api/v1/incidents/<incident_id>/corrections")
def correction(incident_id: str) -> Response:
    """Withdraw an incident, or add a note to it."""
    author = holder("corrections").name
    done = correct(instance(), incident_id, body(), author=author)
    return make_response(jsonify(incident_id=done.incident_id, at=iso(done.at), kind=done.kind), 201)
