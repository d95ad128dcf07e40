"""A post -> its words, folded, with sentence and clause of each. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from aggregator.spelling import fold

LONGEST: Final = (
    2000  # characters of a post that are read: the longest of an instance that allows long ones is rarely more
)
SIGNS: Final = "📵💀☠"
WORD: Final = re.compile(
    rf"(?<![\d.,])1\s?(?:[&+]|und|u\.)\s?1(?!\d|[.,]\d)|[@#]?\w+(?:['’]\w+)*|[{SIGNS}]", re.IGNORECASE
)
ONE_AND_ONE: Final = re.compile(r"1\s?[&+u]")
ONE: Final = "1und1"
URL: Final = re.compile(r"\b(?:https?://|www\.)\S+", re.IGNORECASE)
SENTENCE: Final = re.compile(r"[.…](?:\s|[^\w\s])|[!?\n|]")  # between two words, of which one may begin right after it
CLAUSE: Final = re.compile(r"[,;:–—()]|\s-\s")
JOINTS: Final = frozenset({"und", "aber", "sondern", "doch", "waehrend", "oder", "nur", "dafuer"})


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a post in parallel lists. gaps[i] is what stands before word i; the last gap what follows all."""

    text: str
    raws: list[str]
    keys: list[str]  # folded
    gaps: list[str]
    sentences: list[int]  # number of the sentence of each word
    clauses: list[int]
    ends: list[str]  # what closes each sentence
    linked: bool  # there was a URL

    def __len__(self) -> int:
        return len(self.keys)


@lru_cache(maxsize=32768)
def folded(word: str) -> str:
    """Fold one word; signs that fold to nothing are their own key."""
    return fold(word) or word


def split(text: str) -> Words:
    """Cut a post into words; only its first LONGEST characters are read, URLs are left out."""
    text = text[:LONGEST].replace("0²", "o2")
    linked = "://" in text or "www." in text
    if linked:
        text = URL.sub(" | ", text)
    raws: list[str] = []
    gaps: list[str] = []
    at = 0
    for found in WORD.finditer(text):
        start, end = found.span()
        raws.append(found.group())
        gaps.append(text[at:start])
        at = end
    gaps.append(text[at:])
    keys = [ONE if ONE_AND_ONE.match(raw) else folded(raw) for raw in raws]
    sentences, clauses, ends = _number(keys, gaps)
    return Words(text, raws, keys, gaps, sentences, clauses, ends, linked)


def _number(keys: list[str], gaps: list[str]) -> tuple[list[int], list[int], list[str]]:
    """Number sentences and clauses; a dot inside a name (wilhelm.tel) or a time ends none."""
    sentence = clause = 0
    sentences: list[int] = []
    clauses: list[int] = []
    ends: list[str] = []
    for key, gap in zip(keys, gaps, strict=False):
        if gap != " " and sentences:
            if SENTENCE.search(gap):
                sentence += 1
                clause += 1
                ends.append(gap)
            elif CLAUSE.search(gap):
                clause += 1
        if key in JOINTS:
            clause += 1
        sentences.append(sentence)
        clauses.append(clause)
    ends.append(gaps[-1])
    return sentences, clauses, ends
