"""The real gazetteer, loaded once, and what tests ask of its answers."""

from __future__ import annotations

from aggregator.catalogue import load_catalogue
from aggregator.places import Located, NotLocated

FACTS = load_catalogue()
PLACES = FACTS.places


def region_of(found: Located | NotLocated) -> str:
    """The district of an answer that must be one."""
    assert isinstance(found, Located), found
    return found.region


def reason_of(found: Located | NotLocated) -> str:
    """Why nothing was found, where nothing may be found."""
    assert isinstance(found, NotLocated), found
    assert found.detail
    return found.reason
