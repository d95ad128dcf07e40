"""The figures of one process and of the store it shares with others, for /metrics. I/O."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from aggregator.errors import StoreError
from aggregator.instance import Instance
from aggregator.store import Connection, incidents, leases, outbox, work
from aggregator.store.intake import Intake

STATES: Final = ("suspected", "strong", "easing")
OUTCOMES: Final = ("kept", "duplicate", "rejected")


def registry_of(instance: Instance, intake: Intake) -> CollectorRegistry:
    """Return the registry of one app: memory, files and time of the process, its intake, and what the store holds."""
    registry = CollectorRegistry(auto_describe=False)
    ProcessCollector(registry=registry)
    registry.register(Taken(intake))
    registry.register(Stored(instance))
    return registry


class Taken:
    """What people sent to this process."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    def collect(self) -> Iterator[Metric]:
        """Yield the figures of the intake."""
        f = self._intake.figures()
        yield GaugeMetricFamily("netzlage_intake_waiting", "Reports that wait for a transaction.", f.waiting)
        yield CounterMetricFamily("netzlage_intake_commits", "Transactions of reports.", f.commits)
        yield GaugeMetricFamily("netzlage_intake_failing", "1 while reports cannot be stored.", int(bool(f.trouble)))
        sent = CounterMetricFamily("netzlage_sent_reports", "Reports of form and API.", labels=["outcome"])
        for outcome, number in {"kept": f.stored, "duplicate": f.duplicate, "refused": f.refused}.items():
            sent.add_metric([outcome], number)
        yield sent


class Stored:
    """What the store knows, the same in each process that shares it; 15 seconds apart it costs nothing."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance

    def collect(self) -> Iterator[Metric]:
        """Yield the figures, or only that the store does not answer."""
        now = self._instance.clock.now()
        try:
            with self._instance.store.read() as connection:
                found = list(_stored(connection, now))
        except StoreError:
            found = []
        yield GaugeMetricFamily("netzlage_store_up", "1 where the database answers.", int(bool(found)))
        yield from found


def _stored(connection: Connection, now: datetime) -> Iterator[Metric]:
    yield from _sources(connection, now)
    yield from _jobs(connection, now)
    states = work.going_on(connection)
    running = GaugeMetricFamily("netzlage_incidents_open", "Incidents that have not ended.", labels=["state"])
    for state in STATES:
        running.add_metric([state], states.get(state, 0))
    yield running
    waits = outbox.backlog(connection, now)
    yield GaugeMetricFamily("netzlage_alerts_waiting", "Alerts that are not sent yet.", waits.waiting)
    due = max(0.0, (now - waits.due_at).total_seconds()) if waits.due_at else 0.0
    yield GaugeMetricFamily("netzlage_alerts_overdue_seconds", "For how long the next alert is due.", due)
    last = incidents.last_look(connection)
    if last is not None:
        age = (now - last).total_seconds()
        yield GaugeMetricFamily("netzlage_detection_age_seconds", "Since the time last looked at.", age)


def _sources(connection: Connection, now: datetime) -> Iterator[Metric]:
    ages = GaugeMetricFamily("netzlage_feed_age_seconds", "Since a feed last answered.", labels=["feed"])
    brought = CounterMetricFamily("netzlage_feed_reports", "What feeds brought.", labels=["feed", "outcome"])
    hearings = CounterMetricFamily("netzlage_feed_hearings", "How often a feed was asked.", labels=["feed"])
    failures = CounterMetricFamily("netzlage_feed_failures", "How often it was not heard.", labels=["feed"])
    for feed, sums in work.sources(connection).items():
        if sums.heard_at is not None:
            ages.add_metric([feed], (now - sums.heard_at).total_seconds())
        for outcome in OUTCOMES:
            brought.add_metric([feed, outcome], getattr(sums, outcome))
        hearings.add_metric([feed], sums.hearings)
        failures.add_metric([feed], sums.failures)
    yield from (ages, brought, hearings, failures)


def _jobs(connection: Connection, now: datetime) -> Iterator[Metric]:
    last = GaugeMetricFamily("netzlage_job_last_seconds", "How long a job took last; refresh: a tick.", labels=["job"])
    age = GaugeMetricFamily("netzlage_job_age_seconds", "Since a job last ended.", labels=["job"])
    total = CounterMetricFamily("netzlage_job_seconds", "How long a job took in all.", labels=["job"])
    runs = CounterMetricFamily("netzlage_job_runs", "How often a job ran.", labels=["job"])
    failures = CounterMetricFamily("netzlage_job_failures", "How often it failed.", labels=["job"])
    for job, sums in work.jobs(connection).items():
        last.add_metric([job], sums.seconds)
        age.add_metric([job], (now - sums.ended_at).total_seconds())
        total.add_metric([job], sums.all_seconds)
        runs.add_metric([job], sums.runs)
        failures.add_metric([job], sums.failures)
    yield from (last, age, total, runs, failures)
    yield from _leases(connection)


def _leases(connection: Connection) -> Iterator[Metric]:
    """Yield which host does which job now; a job that is taken more often than it runs kills who does it."""
    taken = CounterMetricFamily("netzlage_job_taken", "How often a worker took a job upon itself.", labels=["job"])
    held = GaugeMetricFamily("netzlage_job_held", "1 while a host does a job.", labels=["job", "host"])
    for job in leases.all_of(connection):
        taken.add_metric([job.name], job.token)
        held.add_metric([job.name, job.holder.partition(" ")[0]], int(job.held))
    yield from (taken, held)
