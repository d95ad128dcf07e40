"""`migrate-store`: from SQLite to PostgreSQL, without a pause to speak of. I/O."""

from __future__ import annotations

import click

from aggregator.cli.keep import step, told
from aggregator.errors import NetzlageError
from aggregator.store.copying import move


@click.command("migrate-store")
@click.argument("source", metavar="SQLITE_URL")
@click.argument("target", metavar="POSTGRES_URL")
@click.option("--give-up", is_flag=True, help="Stop moving: the old database is used as before, the new one is not.")
def migrate_store(source: str, target: str, give_up: bool) -> None:
    """Move what is in SQLITE_URL to the empty POSTGRES_URL while the service runs; run again, it goes on."""
    if give_up:
        if not move.give_up(source):
            raise NetzlageError("There is no move to give up; the database is used as before.")
        click.echo("The old database is used as before. Empty the new one before you move again.")
        return
    try:
        found = move.move(source, target, step)
    except KeyboardInterrupt:
        raise NetzlageError("Stopped; run the same command again, it goes on where it was.") from None
    click.echo(f"Moved: {told(found.rows)}, {sum(found.rows.values()):,} rows in {len(found.rows)} tables, compared.")
    click.echo(f"The cube sums up to {found.cube}, reports that count: {found.counted}.")
    click.echo("The old database takes nothing in any more; set `database` to the new one and start again.")
