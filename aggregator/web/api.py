"""/api/v1: lists as JSON and CSV, one report in, the state of the house, and the document that describes it. I/O."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from flask import Blueprint, Response, abort, jsonify, make_response, request

from aggregator.downloads import download, rows
from aggregator.export import TABLES, write_csv
from aggregator.model import Filter, Rejected
from aggregator.store import names
from aggregator.web import openapi, single
from aggregator.web.answers import as_file, as_json, described
from aggregator.web.desk import desk, given_on, instance, local
from aggregator.web.files import LONG
from aggregator.web.hatch import FAILED, REPORTS, SOURCE, told
from aggregator.web.lists import LISTS
from aggregator.web.params import Invalid, Params, parse
from aggregator.web.schemas import Known
from aggregator.web.sending import Sent, body, raw_report, send

OPEN: Final = {"Access-Control-Allow-Origin": "*"}
blueprint = Blueprint("api", __name__)
_NAMES: Final = ",".join(LISTS)


@blueprint.after_request
def _for_all(response: Response) -> Response:
    """Let pages of others read what is public anyway."""
    if request.method in {"GET", "HEAD"}:
        response.headers.update(OPEN)
    return response


@blueprint.get(f"/api/v1/<any({_NAMES}):name>")
def items(name: str) -> Response:
    """Answer a list, as JSON or CSV as the reader likes."""
    kinds = ["application/json", "text/csv"]
    wish = request.accept_mimetypes.best_match(kinds) if request.accept_mimetypes else kinds[0]
    return items_csv(name) if wish == "text/csv" else _page(name)


def _page(name: str) -> Response:
    params = parse(request.args, instance(), language="en")
    listed = LISTS[name]
    return as_json(listed.page(instance(), params, given_on(name)), listed.columns)


@blueprint.get(f"/api/v1/<any({_NAMES}):name>.csv")
def items_csv(name: str) -> Response:
    """Answer a list as CSV: all of it unless a limit or cursor is given."""
    params = parse(request.args, instance(), language="en")
    pieces, more = _csv(name, params)
    response = as_file(pieces, "csv", name, inline=True, is_long=name in LONG and not (params.limit or params.cursor))
    response.headers["Link"] = described(name)
    if more:
        response.headers["X-Next"] = more
    return response


def _csv(name: str, params: Params) -> tuple[Iterator[bytes], str | None]:
    """Return the file and the cursor of what comes after it."""
    listed = LISTS[name]
    if params.limit or params.cursor:
        page = listed.page(instance(), params, given_on(name))
        return write_csv(page.rows, listed.columns), page.next
    if name in TABLES:
        return download(instance(), name, "csv", params.filter), None
    return write_csv(listed.rows(instance(), params.filter, given_on(name)), listed.columns), None


@blueprint.post(REPORTS)
def report() -> Response:
    """Take one report: 201 kept, 200 known already, 422 with a sentence a field, 429 too many."""
    failed = request.environ.get(FAILED)
    if failed is not None:
        raise failed
    raw = raw_report(body(), SOURCE, request.environ)
    sent = {raw.field: raw} if isinstance(raw, Rejected) else send(desk(), raw)
    if not isinstance(sent, Sent):
        raise Invalid({field or "report": fault.detail for field, fault in sent.items()})
    return make_response(jsonify(told(sent, instance())), 201 if sent.kept else 200)


@blueprint.get("/api/v1/openapi.json")
def document() -> Response:
    """Describe the API."""
    return jsonify(document_of_this())


def document_of_this() -> dict[str, Any]:
    """Return the document of this Netzlage: its address, its providers, services and regions."""
    running = instance()
    with running.store.read() as connection:
        providers = sorted({*running.catalogue.providers, *names.all(connection)})
    regions = [*running.catalogue.laender, *running.catalogue.regions]
    known = Known(providers, list(running.catalogue.services), regions)
    base_url = running.settings.base_url or request.url_root.rstrip("/")
    return openapi.document(base_url, known, f"{local(running.clock.now()):%Y-%m-%d}")


@blueprint.get("/vorfall/<incident_id>.json")
def incident_json(incident_id: str) -> Response:
    """Answer one incident with its changes."""
    asked = parse({"as_of": request.args.get("as_of", "")}, instance(), language="en").filter.as_of
    with instance().store.read() as connection:
        return jsonify(single.document(connection, incident_id, asked) or abort(404))


@blueprint.get("/vorfall/<incident_id>.csv")
def incident_csv(incident_id: str) -> Response:
    """Answer one incident as a CSV of one row."""
    asked = parse({"as_of": request.args.get("as_of", "")}, instance(), language="en").filter.as_of
    fitting = (row for row in rows(instance(), "incidents", Filter(as_of=asked)) if row["incident_id"] == incident_id)
    found = list(islice(fitting, 1))
    if not found:
        abort(404)
    return as_file(write_csv(found, TABLES["incidents"]), "csv", incident_id)
