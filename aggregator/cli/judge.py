"""`incident judge`: what an alarm turned out to be, by a person's word. I/O."""

from __future__ import annotations

from typing import get_args

import click

from aggregator.balance import put_judgement
from aggregator.cli.common import Options
from aggregator.cli.words import incident
from aggregator.clock import BERLIN
from aggregator.record import Outcome

__all__ = ["incident", "judge"]


@incident.command()
@click.argument("incident_id")
@click.argument("outcome", type=click.Choice(get_args(Outcome)))
@click.argument("text")
@click.pass_obj
def judge(options: Options, incident_id: str, outcome: str, text: str) -> None:
    """Put on record what an alarm turned out to be; TEXT is the evidence. The last judgement holds, all are kept."""
    instance = options.open()
    try:
        done = put_judgement(instance, incident_id, outcome, text, author="command")
    finally:
        instance.store.close()
    click.echo(f"{incident_id}: {done.outcome}, {done.at.astimezone(BERLIN):%Y-%m-%d %H:%M}")
