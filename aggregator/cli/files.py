"""`import` and `export`: files in through the one door, tables out. I/O."""

from __future__ import annotations

import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

import click

from aggregator.catalogue import Catalogue
from aggregator.cli.common import Options, progress
from aggregator.cli.detect import Moment
from aggregator.cli.stanzas import feeds_of, keep_sources
from aggregator.downloads import download
from aggregator.errors import DataError, FeedError, SettingsError
from aggregator.export import FORMATS, TABLES
from aggregator.importing import READERS, bounded
from aggregator.instance import Instance
from aggregator.model import FeedRun, Filter, Statement
from aggregator.pipeline import Outcome, accept
from aggregator.places import NotLocated
from aggregator.settings import Settings
from aggregator.store import statements
from ingest.feed import Feed
from ingest.parsers import NO_HINTS, PARSERS
from ingest.posts import told

BATCH: Final = 5000  # of a file: nobody waits for its answer, so fewer waits for the disk
BY_ENDING: Final = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson"}
SHOWN: Final = 10  # rejected items of a file that are printed
FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=FILE, metavar="FILE...")
@click.option(
    "--format", "format_", type=click.Choice([*READERS, *PARSERS]), help="Default: by the ending of the name."
)
@click.option(
    "--feed", "stanza", help="Read as the feed of this name in the feeds file (its fields, dates, constants)."
)
@click.pass_obj
def import_(options: Options, files: tuple[Path, ...], format_: str | None, stanza: str | None) -> None:
    """Store reports from files; the same file twice stores nothing twice.

    CSV and NDJSON have the columns provider, service, observed_at and one of plz, place, region or lat and lon;
    symptom, reporter, received_at, began_at, report_id and comment are optional. The time from the first to the last
    report of a file counts as listened to.
    """
    settings = options.settings()
    feed = _feed(settings, stanza, format_)
    instance = options.open()
    keep_sources(instance, feeds_of(settings))
    unread = 0
    for path in files:
        try:
            _import_one(instance, path, feed, format_)
        except (DataError, FeedError) as error:
            unread += 1
            click.echo(f"{path}: {error}", err=True)
    if unread:
        raise DataError(f"{unread} of {len(files)} files could not be read; the others are stored.")


def _feed(settings: Settings, stanza: str | None, format_: str | None) -> Feed | None:
    """Return the stanza to read with, or None for the contract's own columns."""
    if stanza is None:
        return Feed(name="import", format=format_, url="") if format_ and format_ in PARSERS else None
    feeds = {feed.name: feed for feed in feeds_of(settings)}
    if stanza not in feeds:
        raise SettingsError(f"There is no feed {stanza!r} in the feeds file; known are {', '.join(sorted(feeds))}.")
    return feeds[stanza]


def _import_one(instance: Instance, path: Path, feed: Feed | None, format_: str | None) -> None:
    now = instance.clock.now()
    run = FeedRun(source=feed.name if feed else "import", started_at=now, finished_at=now, outcome="ok")
    with _opened(path) as file:
        if feed is None:
            outcome = _accept_table(instance, file, path, run, format_)
        else:
            parsed = told(PARSERS[feed.format](file.read(), feed, NO_HINTS), feed, instance.catalogue)
            _keep_statements(instance, parsed.statements, path)
            outcome = accept(instance, [*parsed.rejected, *parsed.reports], run=run, whole=True, batch=BATCH)
    _tell(path, outcome)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise DataError(f"The file cannot be read ({error.strerror}); check its name and rights.") from None


def _accept_table(instance: Instance, file: BinaryIO, path: Path, run: FeedRun, format_: str | None) -> Outcome:
    kind = format_ or BY_ENDING.get(path.suffix.lower()) or ("ndjson" if _peek(file) == b"{" else "csv")
    size = os.fstat(file.fileno()).st_size
    with progress((), f"{path.name}", length=size) as bar:
        items = READERS[kind](_watched(bounded(file.readline), bar))
        return accept(instance, items, run=run, whole=True, batch=BATCH)


def _peek(file: BinaryIO) -> bytes:
    first = file.read(1)
    file.seek(0)
    return first


