"""`worker`: the schedule that hears the feeds, looks for clusters and sends alerts. I/O."""

from __future__ import annotations

import click

from aggregator.alert.deliver import Alerter, Tell
from aggregator.calibration import Calibrator
from aggregator.cli.common import Options, settle
from aggregator.cli.serve import running
from aggregator.cli.stopping import stopped_by_signal, stopped_when_let_go
from aggregator.instance import Instance
from aggregator.refresh import Detection
from aggregator.web import create_app
from aggregator.web.telling import teller
from ingest.feed import Feed
from ingest.scheduler import Worker


@click.command()
@click.option("--leash", is_flag=True, hidden=True, help="End, too, when standard input does.")
@click.pass_obj
def worker(options: Options, leash: bool) -> None:
    """Hear the feeds and look for clusters, without the site, until stopped."""
    with running(options) as (instance, feeds), stopped_by_signal() as stop:
        if leash:
            stopped_when_let_go(stop)
        work = _worker(instance, feeds, teller(create_app(instance)))
        click.echo(f"{len(work.jobs)} jobs: {', '.join(sorted(work.jobs))}")
        settle()
        work.start()
        try:
            stop.wait()
            click.echo("Stopping.")
        finally:
            work.stop()


def _worker(instance: Instance, feeds: list[Feed], tell: Tell) -> Worker:
    alerter = Alerter(instance, tell)
    return Worker(instance, feeds, Detection(instance).refresh, calibrator=Calibrator(instance), alerter=alerter)
