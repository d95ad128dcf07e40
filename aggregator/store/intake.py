"""How what people send gets into the store: many in one transaction on SQLite, each in its own on PostgreSQL. I/O."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol

from sqlalchemy import Connection

from aggregator.errors import StoreBusy, StoreError
from aggregator.model import Report
from aggregator.record import End
from aggregator.store import ends, meta, reports
from aggregator.store.trouble import MISTAKES
from aggregator.store.waiting import Sent, Ticket, call_all

if TYPE_CHECKING:
    from aggregator.store.engine import Store

MOST: Final = 256  # that wait at a time; who comes then is asked to come again
SEATS: Final = 12  # of the 16 threads of the server that may wait for a writer that hangs: the others go on reading
HANGS: Final = 1.0  # seconds after which a transaction that is not through is no common one
PATIENCE: Final = 5.0  # seconds that anybody waits at most
AGAIN: Final = 1.0  # seconds between two tries of a writer that nobody waits for, while something is wrong
FRESH: Final = 60.0  # seconds for which a failure is told where nobody tries again by itself
LOCKED: Final = "the database is locked or its disk does not answer"
CLOSED: Final = "Netzlage is being stopped"
log = logging.getLogger("netzlage.store")


@dataclass(slots=True)
class Figures:
    """What an intake has done since it was opened, for those who measure it."""

    waiting: int = 0
    commits: int = 0
    stored: int = 0
    duplicate: int = 0
    refused: int = 0  # sent away unstored, by 503
    trouble: str = ""  # what is wrong, in words without paths; "": nothing


class Intake(Protocol):
    """Takes what people send, one at a time, and says what became of it after COMMIT only."""

    def take(self, sent: Sent) -> bool:
        """Store `sent` and return whether it was new; StoreBusy: not now, send it again."""

    def figures(self) -> Figures:
        """Return what it has done so far, and what is wrong."""

    def close(self) -> None:
        """Store what was taken and end; who comes later is sent away."""


def open_intake(store: Store) -> Intake:
    """Return the intake for this kind of database: PostgreSQL puts commits together by itself."""
    return Grouped(store) if store.is_sqlite else Direct(store)


def put(connection: Connection, some: Sequence[Sent]) -> list[bool]:
    """Store reports and ends in the order of their arrival and return of each whether it was new."""
    given = [sent for sent in some if isinstance(sent, Report)]
    new = {report.report_id for report in reports.add(connection, given).kept}
    return [_put_end(connection, sent) if isinstance(sent, End) else _was_first(new, sent) for sent in some]


def _put_end(connection: Connection, end: End) -> bool:
    return bool(ends.add(connection, [end]))


def _was_first(new: set[str], report: Report) -> bool:
    """Say whether `report` is the first of its id; the others of the group are the same sent again."""
    first = report.report_id in new
    new.discard(report.report_id)
    return first


class Ledger:
    """The figures, and the word to the log when something goes wrong and when it is over, not each time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._figures = Figures()

    def done(self, new: Sequence[bool]) -> None:
        """Count a transaction."""
        with self._lock:
            if self._figures.trouble:
                log.warning("Reports are stored again.")
            self._figures.trouble = ""
            self._figures.commits += 1
            self._figures.stored += sum(new)
            self._figures.duplicate += len(new) - sum(new)

    def refused(self) -> None:
        """Count one that was sent away."""
        with self._lock:
            self._figures.refused += 1

    def failed(self, error: StoreError) -> None:
        """Note what is wrong."""
        with self._lock:
            trouble = error.state or LOCKED
            if trouble != self._figures.trouble:
                log.error("Reports are not stored: %s", error)
            self._figures.trouble = trouble

    def figures(self, waiting: int = 0, trouble: str = "") -> Figures:
        """Return a copy; waiting and trouble: as the intake knows them."""
        with self._lock:
            f = self._figures
            return Figures(waiting, f.commits, f.stored, f.duplicate, f.refused, f.trouble or trouble)


class Direct:
    """Stores each in a transaction of its own, in the thread of who sends it."""

    def __init__(self, store: Store) -> None:
        self._store, self._ledger = store, Ledger()
        self._failed_at = float("-inf")

    def take(self, sent: Sent) -> bool:
        """Store `sent` and return whether it was new; StoreBusy: not now, send it again."""
        try:
            with self._store.write(alone=False) as connection:
                new = put(connection, [sent])
        except StoreError as error:
            self._failed_at = time.monotonic()
            self._ledger.failed(error)
            self._ledger.refused()
            raise StoreBusy(str(error)) from error
        self._ledger.done(new)
        return new[0]

    def figures(self) -> Figures:
        """Return what it has done so far, and what is wrong, or was within the last minute."""
        found = self._ledger.figures()
        return found if time.monotonic() - self._failed_at < FRESH else replace(found, trouble="")

    def close(self) -> None:
        """Nothing waits here."""


