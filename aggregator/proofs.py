"""The package that an incident's score stands on, as anybody may have it. I/O."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from aggregator.clock import BERLIN
from aggregator.detect.package import read_package, write_package
from aggregator.detect.proof import fold_sources
from aggregator.instance import Instance
from aggregator.store import evidence, sources
from aggregator.store.evidence import Frozen

SAID: Final = (
    "Alles, worauf die Wertung dieses Vorfalls steht. Nachrechnen: netzlage verify nachrechnen.zip. "
    "Meldungen sind keine Ausfälle und nicht repräsentativ."
)


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
