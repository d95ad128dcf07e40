"""Scores -> hotspots: the most unlikely zone, its footprint, then the rest; wider streams for what is left. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from aggregator.detect.calibrate import Calibration
from aggregator.detect.cube import NO_CELLS, Cells, bucket_start, narrower
from aggregator.detect.footprint import find_footprint
from aggregator.detect.incident import SPREADS_AFTER, is_public
from aggregator.detect.scan import MIN_REPORTS, Figures, figures, scan
from aggregator.detect.sieve import promising
from aggregator.detect.span import DURATIONS, Field, Span, field_of
from aggregator.detect.zones import LEVELS
from aggregator.model import ALL, Basis, Hotspot, Incident, Stream

Ints = npt.NDArray[np.int64]
MOST = 8  # hotspots of one stream in one tick
NOWHERE: Ints = np.empty(0, np.int64)
EXPLAINED = 0.5  # share of a wider stream's excess that a narrower alarm explains away
DISTRICT = LEVELS.index("district")


def find_hotspots(
    span: Span, streams: Mapping[Stream, Cells], limits: Calibration, open_incidents: Sequence[Incident] = ()
) -> list[Hotspot]:
    """Scan all streams at the span's one tick; return the hotspots that are suspected, the most unlikely first.

    open_incidents explain the excess of wider streams as hotspots do; a national one has its stream's zones measured
    by their share of the nation.
    """
    found: list[Hotspot] = []
    alarmed = {i.stream for i in open_incidents}
    national = {i.stream for i in open_incidents if not i.regions}
    worth = {s: cells for s, cells in streams.items() if worth_a_scan(span, s, streams)}
    fields = promising(span, worth, limits.floor(limits.suspected), always=national)
    for stream in sorted(fields, key=_narrow_first):
        public = [i for i in open_incidents if i.stream == stream and i.regions and _is_known(i, span, limits)]
        below = {h.stream for h in found} | alarmed
        for hotspot in scan_field(fields[stream], stream, limits, national=stream in national):
            seen = _beside_public(span, streams[stream], hotspot, public, limits) if public else hotspot
            if seen and not _explained(span, seen, streams, below):
                found.append(seen)
    return sorted(found, key=lambda h: (-h.standard, h.stream.provider, h.stream.service, h.zone))


def worth_a_scan(span: Span, stream: Stream, streams: Mapping[Stream, Cells]) -> bool:
    """Say whether a stream has enough reports, and is not just another name of the one stream that it contains."""
    if streams[stream].between(span.first - span.back, span.end).count.sum() < MIN_REPORTS:
        return False
    return stream.service != ALL or len(narrower(stream, streams)) > 1


def _narrow_first(stream: Stream) -> tuple[bool, bool, str, str]:
    return stream.provider == ALL, stream.service == ALL, stream.provider, stream.service


def scan_stream(
    span: Span, stream: Stream, cells: Cells, limits: Calibration, *, national: bool = False
) -> list[Hotspot]:
    """Return the disjoint hotspots of one stream; see `scan_field`."""
    return scan_field(field_of(span, stream, cells), stream, limits, national=national)


def scan_field(field: Field, stream: Stream, limits: Calibration, *, national: bool = False) -> list[Hotspot]:
    """Return the disjoint hotspots of one stream, the most unlikely first, the nation at most once.

    national: the nation has an open incident. With one, and after its hotspot, zones are measured by their share.
    """
    span = field.span
    floor = limits.floor(limits.suspected)
    found: list[Hotspot] = []
    gone = NOWHERE  # districts of those found already
    free = True  # the nation is not among the hotspots yet
    while len(found) < MOST:
        best = _best(field, limits, floor, nation=free, by_share=national)
        if best is None:
            break
        regions = None
        if best.zone != span.zones.nation:
            regions = find_footprint(field, best.zone, best.column, threshold=floor[DISTRICT], by_share=national)
        seen = figures(field, best.column, regions, by_share=national)
        basis = _basis(field, best, gone, by_share=national)
        found.append(replace(_hotspot(field, stream, best, regions, seen), basis=basis))
        gone = gone if regions is None else np.union1d(gone, regions)
        field = field.without(NOWHERE if regions is None else regions)
        if regions is None:
            free, national = False, True
    return found


@dataclass(frozen=True, slots=True)
class _Best:
    """The most unlikely window: zone, column of DURATIONS, score in nats, the same on the scale of its level."""

    zone: int
    column: int
    score: float
    standard: float


def _best(
    field: Field, limits: Calibration, floor: npt.NDArray[np.float64], *, nation: bool, by_share: bool
) -> _Best | None:
    """Return the window that explains most, of those that are unlikely enough.

    Which zone it is, is a question of likelihood: the score above what its level reaches anyway. How unlikely it is, is
    one of the scale, whose slope would otherwise choose the zone where everything is far above the threshold.
    """
    found = scan(field, floor, by_share=by_share)
    level = field.span.zones.level[found.zone]
    standard = limits.standard(found.score, level)
    allowed = (standard >= limits.suspected) & (nation | (found.zone != field.span.zones.nation))
    if not allowed.any():
        return None
    i = int(np.argmax(np.where(allowed, found.score - np.asarray(limits.foot)[level], -np.inf)))
    return _Best(int(found.zone[i]), int(found.column[i]), float(found.score[i]), float(standard[i]))


def _basis(field: Field, best: _Best, gone: Ints, *, by_share: bool) -> Basis:
    zones = field.span.zones
    inside = NOWHERE if best.zone == zones.nation else zones.indices(best.zone)
    zone, taken_out = (tuple(zones.regions[i] for i in places) for places in (inside, gone))
    return Basis(zone, taken_out, by_share)


def _hotspot(field: Field, stream: Stream, best: _Best, regions: Ints | None, seen: Figures) -> Hotspot:
    zones, end = field.span.zones, field.span.end
    return Hotspot(
        stream=stream,
        zone="de" if regions is None else _zone_name(field, best, regions),
        regions=() if regions is None else tuple(zones.regions[i] for i in regions),
        start=bucket_start(end - DURATIONS[best.column]),
        end=bucket_start(end),
        observed=round(seen.reports),
        expected=seen.expected,
        score=best.score,
        standard=best.standard,
        level=LEVELS[zones.level[best.zone]],
        effective=seen.effective,
        effective_expected=seen.effective_expected,
    )


def _zone_name(field: Field, best: _Best, regions: Ints) -> str:
    zones = field.span.zones
    land = zones.land[best.zone]
    if land and len(regions) == len(zones.indices(best.zone)):
        return land
    window = field.window(DURATIONS[best.column])
    return zones.regions[int(regions[int(np.argmax((window.effective - window.expected)[regions]))])]


def _is_known(incident: Incident, span: Span, limits: Calibration) -> bool:
    """Say whether people may report because they read of the incident."""
    return is_public(incident, limits) and bucket_start(span.end) - incident.first_alarm_at >= SPREADS_AFTER


def _beside_public(
    span: Span, cells: Cells, hotspot: Hotspot, public: Sequence[Incident], limits: Calibration
) -> Hotspot | None:
    """Return a hotspot beside regional incidents that people have read of, None where reading may be all that it is.

    News goes round the country: the nation is suspected at most then, and a region must stand out by its share of the
    nation's reports, those of the incidents left out.
    """
    known = {region for incident in public for region in incident.regions}
    if known & set(hotspot.regions):
        return hotspot
    if not hotspot.regions:
        return replace(hotspot, held=True)
    places = {name: i for i, name in enumerate(span.zones.regions)}
    rest = field_of(span, hotspot.stream, cells).without(np.array(sorted(places[r] for r in known), dtype=np.int64))
    column = [bucket_start(span.end - d) for d in DURATIONS].index(hotspot.start)
    regions = np.array([places[r] for r in hotspot.regions], dtype=np.int64)
    score = figures(rest, column, regions, by_share=True).score
    return hotspot if score >= limits.floor(limits.suspected)[LEVELS.index(hotspot.level)] else None


def _explained(span: Span, wide: Hotspot, streams: Mapping[Stream, Cells], alarmed: Collection[Stream]) -> bool:
    """Say whether narrower alarmed streams make up half of the wide hotspot's excess in its own window."""
    below = [s for s in narrower(wide.stream, streams) if s in alarmed]
    return (
        bool(below) and sum(_excess(span, wide, s, streams.get(s, NO_CELLS)) for s in below) >= EXPLAINED * wide.excess
    )


def _excess(span: Span, window: Hotspot, stream: Stream, cells: Cells) -> float:
    column = [bucket_start(span.end - d) for d in DURATIONS].index(window.start)
    inside = np.flatnonzero(np.isin(span.zones.regions, list(window.regions))) if window.regions else None
    seen = figures(field_of(span, stream, cells), column, inside)
    return seen.reports - seen.expected
