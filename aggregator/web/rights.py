"""Who may write through the API: the bearer token of a request and what it is good for. I/O."""

from __future__ import annotations

from flask import abort, jsonify, make_response, request

from aggregator.record import Token
from aggregator.store import tokens
from aggregator.web.desk import instance

SCHEME = "Bearer "


def holder(scope: str) -> Token:
    """Return the token of the present request; answers 401 where none holds, 403 where it lacks `scope`."""
    said = request.headers.get("Authorization", "")
    with instance().store.read() as connection:
        found = tokens.check(connection, said.removeprefix(SCHEME)) if said.startswith(SCHEME) else None
    if found is None:
        errors = {"token": "No token that holds; send Authorization: Bearer and a token of `netzlage token add`."}
        abort(make_response(jsonify(errors=errors), 401, {"WWW-Authenticate": "Bearer"}))
    if scope not in found.scopes:
        errors = {"token": f"This token is for {', '.join(found.scopes)}, not for {scope}."}
        abort(make_response(jsonify(errors=errors), 403))
    return found
