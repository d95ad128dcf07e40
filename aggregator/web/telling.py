"""A change of an incident -> the words of a message, the same sentences as on its page. I/O."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from flask import Flask
from flask_babel import force_locale, gettext
from flask_babel import gettext as _

from aggregator.export.table import iso
from aggregator.instance import Instance
from aggregator.model import Incident, Transition
from aggregator.notices import CONFIRMATION, Change, ChannelName, Delivery, Notice, Subscription
from aggregator.record import Correction
from aggregator.store import Connection, corrections, incidents, outbox
from aggregator.store.subscriptions import UNCONFIRMED
from aggregator.web import single, story
from aggregator.web.desk import facts, instance, with_names
from aggregator.web.language import FIRST
from aggregator.web.tickets import write_ticket

SIMULATION: Final = "SIMULATION: "
RULE: Final = "-- "  # what stands below it is not quoted in answers


def teller(app: Flask) -> Callable[[Delivery], Notice | None]:
    """Return what makes the words of a delivery, in the language of the subscriber; None: its incident is gone.

    What all are told of a change is made once; with an incident as it was then, it does not change any more.
    """

    @lru_cache(maxsize=64)
    def common(channel: ChannelName, change: Change, language: str) -> Notice | None:
        with instance().store.read() as connection:
            incident = incidents.get(connection, change.incident_id, change.at)
            if incident is None:
                return None
            given = corrections.find(connection, [incident.incident_id], change.at).get(incident.incident_id, [])
            now = [one for one in given if one.at == change.at]
            return MAKERS[channel](connection, incident, change, now)

    def tell(delivery: Delivery) -> Notice | None:
        whose = delivery.subscription
        with app.app_context(), force_locale(whose.language):
            if delivery.change is None:
                return _about_ourselves(delivery)
            notice = common(whose.channel, delivery.change, whose.language)
            return _addressed(notice, whose) if notice and whose.channel == "email" else notice

    return tell


def _home() -> str:
    return instance().settings.base_url


def _page(change: Change) -> str:
    return f"{_home()}/vorfall/{change.incident_id}"


def _moment(at: datetime) -> str:
    """Return the full second by which it was known."""
    full = at.replace(microsecond=0)
    return iso(full if full == at else full + timedelta(seconds=1))


def _mark() -> str:
    return SIMULATION * instance().clock.simulated


def reserve() -> str:
    """Return the sentence that stands beside every figure."""
    said = _(
        "Meldungen sind keine Ausfälle und nicht repräsentativ; wie viele Anschlüsse gestört sind und warum, "
        "folgt daraus nicht."
    )
    return str(said)


def _letter(connection: Connection, incident: Incident, change: Change, now: list[Correction]) -> Notice:
    """Return what every reader of a language is told by e-mail."""
    catalogue, page = with_names(connection, instance().catalogue), _page(change)
    word = str(_("Nachtrag")) if change.kind == "note" else story.state(incident)
    lines = [
        *([gettext("SIMULATION: Alle Meldungen sind nachgestellt, Uhrzeiten sind angenommen.")] * bool(_mark())),
        *(story.correction(one) for one in now),
        f"{story.headline(incident, catalogue, change.at)}.",
        gettext("Stand %(at)s: %(state)s.", at=story.long_time(change.at), state=story.state(incident)),
        reserve(),
        gettext("Alle Belege, wie sie da standen:") + f"\n{page}?as_of={_moment(change.at)}",
        gettext("Jetziger Stand:") + f"\n{page}",
    ]
    if outbox.was_strong(connection, change.incident_id, change.at):
        lines.append(f"CAP 1.2:\n{page}.cap.xml?as_of={_moment(change.at)}")
    return Notice(f"{_mark()}{story.title(incident, catalogue)}: {word}", _joined(lines))


def _addressed(notice: Notice, whose: Subscription) -> Notice:
    """Return the letter with what its reader subscribed to, and how to leave."""
    leave = leave_address(instance(), whose)
    below = "\n".join((RULE, gettext("Abonniert bei Netzlage: %(wish)s.", wish=wish(whose)), _leaving(leave)))
    return replace(notice, text=f"{notice.text}\n{below}\n", unsubscribe=leave)


def _joined(lines: list[str]) -> str:
    return "\n\n".join(lines) + "\n"


def _leaving(address: str) -> str:
    return f"{_('Abbestellen:')} {address}"


def wish(whose: Subscription) -> str:
    """Return what somebody subscribed to, in words."""
    catalogue = facts()
    return ", ".join(
        (
            catalogue.provider(whose.provider).name if whose.provider else gettext("alle Anbieter"),
            story.place_name(whose.region, catalogue) if whose.region else gettext("ganz Deutschland"),
            gettext("ab „auffällig“") if whose.threshold == "suspected" else gettext("ab „stark auffällig“"),
        )
    )


def _about_ourselves(delivery: Delivery) -> Notice:
    """Return the question whether an address wants to be told, or the word that a channel works."""
    whose = delivery.subscription
    if delivery.change_id != CONFIRMATION:
        told = {"type": "test", "timestamp": iso(delivery.queued_at), "simulated": instance().clock.simulated}
        return Notice(_mark() + gettext("Netzlage: Probe"), wish(whose), _json({**told, "data": {"wish": wish(whose)}}))
    lines = [
        gettext("Guten Tag,"),
        gettext(
            "jemand, vermutlich Sie, möchte an diese Adresse Nachrichten von Netzlage: %(wish)s.", wish=wish(whose)
        ),
        gettext("Wenn Sie das möchten, öffnen Sie diese Seite und bestätigen Sie dort (sie gilt 48 Stunden):")
        + f"\n{confirm_address(instance(), whose)}",
        gettext("Wenn nicht, tun Sie nichts: Dann kommt keine weitere Nachricht, und wir löschen die Adresse."),
    ]
    return Notice(_mark() + gettext("Netzlage: Bitte bestätigen Sie Ihr Abonnement"), _joined(lines))


def confirm_address(instance: Instance, whose: Subscription) -> str:
    """Return the page on which a subscription is confirmed."""
    ticket = write_ticket(instance.key, "confirm", whose.subscription_id, whose.created_at + UNCONFIRMED)
    return _address(instance, whose, "bestaetigen", ticket)


def leave_address(instance: Instance, whose: Subscription) -> str:
    """Return the page on which a subscription is ended, with one click too (RFC 8058)."""
    return _address(instance, whose, "abmelden", write_ticket(instance.key, "leave", whose.subscription_id))


def _address(instance: Instance, whose: Subscription, page: str, ticket: str) -> str:
    language = "" if whose.language == FIRST else f"&lang={whose.language}"
    return f"{instance.settings.base_url}/abonnieren/{page}?t={ticket}{language}"


def _parcel(connection: Connection, incident: Incident, change: Change, now: list[Correction]) -> Notice:
    """Return what a webhook is sent: the incident as its own JSON had it then, and what changed."""
    steps = [one for one in incidents.transitions(connection, incident.incident_id, change.at) if one.at == change.at]
    page = _page(change)
    data = {
        "incident": single.document(connection, incident.incident_id, change.at),
        "transition": _step(steps, change),
        "correction": {"at": iso(change.at), "kind": now[0].kind, "text": now[0].text} if now else None,
        "headline": f"{story.headline(incident, with_names(connection, instance().catalogue), change.at)}.",
        "reserve": reserve(),
        "url": f"{page}?as_of={_moment(change.at)}",
        "json_url": f"{page}.json?as_of={_moment(change.at)}",
        "cap_url": f"{page}.cap.xml?as_of={_moment(change.at)}"
        if outbox.was_strong(connection, change.incident_id, change.at)
        else None,
    }
    told = {"type": f"incident.{change.kind}", "timestamp": iso(change.at), "simulated": instance().clock.simulated}
    return Notice(body=_json({**told, "data": data}))


def _step(steps: list[Transition], change: Change) -> dict[str, Any] | None:
    return next((single.step(one) for one in reversed(steps) if one.state == change.kind), None)


def _json(values: dict[str, Any]) -> bytes:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


MAKERS: Final[Mapping[ChannelName, Callable[[Connection, Incident, Change, list[Correction]], Notice]]] = {
    "webhook": _parcel,
    "email": _letter,
}
