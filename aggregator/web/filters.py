"""What the templates may say: numbers and times in the reader's way, words for codes. I/O."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Flask
from flask_babel import format_decimal
from flask_babel import gettext as _

from aggregator.web import story
from aggregator.web.desk import instance, now
from aggregator.web.promise import number as least
from aggregator.web.promise import weeks
from aggregator.web.sheet import icon, sheet

OUTCOMES = {
    "ok": "gehört", "not_modified": "gehört, nichts Neues", "unreachable": "nicht erreichbar",
    "blocked": "lässt uns nicht hören", "changed": "hat seine Form geändert",
}  # fmt: skip
REJECTIONS = {
    "missing_field": "Angabe fehlt", "unknown_provider": "Anbieter unbekannt", "unknown_service": "Dienst unbekannt",
    "unknown_place": "Ort unbekannt", "ambiguous_place": "Ort mehrdeutig", "outside": "außerhalb Deutschlands",
    "bad_coordinates": "Koordinaten unmöglich", "bad_time": "Zeit unlesbar", "future_time": "Zeit in der Zukunft",
    "too_old": "zu alt", "bad_number": "Zahl unlesbar", "not_a_report": "keine Störungsmeldung",
    "repost": "weitergereicht", "bot": "von einem Programm",
}  # fmt: skip


def register(app: Flask) -> None:
    """Give the templates of `app` their filters and what every page knows."""
    app.jinja_env.filters.update(
        clock=lambda moment, at=None: story.clock(moment, at or now()),
        longtime=story.long_time,
        number=_number,
        outcome=lambda code: _(OUTCOMES.get(code, code)),
        rejection=lambda code: _(REJECTIONS.get(code, code)),
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
    return {"simulated": instance().clock.simulated}
