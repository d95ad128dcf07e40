"""What a request needs at hand: the running Netzlage, and which sources may be given on. I/O."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, cast

from flask import Flask, current_app, request
from prometheus_client import CollectorRegistry

from aggregator.catalogue import Catalogue
from aggregator.clock import BERLIN
from aggregator.errors import StoreBusy
from aggregator.instance import Instance
from aggregator.model import Provider
from aggregator.store import Connection, names, sources
from aggregator.store.intake import Direct, Intake
from aggregator.web.crowd import Seats
from aggregator.web.figured import registry_of
from aggregator.web.limits import Limits

KEY: Final = "netzlage"
WRITERS: Final = 4  # of the 16 threads of the server that may wait for a store that hangs, beside reports


def _seats() -> threading.BoundedSemaphore:
    return threading.BoundedSemaphore(WRITERS)


@dataclass(frozen=True, slots=True)
class Desk:
    """What create_app lays ready."""

    instance: Instance
    limits: Limits
    intake: Intake
    registry: CollectorRegistry
    exports: Seats = field(default_factory=Seats)
    writers: threading.BoundedSemaphore = field(default_factory=_seats)


def lay(app: Flask, instance: Instance, intake: Intake | None = None) -> Desk:
    """Return the desk of an app; without an intake each report is stored in the thread of its request."""
    taking = intake or Direct(instance.store)
    return Desk(instance, Limits(app, instance), taking, registry_of(instance, taking))


def desk() -> Desk:
    """Return the desk of the app that answers the present request."""
    return cast(Desk, current_app.extensions[KEY])


def instance() -> Instance:
    """Return the running Netzlage of the present request."""
    return desk().instance


@contextmanager
def writing() -> Iterator[Connection]:
    """Give a transaction for what people send beside reports; StoreBusy at once where it would wait in vain."""
    trouble, seats = desk().intake.figures().trouble, desk().writers
    if trouble or not seats.acquire(blocking=False):
        raise StoreBusy(trouble or "too many want to write")
    try:
        with instance().store.write() as connection:
            yield connection
    finally:
        seats.release()


def with_names(connection: Connection, catalogue: Catalogue) -> Catalogue:
    """Return the catalogue with the names of the providers that only open feeds name."""
    known = catalogue.providers
    more = {i: Provider(i, name, listed=False) for i, name in names.all(connection).items() if i not in known}
    return replace(catalogue, providers={**known, **more}) if more else catalogue


def facts() -> Catalogue:
    """Return the catalogue with all names; for who reads the store for nothing else."""
    with instance().store.read() as connection:
        return with_names(connection, instance().catalogue)


def now() -> datetime:
    """Return the present of its clock, aware, UTC."""
    return instance().clock.now()


def given_on(table: str) -> Sequence[str] | None:
    """Return the sources of which the rows of `table` may be given on; None: all."""
    with instance().store.read() as connection:
        return sources.given_on(connection, table)


def home() -> str:
    """Return the address of the site as others see it, without a slash at its end."""
    return instance().settings.base_url or request.url_root.rstrip("/")


def local(moment: datetime) -> datetime:
    """Return the moment in German time."""
    return moment.astimezone(BERLIN)
