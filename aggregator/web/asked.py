"""What the situation is asked to show: the words behind the ? -> whose, where, when, as known when. I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from flask_babel import format_datetime
from flask_babel import gettext as _

from aggregator.clock import BERLIN, floor_to
from aggregator.instance import Instance
from aggregator.model import ALL, Filter, Stream
from aggregator.web.language import present
from aggregator.web.params import Invalid, parse

A_DAY: Final = timedelta(days=1)
A_MINUTE: Final = timedelta(minutes=1)
AN_HOUR: Final = timedelta(hours=1)
FIELDS: Final = ("provider", "service", "region", "since", "until", "as_of")
BACK: Final = (1, 3, 6, 12)  # hours, the near end of the slider
SHIFTS: Final = (-7, -1, 1)  # days, its far end


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page shows. values: as typed; errors: a sentence for each that cannot be used, which then is not asked.

    start, at: the time that is shown; `at` is a full minute. as_of None: what is known now.
    """

    values: Mapping[str, str]
    errors: Mapping[str, str]
    provider: str
    service: str
    region: str
    start: datetime
    at: datetime
    as_of: datetime | None
    now: datetime

    @property
    def filter(self) -> Filter:
        """What the store is asked for."""
        return Filter(self.provider, self.service, self.region, self.start, self.at, self.as_of)

    @property
    def stream(self) -> Stream:
        """The stream that the filter makes."""
        return Stream(self.provider or ALL, self.service or ALL)

    @property
    def narrowed(self) -> bool:
        """Say whether it is less than everything."""
        return bool(self.provider or self.service or self.region)

    @property
    def past(self) -> bool:
        """Say whether another time than the present is shown."""
        return self.as_of is not None or self.at < floor_to(self.now, A_MINUTE)

    def link(self, path: str = "/", **changed: str) -> str:
        """Return the address with what is asked, `changed` in its place; "" leaves a word out."""
        kept = {name: value for name in FIELDS if (value := {**self.values, **changed}.get(name, ""))}
        return f"{path}?{urlencode(kept)}" if kept else path


def read(args: Mapping[str, str], instance: Instance) -> Asked:
    """Read what is asked; what cannot be used is told and left out."""
    values = {name: args.get(name, "").strip() for name in FIELDS}
    errors: Mapping[str, str] = {}
    try:
        f = parse(values, instance, language=present()).filter
    except Invalid as error:
        errors = error.errors
        f = parse({name: v for name, v in values.items() if name not in errors}, instance).filter
    now = floor_to(instance.clock.now(), A_MINUTE)
    as_of = min(f.as_of, now) if f.as_of else None
    at = min(moment for moment in (f.until, as_of, now) if moment)
    start = f.since if f.since and f.since < at else at - A_DAY
    provider, service = (("" if word == ALL else word) for word in (f.provider, f.service))
    return Asked(values, errors, provider, service, f.region, start, at, as_of, now)


@dataclass(frozen=True, slots=True)
class Step:
    """A link of the slider."""

    label: str
    address: str
    here: bool


def slider(asked: Asked) -> list[list[Step]]:
    """Return the rows of links that lead through time: near the present, days, the hours of the day that is shown."""
    near = [Step(_("jetzt"), asked.link(as_of="", until=""), not asked.past)]
    near += [_step(asked, asked.now - n * AN_HOUR, _("vor %(n)s Std.", n=n)) for n in BACK]
    days = [asked.at + n * A_DAY for n in SHIFTS]
    far = [_step(asked, day, str(format_datetime(day, _("EEE d. MMM")))) for day in days if day <= asked.now]
    return [near, far, list(_hours(asked))]


def _step(asked: Asked, moment: datetime, label: str) -> Step:
    return Step(label, asked.link(as_of=_written(moment), until=""), asked.as_of == moment)


def _hours(asked: Asked) -> Iterator[Step]:
    """Yield the full hours of the German day that is shown, as far as they have come."""
    midnight = asked.at.astimezone(BERLIN).replace(hour=0, minute=0, second=0, microsecond=0)
    hour = floor_to(midnight, AN_HOUR)
    while hour <= asked.now and hour.astimezone(BERLIN).date() == midnight.date():
        yield _step(asked, hour, f"{hour.astimezone(BERLIN):%H}")
        hour += AN_HOUR


def _written(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%MZ}"
