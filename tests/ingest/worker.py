"""A worker in a process of its own, for tests that kill it, pause it or cut it off.

python -m tests.ingest.worker LOOKS [EVERY] [LENGTH]

Settings come from the environment. Once it has begun it says "working", when, and which process it is. LOOKS: a file to
which each look that was stored adds a line: when it began and ended (seconds since this machine was started) and the
process. EVERY: seconds between two looks; LENGTH: of a lease.
"""

from __future__ import annotations

import os
import sys
import time
from datetime import timedelta
from pathlib import Path

from aggregator.alert.deliver import Alerter
from aggregator.alert.means import means_of
from aggregator.cli.stopping import stopped_by_signal
from aggregator.clock import SystemClock
from aggregator.instance import open_instance
from aggregator.outbound.client import Outbound
from aggregator.refresh import Detection
from aggregator.settings import load_settings
from aggregator.web import create_app
from aggregator.web.telling import teller
from ingest.feed import load_feeds
from ingest.scheduler import Worker


def main() -> None:
    """Work until told to stop."""
    looks, every, length = Path(sys.argv[1]), *(timedelta(seconds=float(word)) for word in sys.argv[2:4])
    instance = open_instance(load_settings(None, os.environ), SystemClock())
    detection = Detection(instance)
    near = Outbound(allowed=lambda address: True, pause=0)

    def look() -> None:
        began = time.monotonic()
        detection.refresh()
        with looks.open("a", encoding="utf-8") as file:
            file.write(f"{began} {time.monotonic()} {os.getpid()}\n")

    alerter = Alerter(instance, teller(create_app(instance)), means=means_of(instance, near))
    feeds = load_feeds(instance.settings.feeds) if instance.settings.feeds else []
    work = Worker(instance, feeds, look, outbound=near, alerter=alerter, every=every, length=length)
    with stopped_by_signal() as stop:
        work.start()
        print("working", time.monotonic(), os.getpid(), flush=True)
        stop.wait()
    work.stop()
    instance.store.close()


if __name__ == "__main__":
    main()
