"""`backup` and `restore`: everything the store holds, in one file and back. I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click

from aggregator import backups
from aggregator.cli.common import Options, progress
from aggregator.clock import BERLIN, SystemClock
from aggregator.store.copying.rows import Passed

FILE: Final = click.Path(dir_okay=False, path_type=Path)
LABELS: Final = {
    "copy": "Copying",
    "checksum": "Checksum",
    "pack": "Packing",
    "unpack": "Unpacking",
    "put back": "Putting back",
    "compare": "Comparing",
}
TOLD: Final = ("reports", "incidents", "statements", "comments", "subscriptions")


@click.command()
@click.argument("file", type=FILE)
@click.pass_obj
def backup(options: Options, file: Path) -> None:
    """Write everything the store holds to FILE, also while the service runs.

    Not in it: the keys persons are hashed with, the secret key (a file of home, keep that apart) and what is made again
    from the store, such as day files. A backup does not forget: delete those you need no longer.
    """
    with options.opened() as instance:
        made = backups.backup(instance.store, file, instance.clock.now(), step)
    size = file.stat().st_size
    click.echo(f"{file}: {size / 1e6:.1f} MB, schema {made.schema}, {told(made.rows)}")
    click.echo("It does not forget what the store forgets; delete old backups.")


@click.command()
@click.argument("file", type=FILE)
@click.option("--replace", is_flag=True, help="Take the place of what is there; an SQLite file is kept aside.")
@click.pass_obj
def restore(options: Options, file: Path, replace: bool) -> None:
    """Put the backup FILE back, checked first, and forget what is due; stop the service before."""
    settings = options.settings()
    settings.home.mkdir(parents=True, exist_ok=True)
    found = backups.restore(file, settings.database, SystemClock().now(), over=replace, steps=step)
    click.echo(f"Put back as of {found.manifest.when.astimezone(BERLIN):%Y-%m-%d %H:%M}: {told(found.rows)}")
    click.echo(f"The cube sums up to {found.cube}, reports that count: {found.counted}.")
    gone = found.forgotten
    click.echo(
        f"Forgotten since then: {gone.reporters} reporters, {gone.blocks} address blocks, {gone.places} places, "
        f"{gone.comments} comments, {gone.payloads + gone.rejected} items of feeds."
    )
    if found.former:
        click.echo(f"What was there before is {found.former}; delete it when you need it no longer.")


def told(rows: Mapping[str, int]) -> str:
    """Return the numbers that people ask for first."""
    return ", ".join(f"{rows.get(name, 0):,} {name}" for name in TOLD)


@contextmanager
def step(name: str) -> Iterator[Passed]:
    """Draw a bar for a part of the work."""
    with progress((), LABELS[name], length=1) as bar:

        def passed(done: int, total: int) -> None:
            bar.length = max(total, 1)
            bar.update(done - bar.pos)

        yield passed
