"""/archiv: every incident there ever was, as a calendar and a table, to be searched. I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from babel.dates import get_month_names
from flask import Blueprint, Response, make_response, render_template, request
from flask_babel import format_date
from flask_babel import gettext as _

from aggregator.catalogue import Catalogue
from aggregator.clock import BERLIN
from aggregator.model import Filter, Incident
from aggregator.web import figures, story
from aggregator.web.almanac import Month, months
from aggregator.web.desk import instance, now
from aggregator.web.findings import row, touching
from aggregator.web.language import LANGUAGES, present
from aggregator.web.params import Invalid, parse

A_PAGE: Final = 50  # incidents
FIELDS: Final = ("q", "provider", "service", "region", "state", "month", "since", "until")
STATES: Final = ("open", "strong", "suspected", "over", "withdrawn")
MONTH: Final = re.compile(r"(\d{4})-(\d\d)|(?:(\d\d?)[./]|([^\W\d]{3,})\.? )?(\d{4})")
WORD: Final = re.compile(r"\w+")
FIRST_YEAR: Final = 1990
blueprint = Blueprint("archive", __name__)


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for. values: as typed; errors: a sentence a field that cannot be used; page: from 1 on."""

    values: Mapping[str, str]
    errors: Mapping[str, str]
    filter: Filter
    words: tuple[str, ...]
    state: str
    year: int | None
    page: int

    def link(self, **changed: str) -> str:
        """Return the address of the search with `changed` in its place; "" leaves a word out."""
        kept = {n: v for n in (*FIELDS, "page") if (v := {**self.values, **changed}.get(n, ""))}
        return f"/archiv?{urlencode(kept)}" if kept else "/archiv"


