"""APScheduler, for a host whose clock may be set back: what was planned by the old time would wait for it to return."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Final

from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.base import STATE_STOPPED

from aggregator.clock import Clock

SLACK: Final = timedelta(seconds=1)


class SteadfastScheduler(BackgroundScheduler):  # type: ignore[misc]
    """Runs a job at once that is planned later than its interval from now: only a clock that was set back does that.

    A clock that is set ahead does no harm: what is due by then runs once.
    """

    def __init__(self, clock: Clock, **options: object) -> None:
        # else a line for each turn that finds its job still at work: for all jobs, while a database is away
        logging.getLogger("apscheduler.scheduler").setLevel(logging.ERROR)
        self._clock = clock  # jobs are planned by that of the world: a simulated one says nothing of them
        super().__init__(**options)

    def _process_jobs(self) -> float | None:
        if not self._clock.simulated:
            self._hurry()
        wait: float | None = super()._process_jobs()
        return wait

    def _hurry(self) -> None:
        now = self._clock.now()
        for job in self.get_jobs():
            interval = getattr(job.trigger, "interval", None)
            if interval is not None and job.next_run_time and job.next_run_time - now > interval + SLACK:
                job.modify(next_run_time=now)

    def remove_job(self, job_id: str, jobstore: str | None = None) -> None:
        """Remove a job; one that is done once and begins while the scheduler is told to end is gone with it."""
        try:
            super().remove_job(job_id, jobstore)
        except JobLookupError:
            if self.state != STATE_STOPPED:
                raise
