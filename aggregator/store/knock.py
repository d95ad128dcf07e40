"""A server to which there is no way is asked by one at a time; nobody else waits for the same answer. I/O.

Whoever is cut off from it waits for seconds before that is told. If each request did so, all threads of a site would be
waiting, and what needs no database would wait for them. A server that refuses at once is asked each time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Engine, event

SLOW: Final = 0.5  # seconds from which on an answer was waited for
PAUSE: Final = 2.0  # seconds before it is asked again


class Knock:
    """Makes the connections to one server; threads may share it."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic, self._lock = monotonic, threading.Lock()
        self._why: Exception | None = None  # there was no way to it, when it was last asked
        self._asking, self._again = False, 0.0

    def connect(self, dialect: Any, _record: object, words: Any, named: Any) -> Any:
        """Return a new connection; what SQLAlchemy calls for one. Raises what the driver raised, or did of late."""
        why = self._shut()
        if why is not None:
            raise type(why)(*why.args)
        began, failed = self._monotonic(), None
        try:
            return dialect.connect(*words, **named)
        except dialect.loaded_dbapi.OperationalError as error:
            failed = error
            raise
        finally:
            self._note(failed, self._monotonic() - began)

    def _shut(self) -> Exception | None:
        """Return why it is not to be asked now; None: it is, by who called."""
        with self._lock:
            if self._why is not None and (self._asking or self._monotonic() < self._again):
                return self._why
            self._asking = True
            return None

    def _note(self, failed: Exception | None, seconds: float) -> None:
        with self._lock:
            self._asking = False
            self._why = failed if seconds >= SLOW else None
            self._again = self._monotonic() + PAUSE


def by_one(engine: Engine) -> None:
    """Let the connections of `engine` be made so."""
    event.listen(engine, "do_connect", Knock().connect)
