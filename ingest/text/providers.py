"""Which companies a post speaks of, and whose fault it is if it names several. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from aggregator.spelling import fold
from ingest.text.lexicon import Hit, Hits
from ingest.text.words import Words

SURE, LIKELY = 0.95, 0.8
LEFT_FOR: Final = frozenset({"von", "vom", "statt", "frueher"})  # "von der Telekom zu o2 gewechselt"
WORKS: Final = frozenset({"geht", "laeuft", "funktioniert", "tut", "gehts"})
NOT: Final = frozenset({"nicht", "nix", "nichts", "ned", "net", "nich", "kaum", "nimmer"})


@dataclass(frozen=True, slots=True)
class Rules:
    """Per provider: words beside its name that make it something else, and words one of which must be in the post."""

    beside: Mapping[str, frozenset[str]] = field(default_factory=dict)
    needs: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, vocabulary: Mapping[str, tuple[str, ...]]) -> Rules:
        """Take them out of the vocabulary."""
        found: dict[str, dict[str, frozenset[str]]] = {"not": {}, "needs": {}}
        for name, words in vocabulary.items():
            kind, _, rest = name.partition(".")
            owner, _, what = rest.rpartition(".")
            if kind == "provider" and what in found:
                found[what][owner] = frozenset(map(fold, words))
        return cls(found["not"], found["needs"])


def find_providers(words: Words, hits: Hits, rules: Rules) -> list[Hit]:
    """Return the places where a provider is meant, each with `provider.ID` as tag, in their order."""
    found = [hit for tag, group in hits.items() if tag.startswith("provider.") for hit in group]
    found = [hit for hit in found if _is_meant(hit, words, rules)]
    return _longest(sorted(found, key=lambda hit: (hit.start, -hit.end)))


def _is_meant(hit: Hit, words: Words, rules: Rules) -> bool:
    owner = hit.tag[len("provider.") :]
    beside = rules.beside.get(owner)
    if beside:
        keys = words.keys
        near = {keys[i] for i in (hit.start - 2, hit.start - 1, hit.end, hit.end + 1) if 0 <= i < len(keys)}
        near.add("".join(keys[max(0, hit.start - 2) : hit.start]))
        near.add("".join(keys[hit.end : hit.end + 2]))
        if near & beside:
            return False
    needs = rules.needs.get(owner)
    return not needs or words.raws[hit.start][0] in "#@" or not needs.isdisjoint(_joined(words.keys))


def _joined(keys: Sequence[str]) -> set[str]:
    return {*keys, *map("".join, pairwise(keys))}


def _longest(found: list[Hit]) -> list[Hit]:
    """Drop what lies inside a longer one: "Kabel Deutschland" is one name, "Vodafone Kabel" too."""
    kept: list[Hit] = []
    for hit in found:
        if not kept or hit.start >= kept[-1].end:
            kept.append(hit)
    return kept


def at_fault(found: Sequence[Hit], words: Words, faults: Sequence[int]) -> tuple[str, ...]:
    """Return the ids of those whose fault it is: of several those in a clause with a fault, else all.

    faults: the words that tell one. Who is left or works ("Vodafone geht, aber o2 ist tot") is not meant.
    """
    groups = _groups(found, words)
    if len({hit.tag for hit in found}) > 1:
        broken = {words.clauses[i] for i in faults}
        there = [group for group in groups if any(words.clauses[hit.start] in broken for hit in group)]
        blamed = [hit for group in there or groups for hit in group]
        kept = [hit for hit in blamed if not _is_left(hit, words) and not (not there and _works(hit, words))]
        found = kept or blamed
    return tuple(dict.fromkeys(hit.tag[len("provider.") :] for hit in found))


def _groups(found: Sequence[Hit], words: Words) -> list[list[Hit]]:
    """Join names that are told in one breath: "o2, Telekom und Vodafone"."""
    groups: list[list[Hit]] = []
    for hit in found:
        between = words.keys[groups[-1][-1].end : hit.start] if groups else []
        if groups and (not between or between in (["und"], ["oder"], ["noch"], ["sowie"])):
            groups[-1].append(hit)
        else:
            groups.append([hit])
    return groups


def _is_left(hit: Hit, words: Words) -> bool:
    before = words.keys[max(0, hit.start - 2) : hit.start]
    return not LEFT_FOR.isdisjoint(before) and "zu" in words.keys[hit.end : hit.end + 2]


def _works(hit: Hit, words: Words) -> bool:
    clause = {key for key, number in zip(words.keys, words.clauses, strict=True) if number == words.clauses[hit.start]}
    return not WORKS.isdisjoint(clause) and NOT.isdisjoint(clause)
