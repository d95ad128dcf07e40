"""The schedule: every feed at its own pace, detection each minute, alerts every few seconds; shared by workers. I/O."""

from __future__ import annotations

import logging
import math
import platform
import random
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Final

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.triggers.interval import IntervalTrigger

from aggregator.alert.deliver import EVERY, Alerter
from aggregator.calibration import Calibrator
from aggregator.dayfiles import close_days
from aggregator.errors import LeaseLost, NetzlageError, StoreError
from aggregator.instance import Instance
from aggregator.outbound.client import Outbound
from aggregator.outbound.pace import is_due
from aggregator.retention import forget, make_room
from aggregator.store import feeds as states
from aggregator.store import work as sums
from aggregator.store.holder import LENGTH, Holder
from ingest.feed import Feed
from ingest.runner import run_feed
from ingest.steadfast import SteadfastScheduler

REFRESH: Final = timedelta(minutes=1)
RETAIN: Final = timedelta(hours=1)  # how often it is looked what may not be kept longer
CLOSE: Final = timedelta(hours=1)
DAYS: Final = 7  # closed at a time: a store with years behind it is not at work for hours
CALIBRATE: Final = timedelta(hours=1)  # how often it is looked whether it is time to calibrate
FEED: Final = "feed "
HEARINGS: Final = 16  # feeds that are heard at a time: so many slow ones would have to come together to delay another
SHORTEST: Final = timedelta(seconds=0.5)  # of life between two runs of a job, however fast a simulated clock is
LOOK: Final = timedelta(seconds=5)  # at most between two looks whether a job is due that another worker may have done
EARLY: Final = 0.1  # of its pace that a job may come too soon: looks are not on the dot
LATE: Final = 3600  # seconds after which a run that was missed (a laptop asleep) is left out
log = logging.getLogger("netzlage.ingest")


@dataclass(frozen=True, slots=True)
class Job:
    """One job: its pace in seconds of life, what it does, whether there is anything to do; lease: its name there."""

    name: str
    every: timedelta
    work: Callable[[], object]
    is_wanted: Callable[[], bool] = lambda: True
    lease: str = ""

    @property
    def look(self) -> timedelta:
        """How often it is looked whether it is due: a whole number of times in its pace, to come on the dot."""
        return self.every / math.ceil(self.every / LOOK)

    @property
    def pace(self) -> timedelta:
        """How long after its last beginning it is due."""
        return self.every - min(self.look / 2, self.every * EARLY)


class Worker:
    """Runs the enabled feeds and `refresh` in the background, in threads of this process.

    Any number of workers may share a store: each job is done under a lease of its own, by whoever finds it due first,
    and what is due is judged from the store. `_run` is the one place where leases are taken.

    speed: of a simulated clock; the intervals are its seconds. chance: 0 to 1, of the pauses after failures.
    calibrator: None where thresholds come with the data; alerter: None where nobody is told. every: of `refresh`;
    length: of the leases.
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
        every: timedelta = REFRESH,
        length: timedelta = LENGTH,
    ) -> None:
        self._instance, self._outbound = instance, outbound or Outbound()
        self._holder = Holder(instance.store, length)
        self._scheduler = SteadfastScheduler(
            self._instance.clock,
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
        self._jobs: list[Job] = []
        self._troubles: dict[str, str] = {}  # of each job: what was last told of it
        for feed in feeds:
            if feed.enabled:
                self._add(f"{FEED}{feed.name}", feed.every, self._hear(feed))
        self._add("retention", RETAIN, self._forget, executor="own")
        self._first = self._jobs.copy()
        self._add("refresh", every, refresh, executor="own")
        # the files lie on the disk of the host: each has its own
        self._add("day files", CLOSE, self._close_days, executor="calibration", lease=f"day files {platform.node()}")
        self._calibrator = calibrator
        if calibrator:
            self._add("calibrate", CALIBRATE, calibrator.run, executor="calibration")
        self._alerter = alerter
        if alerter:
            self._add("alerts", EVERY, alerter.run, executor="alerts", is_wanted=alerter.is_wanted)

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
        now = self._instance.clock.now()
        make_room(self._instance.store, now)
        forget(self._instance.store, now, keep_reports=self._instance.settings.keep_reports)

    def _add(
        self,
        name: str,
        every: timedelta,
        work: Callable[[], object],
        executor: str = "default",
        *,
        is_wanted: Callable[[], bool] = lambda: True,
        lease: str = "",
    ) -> None:
        job = Job(name, max(SHORTEST, every / self._speed), work, is_wanted, lease or name)
        self._jobs.append(job)
        trigger = IntervalTrigger(seconds=job.look.total_seconds(), timezone=UTC)
        self._scheduler.add_job(self._run, trigger, args=(job,), id=name, name=name, executor=executor)

    def _run(self, job: Job) -> None:
        """Do a job if it is due and nobody else does it."""
        try:
            if not job.is_wanted():
                return self._say(job, "")
            with self._holder.doing(job.lease, job.pace) as ours:
                if ours:
                    self._do(job)
            self._say(job, "")
        except LeaseLost as error:  # we were silent for too long: a successor does it
            log.warning("%s", error)
        except NetzlageError as error:  # a store that is full or locked: told, and tried again at the next turn
            self._say(job, str(error))

    def _say(self, job: Job, trouble: str) -> None:
        """Tell the log of a trouble when it begins, changes and ends, not at each turn."""
        before = self._troubles.get(job.name, "")
        if trouble == before:
            return
        self._troubles[job.name] = trouble
        if trouble:
            log.error("%s: %s", job.name, trouble)
        else:
            log.warning("%s: goes on.", job.name)

    def _do(self, job: Job) -> None:
        """Do a job and add it to the sums, where it is not a hearing: these have sums of their own."""
        began, failed = time.perf_counter(), True
        try:
            job.work()
            failed = False
        finally:
            if not job.name.startswith(FEED):
                self._note(job, time.perf_counter() - began, failed=failed)

    def _note(self, job: Job, seconds: float, *, failed: bool) -> None:
        with suppress(StoreError), self._instance.store.write() as connection:
            sums.done(connection, job.name, self._instance.clock.now(), seconds, failed=failed)

    @property
    def jobs(self) -> dict[str, timedelta]:
        """The jobs by name, with the real time between two of their runs."""
        return {job.name: job.every for job in self._jobs}

    def start(self) -> None:
        """Begin: feeds that are due at once, and each job from then on whenever it is due."""
        self._holder.open()
        for job in self._first:
            self._scheduler.add_job(self._run, args=(job,), id=f"first {job.name}")
        self._scheduler.start()

    def stop(self) -> None:
        """End, after the jobs that are running have ended; a calibration is given up, an alert on its way is not.

        Each job is given back when it has ended: another worker need not wait for its lease to run out.
        """
        if self._calibrator:
            self._calibrator.stop()
        if self._alerter:
            self._alerter.stop()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)
            self._holder.close()
