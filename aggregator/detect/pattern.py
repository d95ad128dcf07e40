"""Stream and footprint -> what kind of thing it is: one provider or several, a region or the nation. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from aggregator.model import ALL, Pattern, Scope, Stream


def name_scope(regions: Sequence[str]) -> Scope:
    """Return local for one district, regional for more, national for none named."""
    if not regions:
        return "national"
    return "local" if len(regions) == 1 else "regional"


def name_pattern(stream: Stream, regions: Sequence[str]) -> Pattern:
    """Return the pattern; only the stream of all providers speaks of several."""
    if stream.provider == ALL:
        return "several_providers_regional" if regions else "several_providers_national"
    return "one_provider_regional" if regions else "one_provider_national"
