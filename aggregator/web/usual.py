"""What would be usual beside what was reported: in words, and as a ratio with its interval. Needs a request."""

from __future__ import annotations

from flask_babel import format_decimal
from flask_babel import gettext as _

from aggregator.detect.interval import ratio_interval
from aggregator.model import Incident


def usual(incident: Incident) -> str:
    """Return what would be usual; a ratio with its 95 % interval only where at least one report is expected."""
    if incident.cold:
        return str(_("was in dieser Zeit üblich wäre, wissen wir noch nicht"))
    if incident.expected < 1:
        return str(_("üblich wäre in dieser Zeit weniger als eine"))
    number = round(incident.expected)
    known = {"usual": in_words(number), **_bounds(incident)}
    if number == 1:
        return str(
            _("üblich wäre in dieser Zeit etwa %(usual)s (%(ratio)s-mal so viele, %(low)s bis %(high)s)", **known)
        )
    return str(_("üblich wären in dieser Zeit etwa %(usual)s (%(ratio)s-mal so viele, %(low)s bis %(high)s)", **known))


def ratio(incident: Incident) -> str:
    """Return the ratio with its interval and what is in it, or why there is none."""
    if incident.cold:
        return str(_("Ein Verhältnis nennen wir erst, wenn es eine Vergleichsbasis gibt."))
    if incident.expected < 1:
        return str(_("Ein Verhältnis nennen wir erst, wo mindestens eine Meldung üblich wäre."))
    return str(
        _(
            "Das sind %(ratio)s-mal so viele (95-%%-Bereich %(low)s bis %(high)s; darin, dass Meldungen gehäuft kommen "
            "und das Übliche nur ungefähr bekannt ist).",
            **_bounds(incident),
        )
    )


def _bounds(incident: Incident) -> dict[str, str]:
    low, high = ratio_interval(incident.reports, incident.expected, incident.spread)
    found = {"ratio": incident.reports / incident.expected, "low": low, "high": high}
    return {name: _short(value) for name, value in found.items()}


def _short(value: float) -> str:
    return str(format_decimal(round(value) if value >= 10 else round(value, 1)))


def in_words(number: int) -> str:
    """Return a number of reports as a sentence has it: up to twelve in words."""
    words = (
        _("null"), _("eine"), _("zwei"), _("drei"), _("vier"), _("fünf"), _("sechs"), _("sieben"), _("acht"),
        _("neun"), _("zehn"), _("elf"), _("zwölf"),
    )  # fmt: skip
    return str(words[number]) if number < len(words) else str(format_decimal(number))
