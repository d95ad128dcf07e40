"""Raw reports with a place that the gazetteer lacks -> the same with their district, where a Nominatim knows it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from aggregator.exported import Exported
from aggregator.instance import Instance
from aggregator.model import RawReport, Rejected
from aggregator.places import NotLocated, Places
from aggregator.redact import redact
from aggregator.store import geocoded

if TYPE_CHECKING:
    from aggregator.geocode import RemoteGazetteer

MOST_ASKED: Final = 20  # new names of one batch: at one a second no feed stands still for long; the rest comes later
LONGEST: Final = 120  # characters of a name


Given = RawReport | Rejected | Exported


def placed(instance: Instance, raws: Sequence[Given]) -> list[Given]:
    """Return `raws`, those whose place only the Nominatim server knows with its district; without a server as they are.

    Asks the store first, then the server, outside of any transaction. What gets no answer stays as it is: it is
    rejected as an unknown place, and can be taken again.
    """
    if instance.remote is None:
        return list(raws)
    places = instance.catalogue.places
    lacking = (raw for raw in raws if isinstance(raw, RawReport) and _is_lacking(raw, places))
    unknown = dict.fromkeys(raw.place[:LONGEST].strip() for raw in lacking)
    regions = _asked(instance, instance.remote, unknown) if unknown else {}
    return [_with_region(raw, regions) for raw in raws]


def _is_lacking(raw: RawReport, places: Places) -> bool:
    """Whether its place is all that is known of where it is, and the gazetteer has nothing of that name.

    What points to a person (somebody wrote their street or address there) is no name to ask others for.
    """
    if not raw.place.strip() or redact(raw.place) != raw.place:
        return False
    if raw.region or raw.plz or raw.lat not in {None, ""} or raw.lon not in {None, ""}:
        return False
    found = places.locate(place=raw.place)
    return isinstance(found, NotLocated) and found.reason == "unknown_place"


def _asked(instance: Instance, remote: RemoteGazetteer, names: Iterable[str]) -> dict[str, str]:
    """Name -> district for those that have an answer; the first question without one is the last of this batch."""
    now = instance.clock.now()
    with instance.store.read() as connection:
        regions = geocoded.known(connection, names, now)
    new: dict[str, str] = {}
    for name in [name for name in names if name not in regions][:MOST_ASKED]:
        region = remote.region(name)
        if region is None:
            break
        new[name] = region
    if new:
        with instance.store.write() as connection:
            geocoded.keep(connection, new, now)
    return regions | new


def _with_region(raw: Given, regions: dict[str, str]) -> Given:
    if not isinstance(raw, RawReport) or raw.region or raw.plz:
        return raw
    region = regions.get(raw.place[:LONGEST].strip())
    return replace(raw, region=region) if region else raw