def _watched(lines: Iterable[bytes], bar: Any) -> Iterator[bytes]:
    """Pass the lines on and move the bar by their bytes, a thousand lines at a time."""
    passed = 0
    for number, line in enumerate(lines, 1):
        passed += len(line)
        if not number % 1000:
            bar.update(passed)
            passed = 0
        yield line
    bar.update(passed)


def _keep_statements(instance: Instance, found: list[Statement], path: Path) -> None:
    if not found:
        return
    now = instance.clock.now()
    dated = [replace(statement, received_at=statement.received_at or now) for statement in found]
    with instance.store.write() as connection:
        new = statements.add(connection, dated)
    click.echo(f"{path}: {new} statements kept, {len(found) - new} known already")


def _tell(path: Path, outcome: Outcome) -> None:
    total = sum(outcome.rejected.values())
    click.echo(f"{path}: {outcome.kept} kept, {outcome.duplicate} duplicate, {total} rejected")
    for reason, number in Counter(outcome.rejected).most_common():
        click.echo(f"  {number} {reason}")
    for item in outcome.rejects[:SHOWN]:
        where = f"{item.where}: " if item.where and not item.detail.lower().startswith(item.where) else ""
        click.echo(f"{path}: {where}{item.detail}", err=True)
    if total > SHOWN:
        click.echo(f"{path}: and {total - SHOWN} more.", err=True)


@click.command()
@click.argument("table", type=click.Choice(list(TABLES)))
@click.option("--format", "format_", type=click.Choice(list(FORMATS)), required=True, help="Kind of file.")
@click.option("--provider", default="", help="Id or name of a provider.")
@click.option("--service", default="", help="Id or name of a service.")
@click.option("--region", default="", help="District (AGS or name) or Land (first two digits or name).")
@click.option("--since", type=Moment(), help="From this time on; without a zone Europe/Berlin.")
@click.option("--until", type=Moment(), help="Before this time.")
@click.option("--as-of", type=Moment(), help="Only what was known by this time.")
@click.option("-o", "--output", type=FILE, help="File to write (default: standard output).")
@click.pass_obj
def export(
    options: Options,
    table: str,
    format_: str,
    output: Path | None,
    provider: str,
    service: str,
    region: str,
    since: datetime | None,
    until: datetime | None,
    as_of: datetime | None,
) -> None:
    """Write reports, counts, coverage, incidents or statements to a file."""
    instance = options.open()
    keep_sources(instance, feeds_of(instance.settings))
    catalogue = instance.catalogue
    f = Filter(
        provider=catalogue.provider_id(provider) or provider,
        service=_service(catalogue, service),
        region=_region(catalogue, region),
        since=since,
        until=until,
        as_of=as_of,
    )
    pieces = download(instance, table, format_, f)
    if output is None:
        _write(pieces, sys.stdout.buffer)
    else:
        _write_file(pieces, output)


def _service(catalogue: Catalogue, text: str) -> str:
    found = catalogue.service_id(text) if text else ""
    if found is None:
        raise click.BadParameter(f"{text!r} is none of {', '.join(catalogue.services)}.", param_hint="--service")
    return found


def _region(catalogue: Catalogue, text: str) -> str:
    """Return AGS5 or AGS2 of what the user calls a district or a Land."""
    laender = {land.name.casefold(): land.id for land in catalogue.laender.values()}
    if not text or text in catalogue.regions or text in catalogue.laender:
        return text
    if text.casefold() in laender:
        return laender[text.casefold()]
    found = catalogue.places.locate(region=text)
    if isinstance(found, NotLocated):
        raise click.BadParameter(f"{text!r}: {found.detail}.", param_hint="--region")
    return found.region


def _write(pieces: Iterable[bytes], out: BinaryIO) -> None:
    for piece in pieces:
        out.write(piece)
    out.flush()


def _write_file(pieces: Iterable[bytes], path: Path) -> None:
    """Write the whole file beside `path` first, so that there is never half a file of that name."""
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as out:
                with progress(pieces, path.name) as watched:
                    _write(watched, out)
                os.fsync(out.fileno())
            os.chmod(name, 0o666 & ~_umask())
            os.replace(name, path)
        except BaseException:
            os.unlink(name)
            raise
    except OSError as error:
        raise DataError(f"{path} cannot be written ({error.strerror}); name another file.") from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
