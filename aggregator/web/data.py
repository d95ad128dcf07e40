"""/daten: choose, count, take away; and what each column means. I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from flask import Blueprint, render_template, request
from flask_babel import format_decimal
from flask_babel import gettext as _

from aggregator.downloads import public
from aggregator.export import FORMATS, TABLES
from aggregator.export.listed import EVERY
from aggregator.model import Filter
from aggregator.store import names, reports, sources
from aggregator.web.desk import instance
from aggregator.web.kinds import KINDS
from aggregator.web.language import present
from aggregator.web.params import Invalid, parse
from aggregator.web.ready import by_day
from aggregator.web.tables import FILES, LISTED, NAMES, TYPES

PREVIEW: Final = 4  # reports that are shown
DAYS: Final = 7  # closed days that are shown
FIELDS: Final = ("provider", "service", "region", "since", "until", "as_of")
blueprint = Blueprint("data", __name__)


@dataclass(frozen=True, slots=True)
class Offer:
    """A table that can be taken away: its id, name, what it is, and its files (kind, address)."""

    table: str
    name: str
    what: str
    files: tuple[tuple[str, str], ...]


@blueprint.get("/daten")
def choose() -> tuple[str, int]:
    """Show the filters, how many reports fit them, the downloads and the meaning of every column."""
    values = {name: request.args.get(name, "").strip() for name in FIELDS}
    errors: Mapping[str, str] = {}
    number: int | None = None
    preview: list[dict[str, Any]] = []
    try:
        number, preview = _look(parse(values, instance(), language=present()).filter)
    except Invalid as error:
        errors = error.errors
    query = urlencode({name: text for name, text in values.items() if text and not errors})
    page = render_template(
        "daten.html",
        values=values,
        errors=errors,
        labels=_labels(),
        number=None if number is None else format_decimal(number),
        count=number,
        preview=preview,
        days=by_day(DAYS),
        formats=FILES,
        example=f"{instance().settings.base_url or request.url_root.rstrip('/')}/daten/reports.csv",
        offers=[_offer(table, query) for table in TABLES],
        tables=EVERY,
        names=NAMES,
        called={**{table: name for table, (name, _what) in NAMES.items()}, **LISTED},
        kinds=TYPES,
        providers=sorted(instance().catalogue.providers.values(), key=lambda p: p.name.casefold()),
        services=instance().catalogue.services.values(),
        laender=instance().catalogue.laender.values(),
        own_terms=_own_terms(),
        attributions=instance().catalogue.attributions,
    )
    return page, 422 if errors else 200


def _own_terms() -> bool:
    """Say whether some source does not let its rows be given on."""
    with instance().store.read() as connection:
        return any(source.republish != "rows" for source in sources.all_of(connection))


def _look(f: Filter) -> tuple[int, list[dict[str, Any]]]:
    """Return how many reports fit, and the first of them."""
    with instance().store.read() as connection:
        given = sources.given_on(connection, "reports")
        number = reports.count(connection, f, sources=given)
        first = [public(row) for row in reports.rows(connection, f, limit=PREVIEW, sources=given)]
        called = names.all(connection)
    return number, [_in_words(row, called) for row in first]


def _in_words(row: Mapping[str, Any], called: Mapping[str, str]) -> dict[str, Any]:
    catalogue = instance().catalogue
    service = catalogue.services.get(row["service"])
    provider = catalogue.providers.get(row["provider"])
    return {
        **row,
        "at": row["observed_at"],
        "provider": provider.name if provider else called.get(row["provider"], row["provider"]),
        "service": _(service.name_de) if service else row["service"],
        "region": catalogue.region_name(row["region"]) if row["region"] else _("nicht verortet"),
    }


def _offer(table: str, query: str) -> Offer:
    name, what = NAMES[table]
    end = f"?{query}" if query else ""
    return Offer(
        table, name, what, tuple((kind, f"/daten/{table}{FORMATS[kind].suffix}{end}") for kind in KINDS[table])
    )


def _labels() -> dict[str, str]:
    return {
        "provider": _("Anbieter"), "service": _("Dienst"), "region": _("Land oder Kreis"), "since": _("Von"),
        "until": _("Bis vor dem"), "as_of": _("Kenntnisstand vom"),
    }  # fmt: skip
