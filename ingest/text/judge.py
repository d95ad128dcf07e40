"""Does somebody tell a fault of their own, now? Evidence for and against -> a verdict and how sure it is. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ingest.text.lexicon import Hit, Hits
from ingest.text.words import Words

# What speaks against, for each hit (the first of a kind counts whole, the second half, no more).
AGAINST: Final = {
    "ad.words": 1.3,
    "news.words": 0.9,
    "statement.words": 1.4,
    "planned.words": 1.1,
    "abroad.words": 3.0,
    "cause.words": 2.0,
    "never.words": 0.9,
}
LINK: Final = 0.5
TONE: Final = 0.45  # for each of its words, three at most
NARRATED: Final = 0.4  # a long text without a word of oneself
LONG: Final = 18  # words
CRAWLS: Final = re.compile(r"\b(?:0[.,]\d+|nur (?:noch )?\d+(?:[.,]\d+)?)\s*m(?:bit|b)\b", re.IGNORECASE)
FIRST_PERSON: Final = frozenset(
    {
        "ich",
        "mir",
        "mich",
        "mein",
        "meine",
        "meinem",
        "meinen",
        "meiner",
        "wir",
        "uns",
        "unser",
        "unsere",
        "unserem",
        "bin",
        "hab",
        "habe",
        "hier",
    }
)
YEAR: Final = re.compile(r"\b(?:19[5-9]|20[0-4])\d\b")
OTHER_YEAR: Final = 1.2
COUNTED: Final = 0.9  # "o2-Kunden", "900.000 Router"
TOLD_OF: Final = 1.0  # "Vodafone meldet", "1&1 verliert"
FAULT: Final = 1.0
MORE: Final = 0.3  # for each further word that tells a fault, three at most
OWN: Final = 0.3  # for each kind of word that speaks of oneself and now
SHORT: Final = 8  # words: who writes so little tells what happens to them
ENOUGH: Final = 0.75
REACH_NONE, REACH_FAR, REACH_CANNOT, REACH_APART = 4, 12, 6, 8  # words apart
FAR: Final = frozenset({"weder", "fehlen", "fehlt"})
NOTHING: Final = frozenset({"nix", "nichts", "nischt", "null"})  # as the last word of a sentence
IDIOMS: Final = frozenset({"fuer", "macht", "um", "kostet", "sagt", "weiss"})  # "danke für nichts", "macht nichts"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether it is a report, how sure that is (0 to 1, of what was decided), and the words that tell the fault."""

    is_report: bool
    confidence: float
    faults: dict[int, str]  # word -> kind of fault


def judge(words: Words, hits: Hits, *, provider: bool, service: bool, place: bool, year: int) -> Verdict:
    """Weigh a post. provider, service, place: whether it names one of ours; year: of the post."""
    faults: dict[int, str] = {}
    for sentence in range(len(words.ends)):
        faults |= _faults_of(sentence, words, hits)
    faults = _after_the_end(faults, words, hits)
    if not faults and provider and CRAWLS.search(words.text):
        faults = {0: "slow"}
    if not faults:
        return Verdict(False, 0.95 if provider else 0.98, {})
    own = _own(words, hits, place=place)
    score = FAULT + MORE * min(3, len(faults) - 1) + OWN * min(3, own) - _against(words, hits, year)
    if not provider and (not service or not own or "others.words" in hits):
        score = min(score, 0.0)
    sure = 1 / (1 + math.exp(-3 * (score - ENOUGH)))
    return Verdict(score >= ENOUGH, round(max(sure, 1 - sure), 2), faults)


def _faults_of(sentence: int, words: Words, hits: Hits) -> dict[int, str]:
    """The words of one sentence that tell a fault, if nothing in it takes it back."""
    inside = [i for i, number in enumerate(words.sentences) if number == sentence]
    if not inside:
        return {}
    first, last = inside[0], inside[-1] + 1
    found = dict(_told(first, last, words, hits))
    if not found:
        return {}
    fine = _within(hits, "fine.words", first, last)
    if fine:
        found = {i: kind for i, kind in found.items() if not any(h.start <= i < h.end for h in fine)}
        if not _within(hits, "resolved.not_yet", first, last):
            return {}
    if _is_past(first, last, words, hits) or _is_conditional(found, first, words):
        return {}
    return {} if _only_asks(sentence, first, last, words, hits) else found


