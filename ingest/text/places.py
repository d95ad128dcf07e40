"""Where: PLZ, area code, towns and quarters in a post -> the district, or none where it cannot be told. Pure.

A name that many towns bear, or that is also a word, needs a hint: see `_Finder._is_hinted` and tests/text/README.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

from aggregator.model import PlaceSource
from aggregator.placenames import Town
from aggregator.places import Located, Places
from aggregator.spelling import LAND_WORDS, fold
from ingest.text.lexicon import Hits
from ingest.text.words import Words

CLEARLY_BIGGER: Final = 20  # times its namesakes: whoever names it to strangers without a word more means this one
GREAT: Final = 100_000  # people of a city whose name may be short and small: ulm
BIGGER_BY_NAME: Final = 4  # times, for a great city that bears just this name (Hamm, but not Frankfurt am Main)
BIG: Final = 40_000  # people of a town that is known everywhere: no hint needed
KNOWN: Final = 8_000  # people of a town that is one if it is written like a name
LONG: Final = 5  # letters of a name that is not also a short word
FEWEST: Final = 200
MOST_WORDS: Final = 5
LINKS: Final = frozenset({"am", "an", "der", "in", "im", "bei", "unter", "ob", "vor", "den", "auf", "a", "d", "i", "b"})
PLZ: Final = re.compile(
    r"(?<![\d.,#€-])(?:D-)?(\d{5})(?![\d.,]\d|\d|\s*(?:€|euro|kunden|haushalte|leute|menschen|mal)\b)", re.IGNORECASE
)
NUMBERED: Final = re.compile(  # before a number that is no PLZ
    r"(?:fehler\w*|error|code|ticket\w*|\w*nummer|nr|nr\.|id|vorgang\w*|auftrag\w*|rechnung)\W{0,3}$", re.IGNORECASE
)
AREA_CODE: Final = re.compile(
    r"\b(?:vorwahl(?:bereich|gebiet)?|ortsnetz|vorwahlen)\s*:?\s*\(?(0\d{2,4})\b", re.IGNORECASE
)


class Placed(NamedTuple):
    """The district, how it was told, and how sure that is (0 to 1)."""

    region: str
    plz: str
    source: PlaceSource
    confidence: float


class Name(NamedTuple):
    """Words [start, end) that are a place's name, the towns of that name, and the strength of the best hint."""

    start: int
    end: int
    key: str  # folded
    towns: Sequence[Town]
    strength: int  # 3: said to be a place, 2: written like one, 1: big enough


@dataclass(frozen=True, slots=True)
class PlaceWords:
    """What posts add to the gazetteer: short forms of cities, names that are also words, words before a place."""

    short: Mapping[str, str]
    common: frozenset[str]
    before: frozenset[str]

    @classmethod
    def of(cls, vocabulary: Mapping[str, tuple[str, ...]]) -> PlaceWords:
        """Take them out of the vocabulary."""
        short = dict(entry.split(" = ") for entry in vocabulary.get("place.short", ()))
        common = frozenset(map(fold, vocabulary.get("place.common", ())))
        return cls(short, common, frozenset(map(fold, vocabulary.get("place.before", ()))))


def find_place(
    words: Words, hits: Hits, gazetteer: Places, extra: PlaceWords, *, footprint: tuple[str, ...] = ()
) -> Placed | None:
    """Return the district that a post names, None where it names none, several, or one that cannot be told.

    footprint: beginnings of keys of the districts where the provider sells; of namesakes only those there are meant.
    """
    for found in PLZ.finditer(words.text):
        if NUMBERED.search(words.text[max(0, found.start() - 30) : found.start()]):
            continue
        at = gazetteer.locate(plz=found[1])
        if isinstance(at, Located) and not at.approximate:
            return Placed(at.region, found[1], "plz", 0.95)
    dialled = AREA_CODE.search(words.text)
    if dialled:
        at = gazetteer.locate(area_code=dialled[1])
        if isinstance(at, Located):
            return Placed(at.region, "", "area_code", 0.6 if at.approximate else 0.9)
    names = _Finder(words, hits, gazetteer, extra).names()
    return _decide(names, words, footprint) if names else None


