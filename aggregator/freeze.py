"""A look and its counts by source -> the packages that its new scores stand on. Joins the look and the store's rows."""

from __future__ import annotations

from collections.abc import Sequence

from aggregator.detect.cube import NO_CELLS
from aggregator.detect.package import write_package
from aggregator.detect.proof import prove
from aggregator.detect.tick import Sight
from aggregator.model import Hotspot, Incident
from aggregator.store.evidence import Frozen


def freeze(
    seen: Sight, hotspots: Sequence[Hotspot], advanced: Sequence[Incident], known: Sequence[Incident]
) -> list[Frozen]:
    """Return the packages of those incidents that this look opened or gave a score higher than all before."""
    before = {incident.incident_id: incident.standard for incident in known}
    clearer = [i for i in advanced if i.standard > before.get(i.incident_id, float("-inf"))]
    if not clearer:
        return []
    shown = {(h.stream, h.standard, tuple(sorted(h.regions))): h for h in hotspots}
    found = ((i.incident_id, shown.get((i.stream, i.standard, i.regions))) for i in clearer)
    return [Frozen(incident_id, seen.at, _package(seen, h)) for incident_id, h in found if h]


def _package(seen: Sight, hotspot: Hotspot) -> bytes:
    proof = prove(seen.span, hotspot, seen.streams.get(hotspot.stream, NO_CELLS), seen.limits, seen.counts)
    return write_package(proof, {})