class Grouped:
    """One thread stores all that wait in one transaction; while it waits for the disk the next group gathers.

    What waits is taken over only once the transaction has begun: until then it can be sent away, surely unstored.
    """

    def __init__(self, store: Store, *, most: int = MOST, patience: float = PATIENCE) -> None:
        self._store, self._most, self._patience = store, most, patience
        self._ledger = Ledger()
        self._change = threading.Condition()
        self._waiting: list[Ticket] = []
        self._thread: threading.Thread | None = None
        self._closing = False
        self._hangs_since: float | None = None  # when the transaction began that is at work, or the first that failed

    def take(self, sent: Sent) -> bool:
        """Store `sent` and return whether it was new; StoreBusy: not now, send it again."""
        ticket = Ticket(sent)
        with self._change:
            self._admit()
            self._waiting.append(ticket)
            self._change.notify()
        try:
            self._wait(ticket)
        finally:
            ticket.leave()
        if ticket.error is not None:
            raise ticket.error
        return ticket.new

    def _wait(self, ticket: Ticket) -> None:
        if not ticket.wait(min(HANGS, self._patience)) and not self._is_seated(ticket):
            self._give_up(ticket)
        if not ticket.wait(self._patience - HANGS):
            self._give_up(ticket)

    def figures(self) -> Figures:
        """Return what it has done so far, and what is wrong."""
        with self._change:
            return self._ledger.figures(len(self._waiting), LOCKED if self._hangs() > self._patience else "")

    def close(self) -> None:
        """Store what was taken and end; who comes later is sent away."""
        with self._change:
            self._closing = True
            self._change.notify()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _admit(self) -> None:
        """Let one more wait, or raise StoreBusy: nobody waits long for what hangs."""
        if not self._closing and (self._thread is None or not self._thread.is_alive()):
            self._thread = threading.Thread(target=self._work, name="intake", daemon=True)
            self._thread.start()
        hangs, waiting = self._hangs(), len(self._waiting)
        full = waiting >= self._most or (hangs > HANGS and waiting >= SEATS)
        if self._closing or full or hangs > self._patience:
            raise self._busy()

    def _busy(self) -> StoreBusy:
        self._ledger.refused()
        return StoreBusy(CLOSED if self._closing else self._ledger.figures(trouble=LOCKED).trouble)

    def _hangs(self) -> float:
        return 0.0 if self._hangs_since is None else time.monotonic() - self._hangs_since

    def _is_seated(self, ticket: Ticket) -> bool:
        with self._change:
            return ticket not in self._waiting[SEATS:]

    def _give_up(self, ticket: Ticket) -> None:
        """Raise StoreBusy, unless it was settled at the last moment.

        One that is being stored just now may be stored all the same; sent again it counts once.
        """
        with self._change:
            if ticket.is_settled:
                return
            if ticket in self._waiting:
                self._waiting.remove(ticket)
            raise self._busy()

    def _work(self) -> None:
        while self._is_needed():
            self._store_all()

    def _is_needed(self) -> bool:
        """Wait until there is something to do, while something is wrong a moment only; False: it is time to end."""
        with self._change:
            trouble = self._hangs_since is not None
            self._change.wait_for(lambda: self._waiting or self._closing, AGAIN if trouble else None)
            return bool(self._waiting) or not self._closing

    def _store_all(self) -> None:
        """Store all that wait by now; without any, try whether the database takes something again."""
        if self._hangs_since is None:
            self._hangs_since = time.monotonic()
        group: list[Ticket] = []
        try:
            with self._store.write() as connection:
                group += self._taken_over()
                if not group:
                    meta.put(connection, "tried", "")
                new = put(connection, [ticket.sent for ticket in group])
        except StoreError as error:
            self._failed(group or self._taken_over(), error)
        except MISTAKES as error:
            self._each_alone(group, error)
        else:
            self._stored(group, new)

    def _taken_over(self) -> list[Ticket]:
        with self._change:
            group, self._waiting = self._waiting, []
            return group

    def _stored(self, group: Sequence[Ticket], new: Sequence[bool]) -> None:
        self._hangs_since = None
        self._ledger.done(new)
        for ticket, is_new in zip(group, new, strict=True):
            ticket.settle(is_new)
        call_all(group)

    def _failed(self, group: Sequence[Ticket], error: StoreError) -> None:
        self._ledger.failed(error)
        for ticket in group:
            self._ledger.refused()
            ticket.settle(error=StoreBusy(error.state or LOCKED))
        call_all(group)

    def _each_alone(self, group: Sequence[Ticket], error: Exception) -> None:
        """Find out which one of a group cannot be stored; the others are not to suffer from it."""
        if len(group) <= 1:
            self._hangs_since = None
            for ticket in group:
                ticket.settle(error=error)
            call_all(group)
            return
        for ticket in group:
            try:
                with self._store.write() as connection:
                    new = put(connection, [ticket.sent])
            except StoreError as trouble:
                self._failed([ticket], trouble)
            except MISTAKES as mistake:
                self._hangs_since = None
                ticket.settle(error=mistake)
                call_all([ticket])
            else:
                self._stored([ticket], new)
