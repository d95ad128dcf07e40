"""/melden: a form that works on a bad line without JavaScript, and what others report. I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode

from flask import Blueprint, Response, make_response, redirect, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext, ngettext
from werkzeug.exceptions import HTTPException

from aggregator.catalogue import Catalogue
from aggregator.errors import StoreError
from aggregator.model import Rejected
from aggregator.places import NotLocated
from aggregator.web import codes
from aggregator.web.desk import desk, instance, now
from aggregator.web.door import is_foreign
from aggregator.web.errors import AGAIN
from aggregator.web.seal import judge, seal
from aggregator.web.sending import LONGEST_COMMENT, Sent, raw_report, send
from aggregator.web.timely import stores

COMMON: Final = 10
POSITION: Final = re.compile(r"\s*(-?\d{1,2}[.,]\d{1,8})\s*[,; ]\s*(-?\d{1,3}[.,]\d{1,8})\s*")
FIELDS: Final = ("provider", "service", "symptom", "place", "since", "comment", "uid", "choice", "asked", "seal")
TRAP: Final = "website"  # a field that no person sees: programs fill in everything
LONGEST: Final = 200  # characters of any other field; the form lets nobody type more
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
    return show_form(values, {})


@blueprint.post("/melden")
def take() -> Response:
    """Take one report and lead to the thanks, or show the form again with what is wrong beside each field."""
    values = {name: request.form.get(name, "").strip() for name in FIELDS}
    values["uid"] = values["uid"] or codes.new_code()
    errors = _missing(values)
    if errors:
        return show_form(values, errors, 422)
    doubt = _doubt(values)
    if doubt:
        return show_form(values, {"form": doubt}, 422)
    try:
        sent = _send(values)
    except StoreError:
        said = _("Ihre Meldung konnte gerade nicht gespeichert werden. Bitte senden Sie sie gleich noch einmal.")
        return show_form(values, {"form": said}, 503, again=AGAIN)
    if not isinstance(sent, Sent):
        return _refused(values, sent)
    answer = {"code": values["uid"]}
    if not sent.kept:
        answer["again"] = "1"
    if request.args.get("lang"):
        answer["lang"] = request.args["lang"]
    return make_response(redirect(f"/melden/danke?{urlencode(answer)}", 303))


@blueprint.errorhandler(429)
def too_many(_error: HTTPException) -> Response:
    """Ask for patience, what was typed kept."""
    wait = desk().limits.wait()
    minutes = -(-wait // 60)
    said = ngettext(
        "Gerade kommen von hier zu viele Meldungen auf einmal. Bitte senden Sie in einer Minute noch einmal.",
        "Gerade kommen von hier zu viele Meldungen auf einmal. Bitte senden Sie in %(num)s Minuten noch einmal.",
        minutes,
    )
    values = {name: request.form.get(name, "").strip() for name in (*FIELDS, "code")}
    return show_form(values, {"form": said}, 429, again=str(wait))


def _doubt(values: Mapping[str, str]) -> str:
    """Return what is asked of somebody who may be a program or a page of others: to send it again, nothing is lost."""
    if is_foreign(request.environ, instance().settings):
        return str(_("Diese Meldung kam von einer anderen Seite. Bitte prüfen Sie sie und senden Sie sie von hier."))
    judged = judge(instance().key, values["uid"], values["seal"], now())
    if request.form.get(TRAP) or judged == "early":
        return str(_("Das ging so schnell wie bei einem Programm. Bitte senden Sie die Meldung noch einmal."))
    if judged == "good":
        return ""
    return str(_("Das Formular war schon lange offen. Bitte prüfen Sie die Angaben und senden Sie sie noch einmal."))


def _sealed(values: Mapping[str, str], code: str) -> str:
    """Return the seal for the form with `code`: the one that came with it, as long as that holds, else a new one."""
    known = values.get("seal", "")
    fine = judge(instance().key, code, known, now()) in {"good", "early"}
    return known if fine else seal(instance().key, code, now())


def _missing(values: Mapping[str, str]) -> dict[str, str]:
    needed = {
        "provider": _("Bitte wählen Sie Ihren Anbieter."),
        "service": _("Bitte wählen Sie, was gestört ist."),
        "place": _("Bitte geben Sie eine Postleitzahl oder einen Ort an."),
    }
    errors = {name: said for name, said in needed.items() if not values[name]}
    if len(values["comment"]) > LONGEST_COMMENT:
        errors["comment"] = _("Bitte kürzen Sie die Anmerkung auf %(most)s Zeichen.", most=LONGEST_COMMENT)
    for name in ("place", "uid"):
        if len(values[name]) > LONGEST:
            errors["place" if name == "place" else "form"] = _("Bitte kürzen Sie diese Angabe.")
    return errors


def _send(values: Mapping[str, str]) -> Sent | dict[str, Rejected]:
    """Take the report in; a chosen place stands for the ambiguous one that was asked about."""
    place = values["choice"] if values["choice"] and values["asked"] == values["place"] else values["place"]
    texts = {**_place(place), "uid": values["uid"], "comment": values["comment"]}
    texts |= {name: values[name] for name in ("provider", "service", "symptom")}
    raw = raw_report(texts, "form", request.environ)
    if isinstance(raw, Rejected):
        return {raw.field: raw}
    return send(desk(), replace(raw, **_times(values)))


def _place(text: str) -> dict[str, str]:
    """Return a PLZ as one, a position as coordinates no finer than about a kilometre, else a name."""
    position = POSITION.fullmatch(text)
    if position:
        lat, lon = (f"{float(number.replace(',', '.')):.2f}" for number in position.groups())
        return {"lat": lat, "lon": lon}
    return {"plz" if text.isascii() and text.isdigit() else "place": text}


def _times(values: Mapping[str, str]) -> dict[str, Any]:
    at = now()
    _name, ago = SINCE.get(values["since"], ("", None))
    return {"observed_at": at, "began_at": None if ago is None else at - ago}


def _refused(values: Mapping[str, str], faults: Mapping[str, Rejected]) -> Response:
    errors = {}
    for field, fault in faults.items():
        name = "place" if field in {"plz", "place", "region", "lat", "lon"} else field
        errors[name if name in FIELDS else "form"] = _sentence(name, fault)
    return show_form(values, errors, 422)


def _sentence(field: str, fault: Rejected) -> str:
    if fault.reason == "ambiguous_place":
        return str(_("Diesen Ort gibt es mehrmals. Bitte wählen Sie einen aus oder geben Sie die Postleitzahl an."))
    known = {
        "provider": _("Diesen Anbieter kennen wir nicht. Bitte wählen Sie einen aus der Liste."),
        "service": _("Bitte wählen Sie aus der Liste, was gestört ist."),
        "place": _("Diesen Ort finden wir nicht. Bitte geben Sie die Postleitzahl an."),
    }
    return str(known.get(field, _("Diese Angabe können wir nicht lesen.")))


def show_form(values: Mapping[str, str], errors: Mapping[str, str], status: int = 200, *, again: str = "") -> Response:
    """Answer the form with what was typed and what is wrong with it, by field; again: seconds to wait."""
    catalogue, code = instance().catalogue, values.get("uid") or codes.new_code()
    found = sorted((p for p in catalogue.providers.values() if not p.fictitious), key=lambda p: (-p.share, p.name))
    common, others = found[:COMMON], sorted(found[COMMON:], key=lambda provider: provider.name.casefold())
    page = render_template(
        "melden.html",
        values={**values, "uid": code, "seal": _sealed(values, code)},
        errors=errors,
        provider=catalogue.providers.get(values.get("provider", "")),
        labels=_labels(),
        common=common,
        others=others,
        services=catalogue.services.values(),
        since=SINCE,
        choices=_choices(catalogue, values.get("place", "")) if "place" in errors else [],
        suggestions=_suggestions(catalogue, values.get("place", "")) if "place" in errors else [],
        longest=LONGEST_COMMENT,
        unstored=not errors and not stores(),
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
        "form": _("Meldung"), "code": _("Code Ihrer Meldung"),
    }  # fmt: skip


def _choices(catalogue: Catalogue, place: str) -> list[str]:
    """Return the places that an ambiguous name may mean."""
    found = catalogue.places.locate(place=place) if place and not place.isdigit() else None
    return list(found.candidates) if isinstance(found, NotLocated) and found.reason == "ambiguous_place" else []


def _suggestions(catalogue: Catalogue, place: str) -> list[str]:
    return [] if not place or _choices(catalogue, place) else catalogue.places.suggest(place)
