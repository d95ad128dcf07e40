"""Scores -> hotspots: the best zone, its footprint, then the rest; wider streams for what none explains. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aggregator.detect.calibrate import MIN_REPORTS, Calibration
from aggregator.detect.cube import NO_CELLS, Cells, bucket_start, narrower
from aggregator.detect.footprint import figures, find_footprint
from aggregator.detect.scan import Moment, Tables, score_zones, tabulate
from aggregator.model import ALL, Hotspot, Incident, Stream

Ints = npt.NDArray[np.int64]
MOST = 8  # hotspots of one stream in one tick
NOWHERE: Ints = np.empty(0, np.int64)
EXPLAINED = 0.5  # share of a wider stream's excess that a narrower alarm explains away


def find_hotspots(
    moment: Moment, streams: Mapping[Stream, Cells], limits: Calibration, open_incidents: Sequence[Incident] = ()
) -> list[Hotspot]:
    """Scan all streams; return the hotspots of at least `limits.suspected`, highest score first.

    open_incidents explain the excess of wider streams as hotspots do; a national one has its stream's zones measured
    by their share of the nation.
    """
    found: list[Hotspot] = []
    alarmed = {i.stream for i in open_incidents}
    national = {i.stream for i in open_incidents if not i.regions}
    for stream in sorted(streams, key=_narrow_first):
        if streams[stream].between(moment.end - max(moment.durations), moment.end).count.sum() < MIN_REPORTS:
            continue
        for hotspot in scan_stream(moment, stream, streams[stream], limits.suspected, national=stream in national):
            below = {h.stream for h in found} | alarmed
            if not _explained(moment, hotspot, streams, below):
                found.append(hotspot)
    return sorted(found, key=lambda h: (-h.score, h.stream.provider, h.stream.service, h.zone))


def _narrow_first(stream: Stream) -> tuple[bool, bool, str, str]:
    return stream.provider == ALL, stream.service == ALL, stream.provider, stream.service


def scan_stream(
    moment: Moment, stream: Stream, cells: Cells, threshold: float, *, national: bool = False
) -> list[Hotspot]:
    """Return the disjoint hotspots of one stream, best first, the nation at most once.

    national: the nation has an open incident. With one, and after its hotspot, zones are measured by their share.
    """
    tables = tabulate(moment, stream, cells)
    found: list[Hotspot] = []
    free = True  # the nation is not among the hotspots yet
    while len(found) < MOST:
        scores = score_zones(moment.zones, tables, threshold, by_share=national)
        zone, column, score = scores.best(moment.zones.nation, nation=free)
        if score < threshold:
            break
        footprint = NOWHERE
        if zone != moment.zones.nation:
            footprint = find_footprint(moment.zones, tables, zone, column, threshold=threshold, by_share=national)
        part = _part(moment, tables, footprint, zone, column, by_share=national)
        found.append(_hotspot(moment, stream, part, column, score))
        tables = tables.without(footprint)
        if zone == moment.zones.nation:
            free, national = False, True
    return found


@dataclass(frozen=True, slots=True)
class _Part:
    """Where a hotspot is: its regions' places (none: the nation), the name, and the window's figures there."""

    footprint: Ints
    name: str
    observed: float
    expected: float


def _part(moment: Moment, tables: Tables, footprint: Ints, zone: int, column: int, *, by_share: bool) -> _Part:
    if zone == moment.zones.nation:
        return _Part(footprint, "de", float(tables.count_nation[column]), float(tables.expected_nation[column]))
    name = _zone_name(moment, tables, zone, footprint, column)
    return _Part(footprint, name, *figures(tables, footprint, column, by_share=by_share))


def _zone_name(moment: Moment, tables: Tables, zone: int, footprint: Ints, column: int) -> str:
    land = moment.zones.land[zone]
    if land and len(footprint) == len(moment.zones.indices(zone)):
        return land
    excess = (tables.count - tables.expected)[footprint, column]
    return moment.zones.regions[int(footprint[int(np.argmax(excess))])]


def _hotspot(moment: Moment, stream: Stream, part: _Part, column: int, score: float) -> Hotspot:
    return Hotspot(
        stream=stream,
        zone=part.name,
        regions=tuple(moment.zones.regions[i] for i in part.footprint),
        start=bucket_start(moment.end - moment.durations[column]),
        end=bucket_start(moment.end),
        observed=round(part.observed),
        expected=part.expected,
        score=score,
    )


def _explained(moment: Moment, wide: Hotspot, streams: Mapping[Stream, Cells], alarmed: Collection[Stream]) -> bool:
    """Say whether narrower alarmed streams make up half of the wide hotspot's excess in its own window."""
    below = [s for s in narrower(wide.stream, streams) if s in alarmed]
    return (
        bool(below)
        and sum(_excess(moment, wide, s, streams.get(s, NO_CELLS)) for s in below) >= EXPLAINED * wide.excess
    )


def _excess(moment: Moment, window: Hotspot, stream: Stream, cells: Cells) -> float:
    column = [bucket_start(moment.end - d) for d in moment.durations].index(window.start)
    tables = tabulate(moment, stream, cells)
    if not window.regions:
        return float(tables.count_nation[column] - tables.expected_nation[column])
    inside = np.isin(moment.zones.regions, list(window.regions))
    return float((tables.count - tables.expected)[inside, column].sum())
