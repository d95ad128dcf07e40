"""Which reports count: one reporter counts once per provider and service in six hours, in the order of arrival. I/O."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Select, bindparam, insert, select

from aggregator.model import Report
from aggregator.once import ONCE_IN, is_first, is_near
from aggregator.store.bulk import decoder, encoder, in_bulk, rows_of
from aggregator.store.schema import EPOCH, reporters
from aggregator.store.select import DIALECTS, any_given, as_given

NEW: Final = insert(reporters)
TOGETHER: Final = 4  # spans that are asked about at once


def _who_counted(dialect: str) -> Select[Any]:
    """Return the question when some reporters were counted in some spans."""
    c = reporters.c
    spans = c.span.in_([bindparam(f"span{number}") for number in range(TOGETHER)])
    return select(c.reporter, c.provider, c.service, c.observed_at).where(spans, any_given(dialect, c.reporter))


WHO_COUNTED: Final = {dialect: _who_counted(dialect) for dialect in DIALECTS}

Times = dict[tuple[str, str, str], list[datetime]]  # (reporter, provider, service) -> when counted


def decide(connection: Connection, arrived: list[Report]) -> list[Report]:
    """Return the reports with `counted` decided, and remember who was counted.

    Not counted: one that lies less than six hours (of observed_at) from one of the same reporter, provider and service
    that was; in the first hours of a day they are looked for under the key of the day before, too. A report without a
    reporter counts.
    """
    keyed = [report for report in arrived if report.reporter]
    if not keyed:
        return arrived
    before = _counted_before(connection, keyed)
    decided = [_decided(report, not report.reporter or _is_first(before, report)) for report in arrived]
    at = encoder(connection)
    rows = [
        (_span(report.observed_at), report.reporter, report.provider, report.service, at(report.observed_at))
        for report in decided
        if report.reporter and report.counted
    ]
    in_bulk(connection, NEW, sorted(rows))
    return decided


def _decided(report: Report, counts: bool) -> Report:
    return report if report.counted == counts else replace(report, counted=counts)


def _is_first(before: Times, report: Report) -> bool:
    what = report.provider, report.service
    if report.former and is_near(before[report.former, *what], report.observed_at):
        return False
    return is_first(before[report.reporter, *what], report.observed_at)


def _span(moment: datetime) -> int:
    return (moment - EPOCH) // ONCE_IN


def _counted_before(connection: Connection, keyed: Iterable[Report]) -> Times:
    """Return when the reporters of `keyed` were counted, as far as it can matter to these reports."""
    wanted: dict[int, set[str]] = defaultdict(set)
    for report in keyed:
        span = _span(report.observed_at)
        for near in (span - 1, span, span + 1):
            wanted[near].update(filter(None, (report.reporter, report.former)))
    found: Times = defaultdict(list)
    query, at = WHO_COUNTED[connection.dialect.name], decoder(connection)
    for spans, some in _questions(wanted):
        asked = _named(spans) | as_given(connection, sorted(some))
        for reporter, provider, service, observed_at in rows_of(connection, query, asked):
            found[reporter, provider, service].append(at(observed_at))
    return found


def _named(spans: Sequence[int]) -> dict[str, Any]:
    """Return the parameters of `spans`; where they are fewer than there are places the last one is said again."""
    return {f"span{number}": spans[min(number, len(spans) - 1)] for number in range(TOGETHER)}


def _questions(wanted: Mapping[int, set[str]]) -> list[tuple[list[int], set[str]]]:
    """Return which reporters to ask for in which spans; what came in one go of minutes is one question."""
    if len(wanted) <= TOGETHER:
        return [(sorted(wanted), set().union(*wanted.values()))]
    return [([span], some) for span, some in sorted(wanted.items())]
