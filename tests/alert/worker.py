"""A worker in a process of its own, for tests that kill it.

python -m tests.alert.worker FOLDER [dies] [short]

dies: kills itself between the claim and the first message. short: its claims hold three seconds only, so that a test
need not wait until those of a dead worker run out.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from datetime import timedelta
from pathlib import Path

from aggregator.alert import deliver
from aggregator.notices import Delivery, Notice
from tests.alert.scene import alerter, netzlage, now_of_life

SHORT = timedelta(seconds=3)


def die(delivery: Delivery) -> Notice | None:
    """End this process as a power cut does."""
    os.kill(os.getpid(), signal.SIGKILL)
    return None


def main() -> None:
    """Make passes until killed."""
    setattr(deliver, "FIRST", timedelta(seconds=1))  # noqa: B010 - a test need not wait as long as life
    work = alerter(now_of_life(netzlage(Path(sys.argv[1]))), lease=SHORT if "short" in sys.argv else deliver.LEASE)
    if "dies" in sys.argv:
        work._tell = die
    while True:
        work.run()
        time.sleep(0.1)


if __name__ == "__main__":
    main()
