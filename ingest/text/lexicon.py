"""The vocabulary as one table of phrases -> where in a post which of them stand. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from aggregator.model import Provider
from aggregator.spelling import fold
from ingest.text.words import Words, split

JOINED: Final = (
    "netz",
    "internet",
    "dsl",
    "kabel",
    "mobilfunk",
    "leitung",
    "anschluss",
    "kunde",
    "handynetz",
    "festnetz",
)


class Hit(NamedTuple):
    """A phrase of a kind (`tag`) at words [start, end)."""

    start: int
    end: int
    tag: str


Hits = Mapping[str, list[Hit]]  # by the tag


class Lexicon:
    """All phrases of the vocabulary and all names of providers, folded, each with the tags that it carries."""

    def __init__(self, vocabulary: Mapping[str, tuple[str, ...]], providers: Iterable[Provider]) -> None:
        tags: defaultdict[str, set[str]] = defaultdict(set)
        for name, words in vocabulary.items():
            kind, _, owner = name.partition(".")
            if kind not in {"provider", "place"}:
                for word in words:
                    tags[_key(word)].add(name)
        providers = tuple(providers)
        names = dict(_provider_names(vocabulary, providers))
        for key, owner in names.items():
            tags[key].add(f"provider.{owner}")
        self._phrases = {key: tuple(sorted(found)) for key, found in tags.items() if key}
        faults = [key for word in vocabulary.get("fault.general", ()) if (key := fold(word)) and " " not in word]
        self._compounds = dict(_compounds(names, faults))
        self._reach = _reach((*(word for words in vocabulary.values() for word in words), *_spellings(providers)))

    def find(self, words: Words) -> Hits:
        """Return the phrases in a post by their tag, in the order in which they stand."""
        hits: defaultdict[str, list[Hit]] = defaultdict(list)
        keys, phrases, count = words.keys, self._phrases, len(words)
        for start in range(count):
            key = ""
            for end in range(start + 1, min(start + self._reach.get(keys[start], 1), count) + 1):
                key += keys[end - 1]
                for tag in phrases.get(key, ()):
                    hits[tag].append(Hit(start, end, tag))
            for tag in self._compounds.get(keys[start], ()):
                hits[tag].append(Hit(start, start + 1, tag))
        return hits


def _key(word: str) -> str:
    return fold(word) or word.strip()


def _reach(phrases: Iterable[str]) -> dict[str, int]:
    """First word of phrases -> how many words the longest of them has: no more need to be looked at."""
    reach: dict[str, int] = {}
    for phrase in phrases:
        keys = split(phrase).keys
        if len(keys) > 1:
            reach[keys[0]] = max(len(keys), reach.get(keys[0], 0))
    return reach


def _spellings(providers: Iterable[Provider]) -> Iterator[str]:
    for provider in providers:
        yield from (provider.name, provider.id, *provider.aliases)


def _provider_names(
    vocabulary: Mapping[str, tuple[str, ...]], providers: Iterable[Provider]
) -> Iterator[tuple[str, str]]:
    """Yield the folded names of providers, without those that in a post mostly mean something else."""
    for provider in providers:
        own = vocabulary.get(f"provider.{provider.id}.words", ())
        without = {fold(word) for word in vocabulary.get(f"provider.{provider.id}.without", ())}
        for name in (provider.id, provider.name, *provider.aliases, *own):
            key = fold(name)
            if key and key not in without:
                yield key, provider.id


def _compounds(names: Mapping[str, str], faults: Iterable[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield what hashtags and hyphens join: o2störung, TelekomDown, Vodafonenetz."""
    faults = tuple(faults)
    for key, owner in names.items():
        for fault in faults:
            yield key + fault, (f"provider.{owner}", "fault.general")
        for thing in JOINED:
            yield key + thing, (f"provider.{owner}",)
