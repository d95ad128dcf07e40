"""/datenschutz: the words beside this file, and in them what the settings in force and the periods say. I/O."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from flask_babel import gettext as _
from markupsafe import Markup, escape

from aggregator import retention
from aggregator.once import ONCE_IN
from aggregator.settings import Settings


def sentences(settings: Settings) -> Mapping[str, Markup]:
    """Return what stands in the holes of the page, as HTML, in the language of the answer."""
    return {
        "grenzen": escape(_limits(settings)),
        "anmerkungen": Markup("<strong>{}</strong> {}").format(_("Anmerkungen"), _comments(settings)),
        "karte": escape(_map(settings)),
        "fristen": _table(),
        "betreiber": _operator(settings),
    }


def _limits(settings: Settings) -> str:
    if not settings.rate_limits:
        return str(_("Wie viel aus einem Netz gesendet wird, zählt diese Netzlage nicht."))
    where = _("in einem Redis-Speicher") if settings.redis_url else _("nur im Arbeitsspeicher")
    return str(
        _(
            "Damit niemand das Formular verstopft, zählen wir %(where)s, wie viel ein Netz (/24, IPv6 /48 und /64) in "
            "der letzten Minute und Stunde gesendet hat, unter einem Prüfwert des Netzes, höchstens eine Stunde lang.",
            where=where,
        )
    )


def _comments(settings: Settings) -> str:
    kept = _(
        "E-Mail- und Internetadressen, Anschriften, Telefon-, Kunden- und Kontonummern darin entfernen wir, bevor wir "
        "speichern."
    )
    if not settings.publish_comments:
        return f"{_('werden nicht veröffentlicht.')} {kept}"
    shown = _(
        "werden mit dem Vorfall veröffentlicht, ohne alles andere zur Person. Jede lässt sich beanstanden; nach drei "
        "Beanstandungen ist sie verborgen, bis sie jemand geprüft hat."
    )
    return f"{shown} {kept}"


def _map(settings: Settings) -> str:
    if not settings.nominatim_url:
        return str(_("Ein Ortsname, den wir nicht kennen, wird nirgends nachgefragt."))
    return str(
        _(
            "Ein Ortsname, den wir nicht kennen, wird bei einem Kartendienst (Nominatim, %(url)s) nachgefragt; hinaus "
            "geht dabei allein dieser Name.",
            url=settings.nominatim_url,
        )
    )


def _table() -> Markup:
    """Return the periods as a table; they are those that the deletion goes by."""
    rows = (
        (_("Schlüssel eines Tages"), _("%(time)s nach dem Ende des Tages", time=_length(ONCE_IN))),
        (_("Prüfwert der Person"), _length(retention.REPORTERS)),
        (_("Prüfwert des Adressbereichs"), _("bis zum Ende des Tages (UTC), dann eine Zufallszahl für diesen Tag")),
        (_("Postleitzahl und Koordinaten; danach bleibt der Kreis"), _length(retention.PLACES)),
        (_("Anmerkungen und Beanstandungen"), _length(retention.COMMENTS)),
        (_("Antworten einer Quelle, die wir nicht lesen konnten, ohne Namen und Nummern"), _length(retention.PAYLOADS)),
        (_("Abgelehnte Einträge einer Quelle, ohne Namen und Nummern"), _length(retention.REJECTED)),
    )
    body = Markup("").join(Markup("<tr><td>{}</td><td>{}</td></tr>\n").format(what, how) for what, how in rows)
    head = Markup('<tr><th scope="col">{}</th><th scope="col">{}</th></tr>').format(_("Was"), _("Wie lange"))
    return Markup("<table>\n<caption>{}</caption>\n<thead>{}</thead>\n<tbody>\n{}</tbody></table>").format(
        _("Was wann gelöscht wird"), head, body
    )


def _length(time: timedelta) -> str:
    hours = int(time.total_seconds() // 3600)
    if hours <= 24:
        return str(_("%(n)s Stunden", n=hours))
    return str(_("%(n)s Tage", n=time.days))


def _operator(settings: Settings) -> Markup:
    if not settings.operator:
        return Markup("<p>{}</p>").format(_("Wer diese Netzlage betreibt, ist nicht angegeben."))
    said = _("Verantwortlich ist, wer diese Netzlage betreibt: %(who)s", who=settings.operator)
    return Markup("<p>{}</p>").format(said)
