"""Incidents -> an Atom feed (RFC 4287). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Final

from aggregator.export.table import iso

MEDIA_TYPE: Final = "application/atom+xml; charset=utf-8"
SIMULATION: Final = "SIMULATION: "


@dataclass(frozen=True, slots=True)
class Entry:
    """What a feed says of one incident: `path` on the site, texts for readers, times aware.

    updated: its last change or correction; that its numbers grow is no news. state: id and word. cap: the path of its
    CAP message, "" where it has none.
    """

    path: str
    title: str
    summary: str
    published: datetime
    updated: datetime
    state: tuple[str, str]
    cap: str = ""


def write_atom(
    entries: Iterable[Entry],
    *,
    title: str,
    base_url: str,
    path: str,
    updated: datetime,
    simulated: bool,
    language: str = "de",
    query: str = "",
) -> Iterator[bytes]:
    """Yield the feed at `path` of the site at `base_url`; updated: of the newest entry, or of the instance.

    simulated: every title begins with SIMULATION. query: what links, not ids, end with; a chosen language, say.
    """
    mark = SIMULATION if simulated else ""
    home = escape(base_url)
    yield (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{language}">\n'
        f"<title>{_text(mark + title)}</title>\n<id>{home}{escape(path)}</id>\n"
        f'<link rel="self" type="application/atom+xml" href="{home}{escape(_joined(path, query))}"/>\n'
        f'<link href="{home}/{escape(query)}"/>\n'
        f"<updated>{iso(updated)}</updated>\n<author><name>Netzlage</name></author>\n"
    ).encode()
    for entry in entries:
        address = f"{home}{escape(entry.path)}"
        yield (
            f"<entry>\n<title>{_text(mark + entry.title)}</title>\n<id>{address}</id>\n"
            f'<link href="{address}{escape(query)}"/>\n{_cap(entry, home)}{_category(entry)}'
            f"<published>{iso(entry.published)}</published>\n"
            f"<updated>{iso(entry.updated)}</updated>\n<summary>{_text(mark + entry.summary)}</summary>\n</entry>\n"
        ).encode()
    yield b"</feed>\n"


def _joined(path: str, query: str) -> str:
    return path + (query.replace("?", "&", 1) if "?" in path else query)


def _cap(entry: Entry, home: str) -> str:
    address = f"{home}{escape(entry.cap)}"
    return f'<link rel="alternate" type="application/cap+xml" href="{address}"/>\n' if entry.cap else ""


def _category(entry: Entry) -> str:
    term, label = (escape(word) for word in entry.state)
    return f'<category term="{term}" label="{label}"/>\n'


def _text(text: str) -> str:
    return escape("".join(letter for letter in text if letter.isprintable()), quote=False)
