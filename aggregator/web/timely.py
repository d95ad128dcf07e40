"""Whether what a page says is of the time that it names, and what goes wrong here, in a reader's words. I/O."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from flask_babel import gettext as _

from aggregator.store import Connection, incidents, outbox
from aggregator.web.desk import desk, instance
from aggregator.web.story import clock

LATE: Final = timedelta(minutes=15)  # since the last look for clusters: then something is wrong


@dataclass(frozen=True, slots=True)
class Look:
    """The last look for clusters before a time; at None: there was none."""

    at: datetime | None
    late: bool


def last_look(connection: Connection, at: datetime) -> Look:
    """Return the last look at or before `at`, and whether it is too long ago to say anything of that time."""
    looked = incidents.last_look(connection, at)
    return Look(looked, looked is None or at - looked > LATE)


def unlooked(look: Look, at: datetime, *, past: bool = False) -> str:
    """Say that nothing can be said of `at` because nobody looked."""
    if past:
        return str(_("Keine Aussage möglich: Für diese Zeit wurde nicht ausgewertet"))
    if look.at is None:
        return str(_("Keine Aussage möglich: Ausgewertet wurde noch nicht"))
    return str(_("Keine Aussage möglich: Seit %(since)s wurde nicht mehr ausgewertet", since=clock(look.at, at)))


def troubles(connection: Connection, at: datetime) -> Iterator[str]:
    """Yield what goes wrong at present and what of it a reader has to know."""
    look = last_look(connection, at)
    if look.at is None:
        yield str(_("Ausgewertet wurde noch nicht."))
    elif look.late:
        since = clock(look.at, at)
        yield str(_("Zuletzt ausgewertet: %(at)s. Was seither gemeldet wurde, fehlt in der Lage.", at=since))
    if not stores():
        yield unstored()
    due_at = None if instance().clock.simulated else outbox.backlog(connection, at).due_at
    if due_at and at - due_at > LATE:
        yield str(_("Benachrichtigungen gehen mit Verspätung hinaus, fällig seit %(at)s.", at=clock(due_at, at)))


def stores() -> bool:
    """Say whether what people send is stored, as far as this process knows."""
    return not desk().intake.figures().trouble


def unstored() -> str:
    """Say that it is not."""
    return str(_("Neue Meldungen lassen sich gerade nicht speichern und fehlen hier."))
