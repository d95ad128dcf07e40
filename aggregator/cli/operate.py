"""Commands for whoever runs a Netzlage: is everything as it should be, and if not, what to do. I/O."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import click

from aggregator.catalogue import data_folder, load_catalogue
from aggregator.cli.checks import (
    check_backup,
    check_clock,
    check_hosts,
    check_limits,
    check_room,
    check_secrets,
    check_site,
)
from aggregator.cli.common import Options
from aggregator.cli.stanzas import feeds_of
from aggregator.cli.tell import check_alerts
from aggregator.errors import DataError, NetzlageError, SettingsError
from aggregator.imprint import warning
from aggregator.settings import TABLE, Settings, shown
from aggregator.store.checkup import check_up

LEAST_SPACE: Final = 200_000_000  # bytes: below it a write-ahead log or a backup may not fit


@click.command()
@click.pass_obj
def doctor(options: Options) -> None:
    """Print every setting with its origin, check home, store, data and feeds, and say what to do.

    Changes nothing. Exit status 1 when something is broken.
    """
    settings = options.settings()
    _print_settings(settings)
    broken = [name for name, check in CHECKS.items() if not _passes(name, check, settings)]
    open_ends = warning(settings)
    if open_ends:
        click.echo(f"to do   impressum: {open_ends}")
    if broken:
        raise NetzlageError(f"Broken: {', '.join(broken)}; the lines above say what to do.")
    click.echo("Everything is in order." if not open_ends else "Everything else is in order.")


def _print_settings(settings: Settings) -> None:
    width = max(len(row.name) for row in TABLE)
    for row in TABLE:
        click.echo(f"{row.name:{width}}  {shown(row.name, settings) or '-'}  ({settings.origin[row.name]})")


def _passes(name: str, check: Callable[[Settings], str], settings: Settings) -> bool:
    try:
        found = check(settings)
    except NetzlageError as error:
        click.echo(f"broken  {name}: {' '.join(str(error).split())}")
        return False
    click.echo(f"ok      {name}: {found}")
    return True


def check_home(settings: Settings) -> str:
    """Return what is said of the home folder; SettingsError when it cannot be written, is full or open to others."""
    home = settings.home
    there = next(folder for folder in (home, *home.absolute().parents) if folder.exists())
    if not (there.is_dir() and os.access(there, os.W_OK | os.X_OK)):
        raise SettingsError(f"Setting home = {home} cannot be written; name a folder that can.")
    free = shutil.disk_usage(there).free
    if free < LEAST_SPACE:
        raise SettingsError(f"The disk of {home} has {free / 1e6:.0f} MB left; make room or name another home.")
    if there != home:
        return f"{home} will be made at the first start, {free / 1e9:.0f} GB free"
    _check_writing(home)
    _check_key(home / "secret_key")
    return f"{home} can be written, {free / 1e9:.0f} GB free"


def _check_writing(home: Path) -> None:
    try:
        with tempfile.TemporaryFile(dir=home) as file:
            file.write(b"doctor")
    except OSError as error:
        raise SettingsError(f"Setting home = {home} cannot be written ({error.strerror}); name another.") from None


def _check_key(path: Path) -> None:
    if path.exists() and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SettingsError(f"The key {path} can be read by others; run: chmod 600 {path}")


def check_store(settings: Settings) -> str:
    """Return what is said of the store; StoreError when it cannot be used."""
    found = check_up(settings.database)
    if found is None:
        return "none yet; the first command that needs it makes it"
    if found.schema is None:
        return f"{found.name} is empty; the first command that needs it makes the tables"
    if found.schema != found.head:
        return f"{found.name} is whole, schema {found.schema}; the next command brings it to {found.head}"
    counts = ", ".join(f"{found.rows[table]:,} {table}" for table in ("reports", "incidents", "statements"))
    return f"{found.name} is whole, schema {found.schema} is the newest, {counts}"


def check_data(settings: Settings) -> str:
    """Return what the catalogue holds; DataError when a file of data/ is missing, broken or not whole."""
    facts = load_catalogue()
    counts = {
        "districts": (len(facts.regions), 400),
        "Länder": (len(facts.laender), 16),
        "providers": (len(facts.providers), 1),
        "services": (len(facts.services), 9),
        "sources": (len(facts.attributions), 1),
    }
    for name, (number, least) in counts.items():
        if number < least:
            raise DataError(f"{data_folder()} holds {number} {name}, should be {least}; install Netzlage again.")
    return ", ".join(f"{number} {name}" for name, (number, _) in counts.items()) + f" in {data_folder()}"


def check_feeds(settings: Settings) -> str:
    """Return which feeds there are; SettingsError with stanza and key when the feeds file cannot be used."""
    names = [feed.name for feed in feeds_of(settings)]
    return f"{len(names)} in {settings.feeds or 'the file that came along'}" + (
        f" ({', '.join(names)})" if names else "; nothing will be heard"
    )


CHECKS: Final[Mapping[str, Callable[[Settings], str]]] = {
    "home": check_home,
    "store": check_store,
    "data": check_data,
    "feeds": check_feeds,
    "alerts": check_alerts,
    "site": check_site,
    "limits": check_limits,
    "secrets": check_secrets,
    "room": check_room,
    "clock": check_clock,
    "hosts": check_hosts,
    "backup": check_backup,
}
