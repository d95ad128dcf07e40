"""A look and its counts by source -> the packages that its new scores stand on; and out of the door again. I/O."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from aggregator.clock import BERLIN
from aggregator.detect.cube import NO_CELLS
from aggregator.detect.package import read_package, write_package
from aggregator.detect.proof import fold_sources, prove
from aggregator.detect.tick import Sight
from aggregator.instance import Instance
from aggregator.model import Hotspot, Incident
from aggregator.store import evidence, sources
from aggregator.store.evidence import Frozen

SAID: Final = (
    "Alles, worauf die Wertung dieses Vorfalls steht. Nachrechnen: netzlage verify nachrechnen.zip. "
    "Meldungen sind keine Ausfälle und nicht repräsentativ."
)


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


def package(instance: Instance, incident_id: str, as_of: datetime | None = None) -> bytes | None:
    """Return an incident's package as anybody may have it, None if there is none.

    Sources that do not let their counts be given on are one, "other".
    """
    with instance.store.read() as connection:
        found = evidence.find(connection, incident_id, as_of)
        given_on = sources.given_on(connection, "cube") or []
    if found is None:
        return None
    return write_package(fold_sources(read_package(found.content), given_on), _about(instance, found))


def _about(instance: Instance, found: Frozen) -> dict[str, Any]:
    simulated = instance.clock.simulated
    at = f"{found.at.astimezone(BERLIN):%d.%m.%Y, %H:%M} Uhr"
    return {
        "name": found.incident_id.replace("_", "-").lower(),
        "title": f"{'SIMULATION: ' * simulated}Netzlage, {found.incident_id}, Stand {at}",
        "description": SAID,
        "created": f"{found.at:%Y-%m-%dT%H:%M:%SZ}",
        "incident_id": found.incident_id,
        "simulated": simulated,
    }
