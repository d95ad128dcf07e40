"""A page as a reader has it: its words by language, its links, so that tests can ask what was left in German."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

from aggregator.catalogue import load_catalogue

VOID: Final = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"})
SILENT: Final = frozenset({"code", "pre", "script", "style"})  # code speaks no language
SAID: Final = ("alt", "title", "aria-label", "placeholder")
GERMAN: Final = re.compile(
    r"\b(und|der|die|das|den|dem|nicht|ist|sind|mit|von|vom|für|auf|oder|wird|wie|aus|bei|zu|zum|zur|keine?|eine?[rnms]?"
    r"|seit|Uhr|über|nach|noch|nur|auch|wir|sich|heißt|Meldung(en)?|Anbieter|Dienst|Kreise?|Häufung(en)?|Störung(en)?)\b"
)


@dataclass(slots=True)
class Read:
    """What a page says: (language, text) of every piece, and where its links and forms lead."""

    language: str = ""
    pieces: list[tuple[str, str]] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)  # attribute, address

    def words(self, language: str) -> Iterator[str]:
        """Yield what is said in `language`."""
        return (text for tongue, text in self.pieces if tongue == language)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.read = Read()
        self.open: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attrs}
        tongue = known.get("lang") or (self.open[-1][1] if self.open else "")
        if tag == "html":
            self.read.language = tongue
        if tag == "meta" and known.get("name") == "description":
            self.read.pieces.append((tongue, known.get("content", "")))
        said = [name for name in known if name in SAID or name.startswith("data-")]
        self.read.pieces += [(tongue, known[name]) for name in said if known[name]]
        self.read.links += [(name, known[name]) for name in ("href", "action", "src") if name in known]
        if tag not in VOID:
            self.open.append((tag, tongue))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1][0] not in SILENT and data.strip():
            self.read.pieces.append((self.open[-1][1], " ".join(data.split())))


def read(page: str) -> Read:
    """Return what a page or an SVG picture says."""
    reader = _Reader()
    reader.feed(page)
    return reader.read


def names() -> re.Pattern[str]:
    """Return what finds the names of places and providers, which stay as they are in every language."""
    facts = load_catalogue()
    found = {region.name for region in facts.regions.values()} | {land.name for land in facts.laender.values()}
    found |= {provider.name for provider in facts.providers.values()} | {facts.region_name("02000")}
    return re.compile("|".join(re.escape(name) for name in sorted(found, key=len, reverse=True)))


def german_left(said: Read, proper: re.Pattern[str]) -> list[str]:
    """Return the pieces of an English page that are German: words of its grammar, umlauts outside names."""
    left = []
    for text in said.words("en"):
        bare = proper.sub("", text)
        if GERMAN.search(bare) or re.search(r"[äöüßÄÖÜ]", bare):
            left.append(text)
    return left
