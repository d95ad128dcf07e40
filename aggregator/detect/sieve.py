"""All streams at one tick -> those in which a window may reach the threshold. Pure.

Most streams are quiet, and a scan of each costs the same whether anything is found or not. Here the windows of all
streams are bounded at once: durations that follow each other share the count of the longer one and what is expected in
the shorter. Nothing is decided but what need not be looked at: each bound leaves more room than rounding takes.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from aggregator.detect import drift
from aggregator.detect.cube import NOT_LOCATED, Cells
from aggregator.detect.scan import DRIFT_PRIOR, MIN_REPORTS, ROOM, ROUNDING, least_reports, looks_of, national
from aggregator.detect.score import ebp
from aggregator.detect.span import DRIFT_BUCKETS, DURATIONS, Field, Span, field_of
from aggregator.model import Stream

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
TOGETHER = ((0, 1), (2, 3), (4, 5), (6, 7), (8, 9), (10,), (11,), (12,))  # columns of DURATIONS that share a bound
SLACK = 1e-5  # of a stream's reports: sums of 32-bit numbers in another order
ROWS = 16  # bounds looked at together: as many as the processor keeps at hand
LESS = 1 - 1e-9  # sums of 64-bit numbers in another order


def promising(
    span: Span, streams: Mapping[Stream, Cells], floor: Floats, *, always: Container[Stream] = ()
) -> dict[Stream, Field]:
    """Return the streams in which a window of the span's one tick may reach the floor of its level, and few others.

    floor: nats, per level. Zones are measured by their own level after drift; `always`: those that are not.
    """
    fields = {stream: field_of(span, stream, cells) for stream, cells in streams.items()}
    durations = np.array([d for d in DURATIONS if d <= span.back and len(span.columns_of(d))])
    found = {stream for stream, field in fields.items() if stream in always or _national(field, durations, floor)}
    left = [stream for stream in fields if stream not in found]
    bounds = [bound for i, stream in enumerate(left) for bound in _bounds(fields[stream], durations, i)]
    bounds.sort(key=lambda bound: -bound.start)  # where a short window is enough no long one is counted
    found |= {left[i] for i in _local(span, [fields[stream] for stream in left], bounds, floor)}
    return {stream: field for stream, field in fields.items() if stream in found}


def _national(field: Field, durations: Ints, floor: Floats) -> bool:
    """Say whether a window of the nation reaches its floor; first as if the hours before said the lowest level."""
    last = field.hourly.shape[1] - 1
    count = field.together[last] - field.together[last - durations]
    level = np.where(durations > drift.LONGEST_FOLLOWED, 1.0, drift.LEAST) * field.nation_factor
    least = (field.usual[last] - field.usual[last - durations]) * level * LESS
    enough = ebp(count, least) >= floor[field.span.zones.level[field.span.zones.nation]] * LESS
    may = bool((enough & (count >= MIN_REPORTS - ROUNDING)).any())
    return may and len(national(field, looks_of(field.span), floor).tick) > 0


@dataclass(frozen=True, slots=True)
class _Bound:
    """Some durations of one stream (its place): the reports of the longest, the least hours' worth expected in any."""

    place: int
    start: int  # bucket
    hours: float


def _bounds(field: Field, durations: Ints, place: int) -> list[_Bound]:
    """Return the bounds of the durations in which the located nation has enough reports for a zone to have them."""
    last = field.hourly.shape[1] - 1
    long = np.maximum(durations, DRIFT_BUCKETS)
    counted, usual = (of[last] - of[np.maximum(last - long, 0)] for of in (field.counted, field.usual))
    drifted = np.minimum((counted + DRIFT_PRIOR) / (usual + DRIFT_PRIOR), 1.0)
    hours = (field.hourly[:, [last]] - field.hourly[:, last - durations]).min(axis=0) * drifted * (ROOM * LESS)
    enough = field.counted[last] - field.counted[last - durations] >= MIN_REPORTS - ROUNDING
    found = []
    for columns in TOGETHER:
        own = [c for c in columns if c < len(durations) and enough[c]]
        if own:
            found.append(_Bound(place, field.span.end - int(durations[own[-1]]), float(hours[own].min())))
    return found


def _local(span: Span, fields: Sequence[Field], bounds: Sequence[_Bound], floor: Floats) -> set[int]:
    """Return the places of the fields in which a zone below the nation may reach its floor."""
    found: set[int] = set()
    for low in range(0, len(bounds), ROWS):
        found |= _reaching(span, fields, [b for b in bounds[low : low + ROWS] if b.place not in found], floor)
    return found


def _reaching(span: Span, fields: Sequence[Field], bounds: Sequence[_Bound], floor: Floats) -> set[int]:
    if not bounds:
        return set()
    counts = _by_region(fields, bounds, len(span.zones.regions)) @ span.zones.zones_of
    enough = np.flatnonzero(counts.data >= MIN_REPORTS - ROUNDING)
    zone, count = counts.indices[enough], counts.data[enough].astype(np.float64)
    ends = np.searchsorted(enough, counts.indptr)
    sizes, own = np.diff(ends), [fields[bound.place] for bound in bounds]
    rates = [field.zone.rate[zone[low:high]] for field, low, high in zip(own, ends, ends[1:], strict=False)]
    mean = np.concatenate(rates) * np.repeat([bound.hours for bound in bounds], sizes)
    above = count - mean + np.repeat([SLACK * field.effective.count.sum() for field in own], sizes)
    # The Poisson score is at most (c − b)² / 2b: that is cheap, and leaves few windows for the table.
    few = np.flatnonzero((above > 0) & (above**2 >= 2 * LESS * floor.min() * mean) & (zone != span.zones.nation))
    least = least_reports(mean[few], span.zones.level[zone[few]], floor)
    place = np.repeat([bound.place for bound in bounds], sizes)[few]
    return set(place[above[few] + mean[few] >= least].tolist())


def _by_region(fields: Sequence[Field], bounds: Sequence[_Bound], regions: int) -> sparse.csr_array:
    """Return the effective reports since each bound's start (rows) of each region (columns)."""
    cells = [fields[bound.place].effective.between(bound.start, fields[bound.place].span.end) for bound in bounds]
    cells = [some.where(some.region != NOT_LOCATED) for some in cells]
    row = np.repeat(np.arange(len(bounds)), [len(some.region) for some in cells])
    region = np.concatenate([some.region for some in cells])
    count = np.concatenate([some.count for some in cells]).astype(np.float32)
    return sparse.csr_array((count, (row, region)), shape=(len(bounds), regions))