class _Finder:
    """Looks for names of places in one post."""

    def __init__(self, words: Words, hits: Hits, gazetteer: Places, extra: PlaceWords) -> None:
        self._words, self._gazetteer, self._extra = words, gazetteer, extra
        self._found: list[Name] = []
        providers = [hit for tag, group in hits.items() if tag.startswith("provider.") for hit in group]
        self._taken = {i for hit in providers for i in range(hit.start, hit.end)}
        self._provider_ends = {hit.end for hit in providers}
        self._kind_ends = {
            hit.end
            for tag, group in hits.items()
            if tag.startswith(("service.", "fault."))
            for hit in group
            if words.raws[hit.start][0].isupper()
        }

    def names(self) -> list[Name]:
        """Return the names of places in the post, of overlapping ones the longest."""
        start = 0
        while start < len(self._words):
            name = None if start in self._taken else self._name_at(start)
            if name:
                self._found.append(name)
            start = name.end if name else start + 1
        return self._found

    def _name_at(self, start: int) -> Name | None:
        short = self._extra.short.get(self._words.raws[start].lstrip("#"))
        if short:
            key = fold(short)
            return Name(start, start + 1, key, self._gazetteer.towns(key), 2)
        found = list(self._towns_at(start))
        if not found or _is_land(start, self._words):
            return None
        names = (Name(start, end, key, towns, self._strength(start, end, key, towns)) for end, key, towns in found)
        return next((name for name in reversed(list(names)) if name.strength), None)

    def _towns_at(self, start: int) -> Iterator[tuple[int, str, Sequence[Town]]]:
        """Yield the towns whose names begin at a word, by the end of the name."""
        words, key = self._words, ""
        for end in range(start + 1, min(start + MOST_WORDS, len(words)) + 1):
            if end - 1 > start and not self._goes_on(end - 1):
                return
            key += words.keys[end - 1]
            towns = self._gazetteer.towns(key)
            if towns:
                yield end, key, towns

    def _goes_on(self, at: int) -> bool:
        """Whether a name of several words may go on with this one: with a capital letter, or "am", "an der"."""
        words = self._words
        if at in self._taken or words.gaps[at].strip(" -/(.)"):
            return False
        return words.keys[at] in LINKS or words.raws[at][0].isupper() or words.raws[at - 1][0].islower()

    def _strength(self, start: int, end: int, key: str, towns: Sequence[Town]) -> int:
        """How surely a name is a place here: 0 = it is not taken for one."""
        raw = self._words.raws[start]
        if raw[0] == "@" or key.isdigit() or len(key) < 3:
            return 0
        capital = raw.lstrip("#")[:1].isupper()
        hinted = self._is_hinted(start, end)
        if key in self._extra.common:
            return 3 if hinted and capital else 0
        people = max(town.population for town in towns)
        if hinted and (capital or people >= KNOWN):
            return 3
        if people >= BIG and (capital or len(key) > 3 or people >= GREAT):
            return 2 if capital else 1
        written = people >= KNOWN and len(key) >= LONG
        several = end - start > 1 and len(key) > LONG
        return 2 if capital and (written or several) else 0

    def _is_hinted(self, start: int, end: int) -> bool:
        """Whether something says that a place follows: "in", a hashtag, "HH-", provider and service right before it."""
        words = self._words
        if words.raws[start][0] == "#" or self._is_listed(start):
            return True
        if not start:
            return end == 1 and len(words) > 1 and words.gaps[1].startswith((":", " ("))
        if words.keys[start - 1] in self._extra.before:
            return True
        if words.raws[start - 1] in self._extra.short and words.gaps[start] in {"-", " ", "/"}:
            return True
        return words.gaps[start] == " " and self._is_telegraphic(start)

    def _is_listed(self, start: int) -> bool:
        """Whether it goes on with one that is a place: "in Hamburg und München", "in Köln, Essen"."""
        last = self._found[-1] if self._found else None
        if last is None or last.strength < 3:
            return False
        joined = last.end == start - 1 and self._words.keys[start - 1] in {"und", "oder", "sowie"}
        return joined or (last.end == start and self._words.gaps[start].strip() in {",", "/"})

    def _is_telegraphic(self, start: int) -> bool:
        """ "Vodafone Kabel Essen weg", "Telekom Störung Essen": no sentence, only names; then the place stands bare."""
        if start in self._provider_ends:
            return True
        return start in self._kind_ends and not self._provider_ends.isdisjoint({start - 1, start - 2})


def _is_land(start: int, words: Words) -> bool:
    """Whether "Schleswig" or "Holstein", "Sachsen" or "Anhalt" here are parts of the name of a Land."""
    keys = words.keys
    return "".join(keys[start : start + 2]) in LAND_WORDS or (start > 0 and keys[start - 1] + keys[start] in LAND_WORDS)


def _decide(names: Sequence[Name], words: Words, footprint: tuple[str, ...]) -> Placed | None:
    """One district out of all names: what a Land, a footprint or a second name leaves over; None if two remain."""
    keys = {*words.keys, *map("".join, pairwise(words.keys))}
    lands = tuple(LAND_WORDS[key] for key in keys if key in LAND_WORDS and len(key) > 2)
    clear: dict[str, int] = {}
    vague: list[set[str]] = []
    for name in names:
        towns: Sequence[Town] = name.towns
        for hint in (lands, footprint):
            towns = [town for town in towns if town.region.startswith(hint)] or towns if hint else towns
        region = _winner(name.key, towns)
        if region:
            clear[region] = max(clear.get(region, 0), name.strength)
        else:
            vague.append({town.region for town in towns})
    if clear:
        return _clearest(clear)
    # Two ambiguous names that have one district in common: Frankfurt and Bornheim.
    common = set.intersection(*vague) if len(vague) > 1 else set()
    return Placed(common.pop(), "", "text", 0.8) if len(common) == 1 else None


def _clearest(clear: Mapping[str, int]) -> Placed | None:
    best = max(clear.values())
    regions = [region for region, strength in clear.items() if strength == best]
    if len(regions) > 1:
        return None
    return Placed(regions[0], "", "text", {3: 0.9, 2: 0.8, 1: 0.6}[best] - 0.1 * (len(clear) > 1))


def _winner(key: str, towns: Sequence[Town]) -> str | None:
    """The district of the towns if it is one, or of a town clearly bigger than its namesakes elsewhere."""
    first = max(towns, key=lambda town: town.population)
    elsewhere = max((max(town.population, FEWEST) for town in towns if town.region != first.region), default=0)
    times = BIGGER_BY_NAME if first.population >= GREAT and fold(first.name) == key else CLEARLY_BIGGER
    return first.region if first.population >= times * elsewhere else None