def _told(first: int, last: int, words: Words, hits: Hits) -> Iterator[tuple[int, str]]:
    for tag, group in hits.items():
        if tag.startswith("fault."):
            yield from ((hit.start, tag[6:]) for hit in group if first <= hit.start < last)
    things = [hit.start for hit in _within(hits, "none.things", first, last)]
    for hit in _within(hits, "none.words", first, last):
        reach = REACH_FAR if words.keys[hit.start] in FAR else REACH_NONE
        yield from ((thing, "none") for thing in things if hit.start < thing <= hit.start + reach)
    if not _within(hits, "cannot.other", first, last):
        verbs = [hit.start for hit in _within(hits, "cannot.verbs", first, last)]
        for hit in _within(hits, "cannot.not", first, last):
            yield from ((verb, "cannot") for verb in verbs if abs(verb - hit.start) <= REACH_CANNOT)
    if _within(hits, "own.words", first, last):
        yield from ((hit.start, "general") for hit in _within(hits, "own.problem", first, last))
    yield from _told_apart(first, last, words, hits)
    keys = words.keys[first:last]
    if len(keys) <= SHORT and keys[-1] in NOTHING and IDIOMS.isdisjoint(keys[-2:-1]):
        yield last - 1, "none"
    if "wann" in keys and "wieder" in keys:
        yield first + keys.index("wieder"), "general"


def _told_apart(first: int, last: int, words: Words, hits: Hits) -> Iterator[tuple[int, str]]:
    """Verbs whose second half comes late: "bricht alle fünf Minuten ab"."""
    for hit in _within(hits, "apart.verbs", first, last):
        reach = words.keys[hit.end : min(last, hit.end + REACH_APART)]
        if any(other.tag == "apart.halves" for other in _within(hits, "apart.halves", hit.end, hit.end + len(reach))):
            yield hit.start, "drops"


def _within(hits: Hits, tag: str, first: int, last: int) -> list[Hit]:
    return [hit for hit in hits.get(tag, ()) if first <= hit.start < last]


def _is_past(first: int, last: int, words: Words, hits: Hits) -> bool:
    """ "Gestern war o2 weg", "letzte Woche ausgefallen"; not "seit letzter Woche"."""
    keys = words.keys[first:last]
    verbs = _within(hits, "past.verbs", first, last)
    told = _within(hits, "past.words", first, last)
    if "seit" in keys:
        return bool(told and verbs)
    if told:
        return True
    return bool(verbs) and ("gestern" in keys or not _within(hits, "past.lasting", first, last))


def _is_conditional(found: dict[int, str], first: int, words: Words) -> bool:
    before = words.keys[first : max(found)] if found else []
    return "wenn" in before or "falls" in before


def _only_asks(sentence: int, first: int, last: int, words: Words, hits: Hits) -> bool:
    """A question that does not presuppose a fault of one's own."""
    end = words.ends[sentence].strip()
    if not end.startswith("?") and "?" not in end[:3]:
        return False
    if _within(hits, "question.own_fault", first, last):
        return False
    skipped = first
    while skipped < last - 1 and (words.raws[skipped][0] in "@#" or _names_provider(skipped, hits)):
        skipped += 1
    asks = any(hit.start in {first, skipped} for hit in hits.get("question.open", ()))
    return asks or len(end) == 1


def _names_provider(at: int, hits: Hits) -> bool:
    return any(hit.start <= at < hit.end for tag, group in hits.items() if tag.startswith("provider.") for hit in group)


def _after_the_end(faults: dict[int, str], words: Words, hits: Hits) -> dict[int, str]:
    """Where a post says that it works again, only what it tells after that, with a "but", is left."""
    ends = hits.get("resolved.words", ())
    if not ends or "resolved.unsteady" in hits:
        return faults
    last = max(hit.end for hit in ends)
    again = any(hit.start >= last - 3 for hit in hits.get("resolved.not_yet", ()))
    return {i: kind for i, kind in faults.items() if i >= last} if again else {}


def _own(words: Words, hits: Hits, *, place: bool) -> int:
    """How many things say: I, here, now."""
    since = "seit" in words.keys
    short = len(words) <= SHORT
    return len({hit.tag + words.keys[hit.start] for hit in hits.get("own.words", ())}) + since + short + place


def _against(words: Words, hits: Hits, year: int) -> float:
    total = 0.0
    for tag, weight in AGAINST.items():
        count = len({hit.start for hit in hits.get(tag, ())})
        total += weight * (1.5 if count > 1 else count)
    total += LINK * words.linked
    total += TONE * min(3, len({hit.start for hit in hits.get("news.tone", ())}))
    total += NARRATED * (len(words) > LONG and FIRST_PERSON.isdisjoint(words.keys))
    total += OTHER_YEAR * any(int(found) != year for found in YEAR.findall(words.text))
    provider_ends = {hit.end for tag, group in hits.items() if tag.startswith("provider.") for hit in group}
    total += TOLD_OF * any(hit.start in provider_ends for hit in hits.get("news.verbs", ()))
    return total + COUNTED * _counts_others(words, hits, provider_ends)


def _counts_others(words: Words, hits: Hits, provider_ends: set[int]) -> bool:
    return any(
        hit.start in provider_ends or (hit.start and words.keys[hit.start - 1].isdigit())
        for hit in hits.get("news.counted", ())
    )
