"""A process that does jobs under leases: takes them, holds them while it works, gives them back. I/O."""

from __future__ import annotations

import logging
import os
import platform
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import TracebackType
from typing import Final, Self

from aggregator.errors import LeaseHeld, StoreError
from aggregator.store import leases
from aggregator.store.engine import Store
from aggregator.store.leases import ALWAYS, Lease

LENGTH: Final = timedelta(seconds=15)
RENEWALS: Final = 3  # in the length of a lease: one may fail
log = logging.getLogger("netzlage.store")


class Holder:
    """Holds the leases of this process while it is open; threads may share it.

    length: for how long a job stays with a process that is silent. It is the same for all that share a store.
    """

    def __init__(self, store: Store, length: timedelta = LENGTH) -> None:
        self._store, self._length = store, length
        self.name = f"{platform.node()} {os.getpid()} {secrets.token_hex(4)}"
        self._held: dict[str, Lease] = {}
        self._lock, self._stopped = threading.Lock(), threading.Event()
        self._renewer: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def open(self) -> None:
        """Begin to renew what is held."""
        self._stopped.clear()
        self._renewer = threading.Thread(target=self._keep_renewing, name="leases", daemon=True)
        self._renewer.start()

    def close(self) -> None:
        """End; what is held must have been given back."""
        self._stopped.set()
        if self._renewer is not None:
            self._renewer.join()
            self._renewer = None

    @contextmanager
    def doing(self, name: str, every: timedelta = ALWAYS) -> Iterator[bool]:
        """Say whether the job `name` is ours for the block: then nothing in it is written that a successor should do.

        every: its pace; False where it is not due either. Asking costs one read where it is not ours.
        """
        lease = self._acquire(name, every)
        if lease is None:
            yield False
            return
        with self._lock:
            self._held[name] = lease
        try:
            with self._store.fenced(lease):
                yield True
        finally:
            with self._lock:
                del self._held[name]
            self._release(lease)

    def _acquire(self, name: str, every: timedelta) -> Lease | None:
        with self._store.read() as connection:
            if not leases.is_wanted(connection, name, self._length, every):
                return None
        with self._store.write(alone=False) as connection:
            return leases.acquire(connection, name, self.name, self._length, every)

    def _release(self, lease: Lease) -> None:
        """Give a job back; where the store does not answer it is free once its time is over."""
        try:
            with self._store.write(alone=False) as connection:
                leases.release(connection, lease, done=True)
        except StoreError as error:
            log.warning("%s cannot be given back: %s", lease.name, error)

    def _keep_renewing(self) -> None:
        while not self._stopped.wait(self._length.total_seconds() / RENEWALS):
            with self._lock:
                held = list(self._held.values())
            for lease in held:
                self._renew(lease)

    def _renew(self, lease: Lease) -> None:
        """Hold a job for longer. That it is lost already is told by what is written next, if anything is."""
        try:
            with self._store.write(alone=False) as connection:
                leases.renew(connection, lease, self._length)
        except StoreError as error:
            log.warning("%s cannot be held for longer: %s", lease.name, error)


@contextmanager
def alone(store: Store, name: str, what: str) -> Iterator[None]:
    """Do the job `name` once, whether or not it is due. what: it in words, for the LeaseHeld that says who does it."""
    with Holder(store) as holder, holder.doing(name) as ours:
        if not ours:
            raise LeaseHeld(_held_by(store, name, what))
        yield


def _held_by(store: Store, name: str, what: str) -> str:
    with store.read() as connection:
        found = leases.holding(connection, name)
    if found is None or not found.held:
        return "Another process did that a moment ago; try again."
    return (
        f"Another process ({found.holder}) {what} at this moment; "
        f"try again, at the latest in {found.seconds + 1:.0f} seconds if it has died."
    )
