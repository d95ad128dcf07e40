"""The worker beside the site: a process of its own, which ends with the site and is started again when it dies. I/O.

Neither has the other's memory, nor waits for the other's interpreter while a detection pass goes on. What holds them
together is the standard input of the worker: nothing is ever said there, and it ends with the site, however that ends.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from typing import Final

from aggregator.cli.common import Options

NETZLAGE: Final = (sys.executable, "-P", "-m", "aggregator.cli")
PAUSE: Final = 30.0  # seconds at least between two starts
log = logging.getLogger("netzlage.crew")


class Crew:
    """The process of `netzlage worker`, with the same settings, folder and environment as this one."""

    def __init__(self, options: Options) -> None:
        config = ["--config", str(options.config)] if options.config else []
        debug = ["--debug"] if logging.getLogger().level == logging.DEBUG else []
        self._command = [*NETZLAGE, *config, *debug, "worker", "--leash"]
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0

    def start(self) -> None:
        """Start it. Ctrl-C does not reach it: it is told by us."""
        self._started = time.monotonic()
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            self._command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, process_group=0
        )

    def look(self) -> None:
        """Start it again where it has died, after a pause if it did not live long."""
        status = self._process.poll() if self._process else None
        if status is None or time.monotonic() - self._started < PAUSE:
            return
        log.error("the worker ended with status %d; it is started again", status)
        self.stop()  # its end of the line is open yet
        try:
            self.start()
        except OSError as error:  # no memory, no process left: at the next turn
            log.error("the worker cannot be started: %s", error.strerror)

    def stop(self) -> None:
        """Let it end what it has in hand, and return when it has."""
        if self._process:
            self._process.communicate()  # which closes its standard input
