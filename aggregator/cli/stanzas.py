"""The feeds as their file describes them, for every command that has to do with them. I/O."""

from __future__ import annotations

from collections.abc import Iterable

from aggregator.catalogue import data_folder
from aggregator.cli.common import Options
from aggregator.feedmodel import Source
from aggregator.instance import Instance
from aggregator.settings import Settings
from aggregator.store import sources
from ingest.feed import Feed, load_feeds


def feeds_of(settings: Settings) -> list[Feed]:
    """Return the feeds of the file that the setting `feeds` names, else of the shipped one."""
    return load_feeds(settings.feeds or data_folder() / "feeds.toml")


def keep_sources(instance: Instance, known: Iterable[Feed]) -> None:
    """Keep in the store what the stanzas say of each source: it decides what of it may leave the house."""
    # kind and republish are texts in a Feed; load_feeds let no other words through
    described = [
        Source(f.name, f.kind, f.format, f.enabled, f.every, f.licence, f.republish, f.note, f.covers)  # type: ignore[arg-type]
        for f in known
    ]
    with instance.store.write() as connection:
        sources.keep(connection, described)


def opened(options: Options) -> tuple[Instance, list[Feed]]:
    """Open the instance and read its feeds, their stanzas kept in the store."""
    instance = options.open()
    known = feeds_of(instance.settings)
    keep_sources(instance, known)
    return instance, known
