"""What the templates may say: numbers and times in the reader's way, words for codes. I/O."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Flask
from flask_babel import format_decimal
from flask_babel import lazy_gettext as _

from aggregator.web import story
from aggregator.web.desk import instance, now
from aggregator.web.language import LANGUAGES, addresses, open_address, present
from aggregator.web.promise import number as least
from aggregator.web.promise import weeks
from aggregator.web.sheet import icon, sheet

OUTCOMES = {
    "ok": _("gehört"),
    "not_modified": _("gehört, nichts Neues"),
    "unreachable": _("nicht erreichbar"),
    "blocked": _("lässt uns nicht hören"),
    "changed": _("hat seine Form geändert"),
}
REJECTIONS = {
    "missing_field": _("Angabe fehlt"),
    "unknown_provider": _("Anbieter unbekannt"),
    "unknown_service": _("Dienst unbekannt"),
    "unknown_place": _("Ort unbekannt"),
    "ambiguous_place": _("Ort mehrdeutig"),
    "outside": _("außerhalb Deutschlands"),
    "bad_coordinates": _("Koordinaten unmöglich"),
    "bad_time": _("Zeit unlesbar"),
    "future_time": _("Zeit in der Zukunft"),
    "too_old": _("zu alt"),
    "bad_number": _("Zahl unlesbar"),
    "not_a_report": _("keine Störungsmeldung"),
    "repost": _("weitergereicht"),
    "bot": _("von einem Programm"),
}


def register(app: Flask) -> None:
    """Give the templates of `app` their filters and what every page knows."""
    app.jinja_env.filters.update(
        clock=lambda moment, at=None: story.clock(moment, at or now()),
        longtime=story.long_time,
        number=_number,
        outcome=lambda code: str(OUTCOMES.get(code, code)),
        rejection=lambda code: str(REJECTIONS.get(code, code)),
        stance=story.stance,
        channel=story.channel,
        iso=_iso,
        weeks=weeks,
        least=least,
    )
    app.jinja_env.globals.update(sheet=sheet, icon=icon)
    app.context_processor(_known)


def _number(value: float | None, digits: int = 0) -> str:
    return "" if value is None else str(format_decimal(round(value, digits) if digits else round(value)))


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _known() -> dict[str, Any]:
    return {
        "simulated": instance().clock.simulated,
        "language": present(),
        "languages": LANGUAGES,
        "addresses": addresses(),
        "open_address": open_address(),
    }
