"""A German post -> is it a fault report, of whom, of what, where, since when, each with its confidence. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from aggregator.clock import BERLIN
from aggregator.model import Provider
from aggregator.places import Places
from ingest.text.judge import judge
from ingest.text.lexicon import Hit, Lexicon
from ingest.text.places import Placed, PlaceWords, find_place
from ingest.text.providers import LIKELY, SURE, Rules, at_fault, find_providers
from ingest.text.services import find_service, symptom_of
from ingest.text.times import began
from ingest.text.words import split


class Facts(Protocol):
    """What of the catalogue is needed here."""

    @property
    def places(self) -> Places:
        """The gazetteer."""

    @property
    def providers(self) -> Mapping[str, Provider]:
        """The providers by id."""

    def provider_id(self, text: str) -> str | None:
        """Return the id of the provider of that id, name or alias."""

    @property
    def vocabulary(self) -> Mapping[str, tuple[str, ...]]:
        """The words of vocabulary.toml, by table and name."""


@dataclass(frozen=True, slots=True)
class Find:
    """A thing found in a post and how sure it is (0 to 1)."""

    value: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Reading:
    """What a post says. `confidence` is of `is_report`; `service` and `symptom` are ids, "" where it does not say."""

    is_report: bool
    confidence: float
    providers: tuple[Find, ...] = ()
    service: Find = Find("", 0.0)
    symptom: str = ""
    place: Placed | None = None
    began_at: datetime | None = None
    began_confidence: float = 0.0


class Reader:
    """Reads posts by one vocabulary and one gazetteer; makes its tables once, then nothing of it changes."""

    def __init__(self, facts: Facts) -> None:
        self._providers = facts.providers
        self._places = facts.places
        self._lexicon = Lexicon(facts.vocabulary, facts.providers.values())
        self._rules = Rules.of(facts.vocabulary)
        self._place_words = PlaceWords.of(facts.vocabulary)

    def read(self, text: str, posted_at: datetime, *, about: str = "") -> Reading:
        """Read one post, of which only the first 2,000 characters count. Never raises, whatever the text is.

        posted_at: aware; what "seit drei Stunden" is told from. about: the id of the provider that is meant where the
        post names none, as in a forum of its own.
        """
        words = split(text)
        hits = self._lexicon.find(words)
        abroad = "abroad.words" in hits
        named = [] if abroad else find_providers(words, hits, self._rules)
        meant = {tag: group for tag, group in hits.items() if not tag.startswith("provider.")}
        for hit in named:
            meant.setdefault(hit.tag, []).append(hit)
        place = (
            None if abroad else find_place(words, meant, self._places, self._place_words, footprint=self._sold(named))
        )
        service_named = any(tag.startswith("service.") and tag.endswith("strong") for tag in meant)
        year = posted_at.astimezone(BERLIN).year
        verdict = judge(
            words, meant, provider=bool(named or about), service=service_named, place=place is not None, year=year
        )
        ids = at_fault(named, words, tuple(verdict.faults)) or ((about,) if about and not abroad else ())
        service, sure = find_service(words, meant, verdict.faults, [self._providers[i] for i in ids])
        since = began(words.text, posted_at) if verdict.is_report else None
        return Reading(
            is_report=verdict.is_report,
            confidence=verdict.confidence,
            providers=tuple(Find(i, SURE if len(ids) == 1 else LIKELY) for i in ids),
            service=Find(service, sure),
            symptom=symptom_of(service, verdict.faults),
            place=place,
            began_at=since[0].astimezone(UTC) if since else None,
            began_confidence=since[1] if since else 0.0,
        )

    def _sold(self, named: Sequence[Hit]) -> tuple[str, ...]:
        """Where the one provider that is named sells, () where it is everywhere or several are named."""
        ids = {hit.tag.removeprefix("provider.") for hit in named}
        return self._providers[ids.pop()].footprint if len(ids) == 1 else ()
