"""What people send -> through the one door; what is wrong with each field, all at once. I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from wsgiref.types import WSGIEnvironment

from flask import request
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from aggregator.importing import FIELD_OF, from_fields
from aggregator.instance import Instance
from aggregator.model import RawReport, Rejected, Report
from aggregator.normalise import normalise
from aggregator.redact import redact
from aggregator.web.desk import Desk
from aggregator.web.params import Invalid
from aggregator.web.senders import address_of, person_of

PLACES: Final = ("region", "plz", "place", "lat", "lon")
LONGEST_COMMENT: Final = 500
LONGEST_FIELD: Final = 200
LONGEST: Final = {"comment": 2000, "reporter": 500, "uid": 500, "report_id": 500}  # else LONGEST_FIELD


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one report: where and whose it is, and whether it was new."""

    report: Report
    kept: bool


def body() -> Mapping[str, Any]:
    """Return the fields of the present request: a JSON object or a form. Raises Invalid."""
    if request.mimetype in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        if request.files:
            raise Invalid({"body": "Files are not taken; send the fields as text."})
        return request.form.to_dict()
    try:
        values = request.get_json()
    except UnsupportedMediaType:
        raise Invalid({"body": "Send application/json or a form (application/x-www-form-urlencoded)."}) from None
    except (BadRequest, RecursionError):
        raise Invalid({"body": "The body is not JSON; send one object with named fields."}) from None
    if not isinstance(values, dict):
        raise Invalid({"body": "The body is not an object with named fields."})
    return values


def raw_report(values: Mapping[str, Any], source: str, environ: WSGIEnvironment) -> RawReport | Rejected:
    """Return the raw report of the fields that somebody sent to us just now, its comment redacted.

    A field that is too long is Rejected: cut in silence it might be another one.

    Who does not say by whom it is counts as one person with their address and browser.
    """
    for name, value in values.items():
        if (name in FIELD_OF or name == "uid") and len(str(value)) > LONGEST.get(name, LONGEST_FIELD):
            most = LONGEST.get(name, LONGEST_FIELD)
            return Rejected("too_long", f"{name} is too long; {most} characters at most.", name)
    raw = from_fields(values, source, address=address_of(environ), person=person_of(environ))
    if isinstance(raw, Rejected) or not raw.comment:
        return raw
    return replace(raw, comment=redact(raw.comment[:LONGEST_COMMENT]))


def mistakes(instance: Instance, raw: RawReport) -> dict[str, Rejected]:
    """Return what is wrong, by field: a field that cannot be used is put right until nothing is wrong."""
    found: dict[str, Rejected] = {}
    now = instance.clock.now()
    persons = instance.keyring.at(now)
    while len(found) < len(FIELD_OF):
        read = normalise(raw, catalogue=instance.catalogue, received_at=now, key=instance.key, persons=persons)
        if isinstance(read, Report) or read.field in found:
            return found
        found[read.field] = read
        raw = _put_right(instance, raw, read.field)
    return found


def _put_right(instance: Instance, raw: RawReport, field: str) -> RawReport:
    catalogue = instance.catalogue
    if field in PLACES:
        return replace(raw, region="", plz="", place="", lat=None, lon=None)
    right = {"provider": next(iter(catalogue.providers)), "service": next(iter(catalogue.services))}
    default: Any = instance.clock.now() if field == "observed_at" else None
    return replace(raw, **{FIELD_OF.get(field, field): right.get(field, default)})


def take(desk: Desk, raw: RawReport) -> Sent | Rejected:
    """Take the report in, or say what was found wrong with it first. Raises StoreError."""
    here = desk.instance
    now = here.clock.now()
    read = normalise(raw, catalogue=here.catalogue, received_at=now, key=here.key, persons=here.keyring.at(now))
    return read if isinstance(read, Rejected) else Sent(read, kept=desk.intake.take(read))


def send(desk: Desk, raw: RawReport) -> Sent | dict[str, Rejected]:
    """Take the report in, or say all that is wrong with it, by field. Raises StoreError."""
    sent = take(desk, raw)
    return sent if isinstance(sent, Sent) else mistakes(desk.instance, raw) or {sent.field: sent}
