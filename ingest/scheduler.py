"""The schedule: every feed at its own pace, detection each minute, alerts every few seconds. I/O."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Sequence
from datetime import UTC, timedelta
from typing import Final

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from aggregator.alert.deliver import EVERY, Alerter
from aggregator.calibration import Calibrator
from aggregator.dayfiles import close_days
from aggregator.errors import NetzlageError
from aggregator.instance import Instance
from aggregator.outbound.client import Outbound
from aggregator.outbound.pace import is_due
from aggregator.retention import forget
from aggregator.store import feeds as states
from ingest.feed import Feed
from ingest.runner import run_feed

REFRESH: Final = timedelta(minutes=1)
RETAIN: Final = timedelta(hours=1)  # how often it is looked what may not be kept longer
CLOSE: Final = timedelta(hours=1)
DAYS: Final = 7  # closed at a time: a store with years behind it is not at work for hours
CALIBRATE: Final = timedelta(hours=1)  # how often it is looked whether it is time to calibrate
HEARINGS: Final = 16  # feeds that are heard at a time: so many slow ones would have to come together to delay another
SHORTEST: Final = 0.5  # real seconds between two runs of a job, however fast a simulated clock is
LATE: Final = 3600  # seconds after which a run that was missed (a laptop asleep) is left out
log = logging.getLogger("netzlage.ingest")


class Worker:
    """Runs the enabled feeds and `refresh` in the background, in threads of this process.

    speed: of a simulated clock; the intervals are its seconds. chance: 0 to 1, of the pauses after failures.
    calibrator: None where thresholds come with the data; alerter: None where nobody is told. Jobs are idempotent and
    never overlap themselves, so that a lease can be put round `_run` where several processes share a store.
    """

    def __init__(
        self,
        instance: Instance,
        feeds: Sequence[Feed],
        refresh: Callable[[], object],
        *,
        outbound: Outbound | None = None,
        speed: float = 1.0,
        chance: Callable[[], float] = random.random,
        calibrator: Calibrator | None = None,
        alerter: Alerter | None = None,
    ) -> None:
        self._instance, self._refresh, self._outbound = instance, refresh, outbound or Outbound()
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={
                "default": ThreadPoolExecutor(HEARINGS),
                "own": ThreadPoolExecutor(2),
                "calibration": ThreadPoolExecutor(1),
                "alerts": ThreadPoolExecutor(1),
            },
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": LATE},
        )
        self._speed = speed
        self._chance = chance
        hearings = [(feed, self._hear(feed)) for feed in feeds if feed.enabled]
        self._first = [(f"feed {feed.name}", work) for feed, work in hearings]
        self._first.append(("retention", self._forget))
        for feed, work in hearings:
            self._add(f"feed {feed.name}", feed.every, work)
        self._add("refresh", REFRESH, refresh, executor="own")
        self._add("retention", RETAIN, self._forget, executor="own")
        self._add("day files", CLOSE, self._close_days, executor="calibration")
        self._calibrator = calibrator
        if calibrator:
            self._add("calibrate", CALIBRATE, calibrator.run, executor="calibration")
        self._alerter = alerter
        if alerter:
            self._add("alerts", EVERY, alerter.run, executor="alerts")

    def _close_days(self) -> None:
        close_days(self._instance, at_once=DAYS)

    def _hear(self, feed: Feed) -> Callable[[], object]:
        return lambda: self._hear_if_due(feed)

    def _hear_if_due(self, feed: Feed) -> None:
        """Hear a feed, unless it fails and is left alone for now."""
        with self._instance.store.read() as connection:
            state = states.state(connection, feed.name)
        if is_due(state, self._instance.clock.now()):
            run_feed(self._instance, feed, self._outbound, chance=self._chance())

    def _forget(self) -> None:
        forget(self._instance.store, self._instance.clock.now())

    def _add(self, name: str, every: timedelta, work: Callable[[], object], executor: str = "default") -> None:
        seconds = max(SHORTEST, every.total_seconds() / self._speed)
        trigger = IntervalTrigger(seconds=seconds, timezone=UTC)
        self._scheduler.add_job(self._run, trigger, args=(name, work), id=name, name=name, executor=executor)

    def _run(self, name: str, work: Callable[[], object]) -> None:
        try:
            work()
        except NetzlageError as error:  # a store that is full or locked: told, and tried again at the next turn
            log.error("%s: %s", name, error)

    @property
    def jobs(self) -> dict[str, timedelta]:
        """The jobs by name, with the real time between two of their runs."""
        return {job.id: job.trigger.interval for job in self._scheduler.get_jobs()}

    def start(self) -> None:
        """Begin: each feed at once, and from then on each job after its interval."""
        for name, work in self._first:
            self._scheduler.add_job(self._run, args=(name, work), id=f"first {name}")
        self._scheduler.start()

    def stop(self) -> None:
        """End, after the jobs that are running have ended; a calibration is given up, an alert on its way is not."""
        if self._calibrator:
            self._calibrator.stop()
        if self._alerter:
            self._alerter.stop()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)