@blueprint.get("/archiv")
def archive() -> Response:
    """Show the calendar of a year and the incidents that are looked for, the latest first."""
    search = read(request.args)
    with instance().store.read() as connection:
        view = figures.view(connection, instance(), now())
        whenever = touching(connection, replace(search.filter, since=None, until=None))
        every = [incident for incident in whenever if _fits(view, incident, search)]
        found = [i for i in every if _within(i, search.filter)]
        year = search.year or (_local(found[0].onset) if found else _local(now())).year
        page = render_template(
            "archiv.html",
            at=now(),
            search=search,
            states=state_words(),
            providers=sorted(instance().catalogue.providers.values(), key=lambda provider: provider.name.casefold()),
            services=list(instance().catalogue.services.values()),
            laender=[(land, story.place_name(land, instance().catalogue)) for land in instance().catalogue.laender],
            number=len(found),
            first=str(format_date(_local(every[-1].onset), "LLLL y")) if every else "",
            rows=[row(view, incident) for incident in found[(search.page - 1) * A_PAGE : search.page * A_PAGE]],
            pages=range(1, -(-len(found) // A_PAGE) + 1),
            year=year,
            years=_years(every, year),
            months=_calendar(view, every, year, search),
        )
    return make_response(page, 400 if search.errors else 200)


def state_words() -> dict[str, str]:
    """Return what may be chosen of states, in words."""
    return {
        "open": _("dauert an"), "strong": _("war stark auffällig"), "suspected": _("war nur auffällig"),
        "over": _("beendet"), "withdrawn": _("zurückgezogen"),
    }  # fmt: skip


def read(args: Mapping[str, str]) -> Search:
    """Read what is looked for; what cannot be used is told and left out."""
    values = {name: args.get(name, "").strip() for name in FIELDS}
    errors: dict[str, str] = {}
    try:
        f = parse(values, instance(), language=present()).filter
    except Invalid as error:
        errors |= error.errors
        f = parse({name: v for name, v in values.items() if name not in errors}, instance()).filter
    year = f.since.astimezone(BERLIN).year if f.since else None
    if values["month"]:
        span = _span(values["month"])
        if span is None:
            errors["month"] = str(_("Das ist kein Monat; zum Beispiel Januar 2017."))
        else:
            f, year = replace(f, since=span[0], until=span[1]), span[0].astimezone(BERLIN).year
    if values["state"] and values["state"] not in STATES:
        errors["state"] = str(_("Diesen Zustand gibt es nicht."))
    state = "" if "state" in errors else values["state"]
    page = args.get("page", "1")
    number = int(page) if page.isascii() and page.isdigit() and 0 < len(page) < 6 else 1
    return Search(values, errors, f, tuple(WORD.findall(values["q"].casefold())), state, year, max(1, number))


def _span(text: str) -> tuple[datetime, datetime] | None:
    """Return the beginning and the end of a month such as Januar 2017, Jan 2017, 1/2017 or 2017-01, or of a year."""
    found = MONTH.fullmatch(text)
    year = int(found[1] or found[5]) if found else 0
    month = _month(found[2] or found[3] or found[4] or "") if found else 0
    if found is None or not FIRST_YEAR <= year <= 2100 or month is None:
        return None
    first = datetime(year, month or 1, 1, tzinfo=BERLIN)
    return first, (first + timedelta(days=32 if month else 366)).replace(day=1)


def _month(text: str) -> int | None:
    """Return the number of a month, 0 where none is named; None: there is no such month."""
    if text.isdigit():
        return int(text) if 1 <= int(text) <= 12 else None
    names = (name for language in LANGUAGES for name in get_month_names(locale=language).items())
    return next((number for number, name in names if name.casefold().startswith(text.casefold())), None) if text else 0


def _fits(view: figures.View, incident: Incident, search: Search) -> bool:
    """Say whether the incident is of the state and has all the words that are looked for."""
    if search.state in {"strong", "suspected"}:
        of_state = figures.was_strong(view, incident) == (search.state == "strong") and incident.state != "withdrawn"
    elif search.state == "open":
        of_state = incident.ended_at is None
    else:
        of_state = search.state in {"", incident.state}
    if not of_state or not search.words:
        return of_state
    names = set(WORD.findall(" ".join(_named(view.instance.catalogue, incident)).casefold()))
    return all(any(name.startswith(word) for name in names) for word in search.words)


def _named(catalogue: Catalogue, incident: Incident) -> Iterable[str]:
    """Yield all names that an incident can be found by."""
    yield incident.incident_id
    yield story.title(incident, catalogue)
    yield from (catalogue.provider(provider).name for provider in incident.providers)
    if not incident.regions:
        yield "Bundesweit Deutschland"
    for region in {*incident.regions, *(region[:2] for region in incident.regions)}:
        yield catalogue.region_name(region)


def _within(incident: Incident, f: Filter) -> bool:
    """Say whether the incident touches the time that is looked for."""
    ended = incident.ended_at
    return (f.until is None or incident.onset < f.until) and (f.since is None or ended is None or ended >= f.since)


def _local(moment: datetime) -> datetime:
    return moment.astimezone(BERLIN)


def _years(found: Sequence[Incident], shown: int) -> list[int]:
    """Return the years that have a calendar: from the first incident until now, and the one that is shown."""
    first = min((_local(incident.onset).year for incident in found), default=shown)
    return sorted({*range(max(first, FIRST_YEAR), _local(now()).year + 1), shown})


def _calendar(view: figures.View, found: Sequence[Incident], year: int, search: Search) -> list[Month]:
    known = [(_local(i.onset).date(), _last(i), figures.was_strong(view, i)) for i in found if i.state != "withdrawn"]
    today = _local(now()).date()
    return months(view.connection, year, known, today, link=lambda since, until: _days(search, since, until))


def _last(incident: Incident) -> date:
    return _local(incident.ended_at or now()).date()


def _days(search: Search, since: date, until: date) -> str:
    return search.link(since=since.isoformat(), until=until.isoformat(), month="", page="")
