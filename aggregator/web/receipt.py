"""After the report: what others say, "works again", the receipt to print; all found by the report's own code. I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request
from flask_babel import force_locale, format_decimal
from flask_babel import gettext as _

from aggregator.errors import StoreError
from aggregator.model import Provider, RawReport
from aggregator.normalise import id_of_key
from aggregator.record import End
from aggregator.store import ends, reports
from aggregator.store.reports import Row
from aggregator.web import story
from aggregator.web.codes import tidy
from aggregator.web.desk import desk, instance, now
from aggregator.web.errors import AGAIN
from aggregator.web.form import show_form, too_many
from aggregator.web.language import FIRST, present
from aggregator.web.others import Company, company

blueprint = Blueprint("receipt", __name__)
blueprint.register_error_handler(429, too_many)


@dataclass(frozen=True, slots=True)
class Receipt:
    """A report as the one who sent it sees it again."""

    code: str
    row: Row
    ended_at: datetime | None
    provider: Provider

    @property
    def began(self) -> datetime:
        """Since when it lasts, as the report says, else when it came."""
        began: datetime = self.row["began_at"] or self.row["observed_at"]
        return began


def find(code: str) -> Receipt | None:
    """Return the receipt of `code`, None where no report came with it."""
    key = tidy(code)
    report_id = id_of_key("form", key)
    with instance().store.read() as connection:
        row = reports.of_the_form(connection, report_id) if key else None
        ended_at = ends.of(connection, report_id)
    return Receipt(key, row, ended_at, instance().catalogue.provider(row["provider"])) if row else None


@blueprint.get("/melden/danke")
def thanks() -> Response:
    """Say what others report, which incident it is, and whom else to tell."""
    found = find(request.args.get("code", ""))
    if found is None:
        return make_response(redirect("/melden", 303))
    others = _company(found)
    return _private(
        render_template(
            "melden_dank.html",
            receipt=found,
            provider=found.provider,
            label=_label(found),
            again=request.args.get("again") == "1",
            others=others,
            sentence=_told(others, found.provider.name),
            at=now(),
            lasted=_lasted(found),
        )
    )


def _private(page: str) -> Response:
    response = make_response(page)
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _company(found: Receipt) -> Company:
    row = found.row
    own = RawReport("form", provider=row["provider"], service=row["service"], region=row["region"])
    return company(instance(), own, counted=row["counted"])


def _label(found: Receipt) -> str:
    """Return what the report is called in a list that the browser keeps: its time in full."""
    service = instance().catalogue.services[found.row["service"]]
    known = {"service": _(service.name_de), "provider": found.provider.name}
    return str(_("%(provider)s, %(service)s, %(when)s", when=story.long_time(found.row["observed_at"]), **known))


def _lasted(found: Receipt) -> str:
    return story.length(found.ended_at - found.began) if found.ended_at else ""


def _told(found: Company, provider: str) -> str:
    """Return the sentence about the others: how many, where, since when."""
    number, since = format_decimal(found.others), story.clock(found.since, now())
    said = {"others": number, "provider": provider, "place": found.place, "since": since}
    if found.others == 1:
        return str(_("Eine weitere Meldung zu %(provider)s aus %(place)s seit %(since)s", **said))
    return str(_("%(others)s weitere Meldungen zu %(provider)s aus %(place)s seit %(since)s", **said))


@blueprint.post("/melden/wieder")
def works_again() -> Response:
    """Note that what a report told of works again, and lead back to it."""
    values = {"code": request.form.get("code", "").strip()}
    try:
        found = find(values["code"])
        if found is None:
            return show_form(values, {"code": _("Zu diesem Code kennen wir keine Meldung. Bitte prüfen Sie ihn.")}, 422)
        desk().intake.take(End(found.row["report_id"], now(), now()))
    except StoreError:
        said = _("Das konnte gerade nicht gespeichert werden. Bitte senden Sie es gleich noch einmal.")
        return show_form(values, {"code": said}, 503, again=AGAIN)
    return make_response(redirect(f"/melden/danke?code={found.code}", 303))


@blueprint.get("/melden/beleg")
def paper() -> Response:
    """Show the receipt for the provider, to be printed from the browser."""
    found = find(request.args.get("code", ""))
    if found is None:
        return make_response(redirect("/melden", 303))
    catalogue, row = instance().catalogue, found.row
    service = catalogue.services[row["service"]]
    symptom: Any = service.symptoms.get(row["symptom"], ("", ""))
    others = _company(found)
    page = render_template(
        "beleg.html",
        receipt=found,
        provider=found.provider,
        service=_(service.name_de),
        symptom=_(symptom[0]) if symptom[0] else "",
        place=" ".join(filter(None, (row["plz"], story.place_name(row["region"], catalogue) if row["region"] else ""))),
        others=others,
        sentence=_told(others, found.provider.name),
        title=story.title(others.incident, catalogue) if others.incident else "",
        lasted=_lasted(found),
        at=now(),
        letter=_letter(found),
        letter_in_german="" if present() == FIRST else _letter(found, FIRST),
    )
    return _private(page)


def _letter(found: Receipt, language: str = "") -> str:
    """Return what may be sent to the provider, in the reader's language or another one."""
    with force_locale(language or present()):
        service = _(instance().catalogue.services[found.row["service"]].name_de)
        return render_template("brief.html", receipt=found, provider=found.provider, service=service)
