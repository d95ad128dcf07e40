"""What a request needs at hand: the running Netzlage, and which sources may be given on. I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, cast

from flask import current_app, request

from aggregator.clock import BERLIN
from aggregator.instance import Instance
from aggregator.web.limits import Limits

KEY: Final = "netzlage"
OWN: Final = ("form", "api", "import")  # what people told us ourselves
ENOUGH: Final[Mapping[str, frozenset[str]]] = {"reports": frozenset({"rows"}), "cube": frozenset({"rows", "counts"})}


@dataclass(frozen=True, slots=True)
class Source:
    """A feed as its stanza describes it to readers; `republish`: what of it may be given on."""

    name: str
    kind: str = "reports"
    url: str = ""
    licence: str = ""
    note: str = ""
    republish: Literal["none", "counts", "rows"] = "none"


@dataclass(frozen=True, slots=True)
class Desk:
    """What create_app lays ready. sources None: nothing is known of them, everything may be given on."""

    instance: Instance
    sources: tuple[Source, ...] | None
    limits: Limits


def lay(instance: Instance, sources: Iterable[Source] | None) -> Desk:
    """Return the desk of an app."""
    return Desk(instance, None if sources is None else tuple(sources), Limits(instance.settings.rate_limits))


def desk() -> Desk:
    """Return the desk of the app that answers the present request."""
    return cast(Desk, current_app.extensions[KEY])


def instance() -> Instance:
    """Return the running Netzlage of the present request."""
    return desk().instance


def now() -> datetime:
    """Return the present of its clock, aware, UTC."""
    return instance().clock.now()


def given_on(table: str) -> Sequence[str] | None:
    """Return the sources of which the rows of `table` may be given on; None: all."""
    sources, enough = desk().sources, ENOUGH.get(table)
    if sources is None or enough is None:
        return None
    return [*OWN, *(source.name for source in sources if source.republish in enough)]


def address() -> str:
    """Return the address of who asks, for hashing and counting at once; "" where it is unknown."""
    return request.remote_addr or ""


def person() -> str:
    """Return address and browser of who asks: hashed at the door, never kept."""
    return f"{address()}\x1f{request.user_agent.string[:300]}"


def local(moment: datetime) -> datetime:
    """Return the moment in German time."""
    return moment.astimezone(BERLIN)
