"""/melden: a form that works on a bad line without JavaScript, and what others report. I/O."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode

from flask import Blueprint, Response, make_response, redirect, render_template, request
from flask_babel import format_decimal, lazy_gettext
from flask_babel import gettext as _

from aggregator.catalogue import Catalogue
from aggregator.errors import StoreError
from aggregator.model import RawReport, Rejected
from aggregator.places import NotLocated
from aggregator.web.desk import address, desk, instance, local, now
from aggregator.web.errors import AGAIN
from aggregator.web.others import Company, company
from aggregator.web.params import Invalid, parse
from aggregator.web.sending import LONGEST_COMMENT, Sent, raw_report, send

COMMON: Final = 10
FIELDS: Final = ("provider", "service", "symptom", "place", "since", "comment", "uid", "choice", "asked")
SINCE: Final = {
    "0": (lazy_gettext("gerade eben"), timedelta()),
    "15": (lazy_gettext("etwa 15 Minuten"), timedelta(minutes=15)),
    "60": (lazy_gettext("etwa 1 Stunde"), timedelta(hours=1)),
    "180": (lazy_gettext("etwa 3 Stunden"), timedelta(hours=3)),
    "720": (lazy_gettext("etwa 12 Stunden"), timedelta(hours=12)),
    "1440": (lazy_gettext("einem Tag"), timedelta(days=1)),
    "2880": (lazy_gettext("zwei Tagen"), timedelta(days=2)),
    "4320": (lazy_gettext("drei Tagen oder länger"), timedelta(days=3)),
}
blueprint = Blueprint("form", __name__)


@blueprint.get("/melden")
def ask() -> Response:
    """Show the form; provider, service and place may come with the address."""
    values = {name: request.args.get(name, "") for name in ("provider", "service", "place")}
    catalogue = instance().catalogue
    values["provider"] = catalogue.provider_id(values["provider"]) or ""
    values["service"] = catalogue.service_id(values["service"]) or ""
    return _form({**values, "uid": secrets.token_urlsafe(16)}, {})


@blueprint.post("/melden")
def take() -> Response:
    """Take one report and lead to the thanks, or show the form again with what is wrong beside each field."""
    values = {name: request.form.get(name, "").strip() for name in FIELDS}
    values["uid"] = values["uid"] or secrets.token_urlsafe(16)
    wait = desk().limits.wait(address(), now())
    if wait:
        said = _("Gerade kommen zu viele Meldungen auf einmal. Bitte senden Sie in einer Minute noch einmal.")
        return _form(values, {"form": said}, status=429, again=str(wait))
    errors = _missing(values)
    if errors:
        return _form(values, errors, status=422)
    try:
        sent = _send(values)
    except StoreError:
        said = _("Ihre Meldung konnte gerade nicht gespeichert werden. Bitte senden Sie sie gleich noch einmal.")
        return _form(values, {"form": said}, status=503, again=AGAIN)
    if not isinstance(sent, Sent):
        return _refused(values, sent)
    answer = {"provider": sent.report.provider, "service": sent.report.service, "region": sent.report.region}
    if not sent.kept:
        answer["again"] = "1"
    if request.args.get("lang"):
        answer["lang"] = request.args["lang"]
    return make_response(redirect(f"/melden/danke?{urlencode(answer)}", 303))


def _missing(values: Mapping[str, str]) -> dict[str, str]:
    needed = {
        "provider": _("Bitte wählen Sie Ihren Anbieter."),
        "service": _("Bitte wählen Sie, was gestört ist."),
        "place": _("Bitte geben Sie eine Postleitzahl oder einen Ort an."),
    }
    errors = {name: said for name, said in needed.items() if not values[name]}
    if len(values["comment"]) > LONGEST_COMMENT:
        errors["comment"] = _("Bitte kürzen Sie die Anmerkung auf %(most)s Zeichen.", most=LONGEST_COMMENT)
    return errors


def _send(values: Mapping[str, str]) -> Sent | dict[str, Rejected]:
    """Take the report in; a PLZ goes in as one, a chosen place stands for the ambiguous one that was asked about."""
    place = values["choice"] if values["choice"] and values["asked"] == values["place"] else values["place"]
    is_plz = place.isascii() and place.isdigit()
    texts = {"plz" if is_plz else "place": place, "uid": values["uid"], "comment": values["comment"]}
    texts |= {name: values[name] for name in ("provider", "service", "symptom")}
    raw = raw_report(texts, "form")
    if isinstance(raw, Rejected):
        return {raw.field: raw}
    return send(instance(), replace(raw, **_times(values)))


def _times(values: Mapping[str, str]) -> dict[str, Any]:
    at = now()
    _name, ago = SINCE.get(values["since"], ("", None))
    return {"observed_at": at, "began_at": None if ago is None else at - ago}


def _refused(values: Mapping[str, str], faults: Mapping[str, Rejected]) -> Response:
    errors = {}
    for field, fault in faults.items():
        name = "place" if field in {"plz", "place", "region", "lat", "lon"} else field
        errors[name if name in FIELDS else "form"] = _sentence(name, fault)
    return _form(values, errors, status=422)


def _sentence(field: str, fault: Rejected) -> str:
    if fault.reason == "ambiguous_place":
        return str(_("Diesen Ort gibt es mehrmals. Bitte wählen Sie einen aus oder geben Sie die Postleitzahl an."))
    known = {
        "provider": _("Diesen Anbieter kennen wir nicht. Bitte wählen Sie einen aus der Liste."),
        "service": _("Bitte wählen Sie aus der Liste, was gestört ist."),
        "place": _("Diesen Ort finden wir nicht. Bitte geben Sie die Postleitzahl an."),
    }
    return str(known.get(field, _("Diese Angabe können wir nicht lesen.")))


def _form(values: Mapping[str, str], errors: Mapping[str, str], *, status: int = 200, again: str = "") -> Response:
    catalogue = instance().catalogue
    found = sorted((p for p in catalogue.providers.values() if not p.fictitious), key=lambda p: (-p.share, p.name))
    common, others = found[:COMMON], sorted(found[COMMON:], key=lambda provider: provider.name.casefold())
    page = render_template(
        "melden.html",
        values=values,
        errors=errors,
        labels=_labels(),
        common=common,
        others=others,
        services=catalogue.services.values(),
        since=SINCE,
        choices=_choices(catalogue, values.get("place", "")) if "place" in errors else [],
        suggestions=_suggestions(catalogue, values.get("place", "")) if "place" in errors else [],
        longest=LONGEST_COMMENT,
    )
    response = make_response(page, status)
    # Kept by the browser alone: its uid belongs to one person, and "back" brings back what was typed.
    response.headers["Cache-Control"] = "private, no-cache"
    if again:
        response.headers["Retry-After"] = again
    return response


def _labels() -> dict[str, str]:
    return {
        "provider": _("Anbieter"), "service": _("Was ist gestört?"), "symptom": _("Wie zeigt es sich?"),
        "place": _("Postleitzahl oder Ort"), "since": _("Seit wann?"), "comment": _("Anmerkung"),
        "form": _("Meldung"),
    }  # fmt: skip


def _choices(catalogue: Catalogue, place: str) -> list[str]:
    """Return the places that an ambiguous name may mean."""
    found = catalogue.places.locate(place=place) if place and not place.isdigit() else None
    return list(found.candidates) if isinstance(found, NotLocated) and found.reason == "ambiguous_place" else []


def _suggestions(catalogue: Catalogue, place: str) -> list[str]:
    return [] if not place or _choices(catalogue, place) else catalogue.places.suggest(place)


@blueprint.get("/melden/danke")
def thanks() -> Response:
    """Say what others report, which incident it is, and whom else to tell."""
    asked = {name: request.args.get(name, "") for name in ("provider", "service", "region")}
    try:
        f = parse(asked, instance()).filter
    except Invalid:
        return make_response(redirect("/melden", 303))
    if not f.provider:
        return make_response(redirect("/melden", 303))
    own = RawReport("form", provider=f.provider, service=f.service, region=f.region)
    found = company(instance(), own)
    page = render_template(
        "melden_dank.html",
        provider=instance().catalogue.provider(f.provider),
        again=request.args.get("again") == "1",
        others=found,
        sentence=_told(found, instance().catalogue.provider(f.provider).name),
    )
    response = make_response(page)
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _told(found: Company, provider: str) -> str:
    """Return the sentence about the others: how many, where, since when."""
    since = local(found.since)
    today = since.date() == local(now()).date()
    clock = _("%(at)s Uhr", at=f"{since:%H:%M}") if today else _("%(at)s Uhr", at=f"{since:%d.%m.%Y, %H:%M}")
    number = format_decimal(found.others)
    said = {"others": number, "provider": provider, "place": found.place, "since": clock}
    if found.others == 1:
        return str(_("Eine weitere Meldung zu %(provider)s aus %(place)s seit %(since)s", **said))
    return str(_("%(others)s weitere Meldungen zu %(provider)s aus %(place)s seit %(since)s", **said))
