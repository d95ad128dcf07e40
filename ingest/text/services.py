"""Which service fails, and how: by the words of the clauses that tell the fault, else of the post. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from aggregator.model import Provider
from ingest.text.lexicon import Hits
from ingest.text.words import Words

STRONG, WEAK = 2.0, 1.0
BESIDE_FAULT: Final = 2.0  # times what a word counts in a clause that tells the fault
# Of several equally good ones the rarer, which nobody names by the way.
ORDER: Final = ("power", "hotline", "email", "portal", "other", "fixed_internet", "landline", "tv", "mobile")
IMPLIED: Final = {
    "slow": "fixed_internet", "modem": "fixed_internet", "mobile": "mobile", "phone": "landline", "tv": "tv",
    "power": "power", "login": "portal", "hotline": "hotline",
}  # fmt: skip
# kind of fault -> the symptom of services.toml, by service
SYMPTOMS: Final[Mapping[str, Mapping[str, str]]] = {
    "slow": {"fixed_internet": "slow", "mobile": "slow", "email": "slow", "tv": "stutters"},
    "drops": {"fixed_internet": "drops", "other": "drops"},
    "modem": {"fixed_internet": "router_sync"},
    "mobile": {"mobile": "no_signal"},
    "phone": {"landline": "no_dial_tone"},
    "tv": {"tv": "no_picture"},
    "login": {"portal": "no_login", "email": "no_login"},
    "hotline": {"hotline": "long_wait"},
    "none": {
        "fixed_internet": "no_connection", "mobile": "no_signal", "landline": "no_dial_tone", "tv": "no_picture",
        "power": "no_power",
    },
}  # fmt: skip


def find_service(
    words: Words, hits: Hits, faults: Mapping[int, str], providers: Iterable[Provider]
) -> tuple[str, float]:
    """Return the id of the service and how sure it is (0 to 1); "" where nothing says it.

    faults: word -> kind of fault, as the judge found them.
    """
    scores: Counter[str] = Counter()
    broken = {words.clauses[i] for i in faults}
    for tag, group in hits.items():
        if tag.startswith("service."):
            service, strength = tag[len("service.") :].split(".")
            for hit in group:
                weight = STRONG if strength == "strong" else WEAK
                scores[service] += weight * (BESIDE_FAULT if words.clauses[hit.start] in broken else 1)  # type: ignore[assignment]
    for kind in faults.values():
        if kind in IMPLIED:
            scores[IMPLIED[kind]] += 1
    sold = [set(provider.services) for provider in providers]
    if sold:
        offered = Counter({service: n for service, n in scores.items() if any(service in own for own in sold)})
        scores = offered or scores  # what it is not known to sell, it may sell nevertheless
        if not scores:
            return _implied(sold)
    if not scores:
        return "", 0.0
    best = max(ORDER, key=lambda service: scores[service])
    return best, round(min(0.95, 0.5 + scores[best] / (2 * sum(scores.values())) * 0.9), 2)


def _implied(sold: Sequence[set[str]]) -> tuple[str, float]:
    """What a provider's bare name stands for: its one network service, or its line into the house."""
    services = set.intersection(*sold) - {"portal", "hotline", "other"}
    if len(services) == 1:
        return services.pop(), 0.7
    return ("fixed_internet", 0.6) if "fixed_internet" in services and "mobile" not in services else ("", 0.0)


def symptom_of(service: str, faults: Mapping[int, str]) -> str:
    """Return the id of the symptom in services.toml that fits, "" if none does."""
    found = (SYMPTOMS.get(kind, {}).get(service, "") for kind in faults.values())
    return next(filter(None, found), "")
