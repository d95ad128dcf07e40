"""What went wrong, as a page for people and as JSON for programs; never a traceback. I/O."""

from __future__ import annotations

import logging
from typing import Final

from flask import Flask, Response, jsonify, make_response, render_template, request
from flask_babel import lazy_gettext as _
from werkzeug.exceptions import HTTPException

from aggregator.errors import StoreBusy, StoreError
from aggregator.web.crowd import Crowded
from aggregator.web.desk import desk
from aggregator.web.params import Invalid
from aggregator.words import Refused

AGAIN: Final = "10"  # seconds until a busy store is worth another try
log = logging.getLogger("netzlage.web")

SAID: Final = {
    400: (_("Diese Anfrage ist nicht zu verstehen"), _("Bitte prüfen Sie die Adresse oder die Angaben.")),
    403: (
        _("Das kam von einer anderen Seite"),
        _("Bitte öffnen Sie das Formular auf dieser Seite und senden Sie es von hier."),
    ),
    404: (_("Diese Seite gibt es nicht"), _("Vielleicht ist die Adresse unvollständig.")),
    405: (_("So geht das hier nicht"), _("Diese Adresse nimmt keine solche Anfrage an.")),
    413: (_("Das ist zu viel auf einmal"), _("Bitte kürzen Sie Ihre Angaben.")),
    415: (_("Dateien nehmen wir nicht an"), _("Bitte senden Sie Ihre Angaben als Text, ohne Anhang.")),
    422: (_("Etwas an der Anfrage stimmt nicht"), _("Bitte prüfen Sie die Angaben.")),
    429: (_("Zu viele Meldungen auf einmal"), _("Bitte versuchen Sie es in einer Minute noch einmal.")),
    500: (_("Hier ist etwas schiefgegangen"), _("Der Fehler liegt bei uns. Bitte versuchen Sie es noch einmal.")),
    503: (
        _("Die Datenbank ist gerade nicht erreichbar"),
        _("Bitte versuchen Sie es in einigen Sekunden noch einmal."),
    ),
}
UNSAVED: Final = (
    _("Das konnte gerade nicht gespeichert werden"),
    _("Davon ist nichts gespeichert. Bitte gehen Sie zurück und senden Sie es in einigen Sekunden noch einmal."),
)
CROWDED: Final = (
    _("Gerade laden viele auf einmal herunter"),
    _("Bitte versuchen Sie es in einigen Sekunden noch einmal."),
)


def register(app: Flask) -> None:
    """Make `app` answer errors of every kind."""
    app.register_error_handler(Invalid, _invalid)
    app.register_error_handler(Refused, _invalid)
    app.register_error_handler(StoreError, _busy)
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(Crowded, _crowded)
    app.register_error_handler(429, _too_many)
    app.register_error_handler(500, _failed)


def _invalid(error: Invalid | Refused) -> Response:
    return answer(422, dict(error.errors))


def _busy(error: StoreError) -> Response:
    if not isinstance(error, StoreBusy):  # its keeper has said it once
        log.error("%s", error)
    told = {"store": "The database cannot be used at the moment; send it again in a few seconds."}
    response = answer(503, told, UNSAVED if request.method == "POST" else None)
    response.headers["Retry-After"] = AGAIN
    return response


def _refused(error: HTTPException) -> Response | HTTPException:
    if error.code is None or error.code < 400:  # a redirect
        return error
    said = answer(error.code, {"request": " ".join((error.description or error.name).split())})
    for name, value in error.get_headers():
        if name.lower() in {"allow", "retry-after", "location", "content-range"}:
            said.headers[name] = value
    return said


def _too_many(_error: HTTPException) -> Response:
    wait = desk().limits.wait()
    said = answer(429, {"request": f"Too many at once from your network; come again in {wait} seconds."})
    said.headers["Retry-After"] = str(wait)
    return said


def _crowded(error: Crowded) -> Response:
    said = answer(503, {"request": str(error.description)}, CROWDED)
    said.headers["Retry-After"] = str(error.retry_after)
    return said


def _failed(_error: Exception) -> Response:
    return answer(500, {"server": "Something failed on our side; the mistake has been noted."})


def answer(status: int, errors: dict[str, str], said: tuple[str, str] | None = None) -> Response:
    """Return `errors` (field -> sentence) as JSON below /api, else as a page; said: its title and text."""
    if request.path.startswith("/api/"):
        return make_response(jsonify(errors=errors), status)
    title, text = said or SAID.get(status, SAID[400 if status < 500 else 500])
    details = list(errors.values()) if status in {400, 422} and "request" not in errors else []
    return make_response(render_template("fehler.html", status=status, title=title, text=text, details=details), status)
