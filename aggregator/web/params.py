"""The words behind the ? -> a Filter, or one sentence for each that cannot be used. I/O."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from flask_babel import gettext

from aggregator.cleaning import quoted
from aggregator.clock import BERLIN
from aggregator.instance import Instance
from aggregator.model import ALL, Filter
from aggregator.places import NotLocated
from aggregator.store import names

MOST: Final = 10_000  # items of a page
USUAL: Final = 100
FIRST: Final = datetime(1990, 1, 1, tzinfo=UTC)  # nothing here is older, nor later than the other
LAST: Final = datetime(2100, 1, 1, tzinfo=UTC)
PLUS_LOST: Final = re.compile(r" (?=\d\d:?\d\d$)")  # a + that an address turned into a blank

SENTENCES: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "provider": "Provider {} is not known; see /api/v1/providers.",
        "service": "Service {} is not known; see /api/v1/services.",
        "region": "Region {} is no district (AGS, five digits) and no Land (two digits); see /api/v1/regions.",
        "time": "{} is not a time; write ISO 8601 such as 2017-05-13T09:40 or 2017-05-13T07:40Z.",
        "order": "until must not lie before since.",
        "limit": f"{{}} is not a whole number from 1 to {MOST}.",
        "cursor": "{} is not the next of a list; leave it out to begin again.",
    },
    "de": {
        "provider": "Der Anbieter {} ist nicht bekannt.",
        "service": "Der Dienst {} ist nicht bekannt.",
        "region": "{} ist kein Kreis und kein Land; bitte den Namen oder den amtlichen Schlüssel angeben.",
        "time": "{} ist keine Zeit; zum Beispiel 2017-05-13T09:40.",
        "order": "Das Ende darf nicht vor dem Anfang liegen.",
        "limit": f"{{}} ist keine ganze Zahl von 1 bis {MOST}.",
        "cursor": "{} ist keine Fortsetzung einer Liste.",
    },
}


class Invalid(Exception):  # noqa: N818 - it reads as what it says
    """Carries a sentence for each field that cannot be used."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(" ".join(errors.values()))
        self.errors = errors


class _Unusable(Exception):  # noqa: N818
    """Carries the kind of mistake from a reader to `parse`."""


@dataclass(frozen=True, slots=True)
class Params:
    """What is asked for. limit None: not said; cursor "": from the beginning."""

    filter: Filter
    limit: int | None
    cursor: str


def parse(args: Mapping[str, str], instance: Instance, *, language: str = "de") -> Params:
    """Read provider, service, region, since, until, as_of, limit and cursor; what is empty is not asked for.

    Raises Invalid with one sentence a field.
    """
    values: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for field, read in READERS.items():
        text = args.get(field, "").strip()
        try:
            values[field] = read(text, instance) if text else None
        except _Unusable as error:
            errors[field] = SENTENCES[language][str(error)].format(quoted(text))
    since, until = values.get("since"), values.get("until")
    if since and until and until < since:
        errors["until"] = SENTENCES[language]["order"]
    if errors:
        raise Invalid(errors)
    provider, service, region = (values[name] or "" for name in ("provider", "service", "region"))
    asked = Filter(provider, service, region, since, until, values["as_of"])
    return Params(asked, values["limit"], args.get("cursor", "").strip())


def bad_cursor(cursor: str, language: str = "en") -> Invalid:
    """Return what to raise for a cursor that belongs to no list."""
    return Invalid({"cursor": SENTENCES[language]["cursor"].format(quoted(cursor))})


def _provider(text: str, instance: Instance) -> str:
    found = ALL if text == ALL else instance.catalogue.provider_id(text)
    if found is not None:
        return found
    with instance.store.read() as connection:
        if text in names.all(connection):
            return text
    raise _Unusable("provider")


def _service(text: str, instance: Instance) -> str:
    found = ALL if text == ALL else instance.catalogue.service_id(text)
    if found is None:
        raise _Unusable("service")
    return found


def _region(text: str, instance: Instance) -> str:
    catalogue = instance.catalogue
    if text in catalogue.regions or text in catalogue.laender:
        return text
    for land in catalogue.laender.values():
        if text.casefold() in {land.name.casefold(), str(gettext(land.name)).casefold()}:
            return land.id
    found = catalogue.places.locate(region=text)
    if isinstance(found, NotLocated):
        raise _Unusable("region")
    return found.region


def _time(text: str, _instance: Instance) -> datetime:
    try:
        moment = datetime.fromisoformat(PLUS_LOST.sub("+", text) if "T" in text else text)
    except ValueError:
        raise _Unusable("time") from None
    return _of_our_time(moment if moment.tzinfo else moment.replace(tzinfo=BERLIN))


def _of_our_time(moment: datetime) -> datetime:
    """Return the moment in UTC, one that lies far away as the end of the time that can matter."""
    if moment.year < FIRST.year:
        return FIRST
    return LAST if moment.year >= LAST.year else max(FIRST, moment.astimezone(UTC))


def _limit(text: str, _instance: Instance) -> int:
    if text.isascii() and text.isdigit() and len(text) < 9 and 1 <= int(text) <= MOST:
        return int(text)
    raise _Unusable("limit")


READERS: Final[Mapping[str, Callable[[str, Instance], Any]]] = {
    "provider": _provider,
    "service": _service,
    "region": _region,
    "since": _time,
    "until": _time,
    "as_of": _time,
    "limit": _limit,
}
