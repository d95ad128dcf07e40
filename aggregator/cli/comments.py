"""`comments`: what people wrote with their reports, complained about, hidden, shown again. I/O."""

from __future__ import annotations

import click

from aggregator.cleaning import clean
from aggregator.cli.common import Options
from aggregator.clock import BERLIN
from aggregator.errors import NetzlageError
from aggregator.store import remarks
from aggregator.store.remarks import Remark


@click.group()
def comments() -> None:
    """Look after the comments of reports; readers see them only where publish_comments is on."""


@comments.command("list")
@click.option("--only", type=click.Choice(["complained", "hidden"]), help="Those complained about, or those hidden.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="How many, the newest first.")
@click.pass_obj
def list_comments(options: Options, only: str | None, limit: int) -> None:
    """Show comments: id, time, provider, district, state, text, and the last complaint."""
    with options.opened() as instance, instance.store.read() as connection:
        for remark in remarks.find(connection, only=only or "", limit=limit):
            place = instance.catalogue.region_name(remark.region) if remark.region else "-"
            click.echo(f"{remark.report_id} {_when(remark)} {remark.provider} {place}: {clean(remark.comment, 500)}")
            if not remark.shown or remark.complaints:
                click.echo(f"    {_state(remark)}")


def _when(remark: Remark) -> str:
    return f"{remark.observed_at.astimezone(BERLIN):%Y-%m-%d %H:%M}"


def _state(remark: Remark) -> str:
    seen = "shown" if remark.shown else "hidden"
    why = f", the last says: {clean(remark.reason, 200)}" if remark.reason else ""
    return f"{seen}, {remark.complaints} complaint{'s' * (remark.complaints != 1)}{why}"


@comments.command()
@click.argument("report_id")
@click.pass_obj
def hide(options: Options, report_id: str) -> None:
    """Hide the comment of a report from readers."""
    with options.opened() as instance, instance.store.write() as connection:
        if not remarks.hide(connection, report_id, instance.clock.now()):
            raise NetzlageError(f"There is no comment of a report {report_id}; see `netzlage comments list`.")
    click.echo(f"{report_id}: hidden")


@comments.command()
@click.argument("report_id")
@click.pass_obj
def show(options: Options, report_id: str) -> None:
    """Show a comment again; the complaints about it are put aside."""
    with options.opened() as instance, instance.store.write() as connection:
        if not remarks.show(connection, report_id):
            raise NetzlageError(f"There is no comment of a report {report_id}; see `netzlage comments list`.")
    click.echo(f"{report_id}: shown")
