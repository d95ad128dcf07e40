"""/abonnieren: e-mail with double opt-in, without JavaScript or cookie; a link alone changes nothing. I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Final, cast

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request
from flask_babel import gettext as _

from aggregator.catalogue import Catalogue
from aggregator.cleaning import address_block
from aggregator.errors import StoreError
from aggregator.instance import Instance
from aggregator.notices import Subscription, Threshold
from aggregator.places import NotLocated
from aggregator.store import subscriptions
from aggregator.web import story, telling
from aggregator.web.desk import instance, now, writing
from aggregator.web.errors import AGAIN
from aggregator.web.language import present
from aggregator.web.senders import address_of
from aggregator.web.tickets import Purpose, read_ticket

FIELDS: Final = ("email", "provider", "place", "threshold")
THRESHOLDS: Final = ("strong", "suspected")
LONGEST: Final = 254
ADDRESS: Final = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-][A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{0,63}@([A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,63}"
)
blueprint = Blueprint("subscribe", __name__)


def offered(instance: Instance) -> bool:
    """Say whether e-mail is offered: a simulation writes to nobody, and links must lead to a site."""
    return bool(instance.settings.smtp_url and instance.settings.base_url) and not instance.clock.simulated


@blueprint.get("/abonnieren")
def ask() -> Response:
    """Show the form, or how else to be told; provider and region may come with the address."""
    catalogue = instance().catalogue
    region = request.args.get("region", "")
    known = region in catalogue.regions or region in catalogue.laender
    provider = catalogue.provider_id(request.args.get("provider", "")) or ""
    return _form({"provider": provider, "place": catalogue.region_name(region) if known else ""}, {})


def _form(values: Mapping[str, str], errors: Mapping[str, str], status: int = 200) -> Response:
    catalogue = instance().catalogue
    providers = sorted((p for p in catalogue.providers.values() if not p.fictitious), key=lambda p: p.name.casefold())
    region = find_region(values.get("place", ""), catalogue) or ""
    page = render_template(
        "abonnieren.html",
        offered=offered(instance()),
        values={"threshold": "strong", **values},
        errors=errors,
        labels=_labels(),
        providers=providers,
        provider=catalogue.providers.get(values.get("provider", "")),
        region=region,
        region_name=story.place_name(region, catalogue) if region else "",
    )
    response = make_response(page, status)
    if errors:
        response.headers["Cache-Control"] = "private, no-store"
    return response


def _labels() -> dict[str, str]:
    return {
        "email": _("E-Mail-Adresse"), "provider": _("Anbieter"), "place": _("Gebiet"),
        "threshold": _("Ab wann?"), "form": _("Abonnement"),
    }  # fmt: skip


def find_region(text: str, catalogue: Catalogue) -> str | None:
    """Return the AGS of a PLZ, town, Kreis or Land; "" for no text, None for one that names no place or several."""
    if not text or text in catalogue.regions or text in catalogue.laender:
        return text
    for land in catalogue.laender.values():
        if text.casefold() in {land.name.casefold(), story.place_name(land.id, catalogue).casefold()}:
            return land.id
    places = catalogue.places
    if text.isascii() and text.isdigit():
        found = places.locate(plz=text)
    else:
        found = places.locate(region=text)
        found = places.locate(place=text) if isinstance(found, NotLocated) else found
    return None if isinstance(found, NotLocated) else found.region


@blueprint.post("/abonnieren")
def take() -> Response:
    """Keep the wish and queue the question; the answer is the same whether the address is known or not."""
    if not offered(instance()):
        abort(404)
    values = {name: request.form.get(name, "").strip()[: LONGEST + 1] for name in FIELDS}
    region = find_region(values["place"], instance().catalogue)
    errors = _mistakes(values, region)
    if errors:
        return _form(values, errors, 422)
    wanted = Subscription(
        subscriptions.new_id(), "email", values["email"], values["provider"], region or "",
        cast(Threshold, values["threshold"]), present(), now(),
    )  # fmt: skip
    block = address_block(address_of(request.environ)) if instance().settings.rate_limits else ""
    try:
        with writing() as connection:
            subscriptions.ask(connection, wanted, hashed(instance(), wanted.target.casefold()), _block(block))
    except StoreError:
        said = _("Das konnte gerade nicht gespeichert werden. Bitte senden Sie es gleich noch einmal.")
        response = _form(values, {"form": said}, 503)
        response.headers["Retry-After"] = AGAIN
        return response
    return make_response(redirect("/abonnieren/gesendet", 303))


def hashed(instance: Instance, text: str) -> str:
    """Return a keyed hash of an address, kept for an hour to count by."""
    whole = blake2b(instance.key, digest_size=32).digest()
    return blake2b(text.encode("utf-8", "surrogatepass"), key=whole, digest_size=16, person=b"confirmation").hexdigest()


def _block(block: str) -> str:
    return hashed(instance(), f"block {block}") if block else ""


def _mistakes(values: Mapping[str, str], region: str | None) -> dict[str, str]:
    errors: dict[str, str] = {}
    if not is_address(values["email"]):
        errors["email"] = _("Bitte geben Sie eine E-Mail-Adresse an, zum Beispiel redaktion@example.org.")
    if values["provider"] and values["provider"] not in instance().catalogue.providers:
        errors["provider"] = _("Diesen Anbieter kennen wir nicht. Bitte wählen Sie einen aus der Liste.")
    if region is None:
        errors["place"] = _(
            "Dieses Gebiet finden wir nicht. Bitte geben Sie eine Postleitzahl, einen Kreis oder ein Land an."
        )
    if values["threshold"] not in THRESHOLDS:
        errors["threshold"] = _("Bitte wählen Sie, ab wann wir Ihnen schreiben.")
    return errors


def is_address(text: str) -> bool:
    """Say whether a text can be an e-mail address that any mail server takes."""
    return len(text) <= LONGEST and ADDRESS.fullmatch(text) is not None and ".." not in text and ".@" not in text


@blueprint.get("/abonnieren/gesendet")
def sent() -> Response:
    """Say that a mail is on its way, if there is anybody to get it."""
    return _page(
        _("Bitte sehen Sie in Ihr Postfach"),
        _("Wenn die Adresse stimmt, kommt in einigen Minuten eine E-Mail von uns. Öffnen Sie den Link darin und "
          "bestätigen Sie dort; erst dann schreiben wir Ihnen."),
        _("Je Adresse verschicken wir höchstens eine solche E-Mail in der Stunde. Was nicht bestätigt wird, löschen "
          "wir nach 48 Stunden."),
    )  # fmt: skip


def _page(title: str, *texts: str, button: str = "", status: int = 200) -> Response:
    """Answer a page of few words; button: what sends the form back to the present address."""
    page = render_template("abo.html", title=title, texts=texts, button=button, ticket=request.args.get("t", ""))
    response = make_response(page, status)
    response.headers["Cache-Control"] = "private, no-store"
    return response


@blueprint.get("/abonnieren/bestaetigen")
def confirm_question() -> Response:
    """Show what is to be confirmed and a button: programs that only follow links confirm nothing."""
    found = _found("confirm")
    if found is None:
        return _run_out()
    return _page(
        _("Abonnement bestätigen"),
        _("Sie bekommen dann Nachrichten von Netzlage an diese Adresse: %(wish)s.", wish=telling.wish(found)),
        _("Abbestellen können Sie in jeder Nachricht."),
        button=_("Bestätigen"),
    )


@blueprint.post("/abonnieren/bestaetigen")
def confirm() -> Response:
    """Begin to tell."""
    found = _found("confirm")
    if found is not None:
        with writing() as connection:
            found = subscriptions.confirm(connection, found.subscription_id, now())
    if found is None:
        return _run_out()
    return _page(
        _("Abonniert"),
        _("Wir schreiben Ihnen bei jeder Änderung: %(wish)s.", wish=telling.wish(found)),
        _("Was bundesweit auffällt, gehört immer dazu. Abbestellen können Sie in jeder Nachricht."),
    )


@blueprint.get("/abonnieren/abmelden")
def leave_question() -> Response:
    """Show a button that ends a subscription."""
    found = _found("leave")
    if found is None:
        return _left()
    return _page(_("Abbestellen?"), telling.wish(found), button=_("Abbestellen"))


@blueprint.post("/abonnieren/abmelden")
def leave() -> Response:
    """End a subscription, also by the one click of a mail program (RFC 8058)."""
    found = _found("leave")
    if found is not None:
        with writing() as connection:
            subscriptions.end(connection, found.subscription_id, now(), "left")
    return _left()


def _found(purpose: Purpose) -> Subscription | None:
    """Return the subscription of the ticket in the address, if it holds and has not ended."""
    subscription_id = read_ticket(instance().key, purpose, request.args.get("t", ""), now())
    if subscription_id is None:
        return None
    with instance().store.read() as connection:
        found = subscriptions.get(connection, subscription_id)
    return None if found is None or found.ended_at else found


def _run_out() -> Response:
    return _page(
        _("Dieser Link gilt nicht mehr"),
        _("Er ist abgelaufen oder unvollständig. Sie können sich neu eintragen; nach 48 Stunden löschen wir, was nicht "
          "bestätigt wurde."),
        status=410,
    )  # fmt: skip


def _left() -> Response:
    """Answer the same whether it has just ended, long ago, or never was."""
    return _page(_("Abbestellt"), _("Wir schreiben Ihnen nicht mehr. Ihre Adresse ist gelöscht."))
