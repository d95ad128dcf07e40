"""What the pages share: the time that is asked for, the words of the map; and /quellen. I/O."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, abort, render_template, request
from flask_babel import gettext as _

from aggregator.draw.map import Value
from aggregator.health import health
from aggregator.store import cube
from aggregator.web import timely
from aggregator.web.desk import instance, now
from aggregator.web.params import Invalid, parse

blueprint = Blueprint("pages", __name__)


def moment(asked: str | None = None) -> tuple[datetime, datetime | None]:
    """Return the time that the page shows, and `as_of` where the address names one (then both are the same).

    asked: what it names; None: that of the present request.
    """
    try:
        as_of = parse({"as_of": request.args.get("as_of", "") if asked is None else asked}, instance()).filter.as_of
    except Invalid:
        abort(400)
    return (min(as_of, now()), min(as_of, now())) if as_of else (now(), None)


def map_words(*, late: bool = False) -> dict[Value, str]:
    """Return what each value of the map means; late: of a time of which nothing was looked for."""
    blind = _("nicht ausgewertet") if late else _("nicht abgehört")
    return {
        "strong": _("stark auffällig"), "suspected": _("auffällig"), "nothing": _("nichts Auffälliges"),
        "few": _("zu wenig Meldungen für eine Aussage"), "blind": blind,
    }  # fmt: skip


@blueprint.get("/quellen")
def sources() -> str:
    """Show each feed's health, and where the facts come from."""
    with instance().store.read() as connection:
        rows = health(connection, now())
        span = cube.span(connection)
        look, wrong = timely.last_look(connection, now()), list(timely.troubles(connection, now()))
    attributions = instance().catalogue.attributions
    return render_template(
        "quellen.html", at=now(), rows=rows, span=span, facts=attributions, look=look, troubles=wrong
    )
