"""The one door: raw reports from feeds, form, API and files -> store, cube and coverage. Joins the pure and the I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice

from aggregator.clock import floor_to
from aggregator.exported import Exported, as_report
from aggregator.frames import BUCKET
from aggregator.instance import Instance
from aggregator.model import FeedRun, RawReport, Rejected, Report
from aggregator.normalise import Normaliser
from aggregator.store import Connection, reports, runs, versions
from aggregator.whereabouts import placed

BATCH = 1000  # reports a transaction: each waits once for the disk, none keeps other writers waiting for long
SHOWN = 100  # rejected items, and new reports, that an Outcome carries along


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of raw reports: kept + duplicate + the sum of rejected = those given."""

    kept: int
    duplicate: int
    rejected: Mapping[str, int]  # reason -> count
    rejects: tuple[Rejected, ...]  # the first 100
    new: tuple[Report, ...]  # those kept, where they are 100 at most
    districts: Mapping[str, int]  # kept reports by AGS5; "": not located
    run: FeedRun | None  # as it was stored, counts filled in


@dataclass(slots=True)
class Tally:
    """The counts so far, while accepting."""

    kept: int = 0
    duplicate: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    rejects: list[Rejected] = field(default_factory=list)
    new: list[Report] = field(default_factory=list)
    districts: Counter[str] = field(default_factory=Counter)
    first: datetime | None = None
    last: datetime | None = None
    last_received: datetime | None = None

    def sort(self, found: Iterable[Report | Rejected]) -> list[Report]:
        """Count the rejected of `found` and return the reports."""
        resolved = []
        for item in found:
            if isinstance(item, Report):
                resolved.append(item)
            else:
                self.rejected[item.reason] += 1
                if len(self.rejects) < SHOWN:
                    self.rejects.append(item)
        return resolved

    def stored(self, added: reports.Added, resolved: list[Report]) -> None:
        """Count what the store made of `resolved`."""
        self.kept += len(added.kept)
        self.duplicate += added.duplicate
        self.new += added.kept[: SHOWN + 1 - len(self.new)]
        self.districts.update(report.region for report in added.kept)
        if resolved:
            times = [report.observed_at for report in resolved]
            self.first = min(times) if self.first is None else min(self.first, *times)
            self.last = max(times) if self.last is None else max(self.last, *times)
            received = max(report.received_at for report in resolved)
            self.last_received = received if self.last_received is None else max(self.last_received, received)

    def outcome(self, run: FeedRun | None) -> Outcome:
        """Return the counts for good."""
        new = tuple(self.new) if len(self.new) <= SHOWN else ()
        rejects = tuple(self.rejects)
        return Outcome(self.kept, self.duplicate, dict(self.rejected), rejects, new, dict(self.districts), run)


Given = RawReport | Rejected | Exported
Judge = Callable[[FeedRun, Tally], FeedRun]
Aside = Callable[[Connection, Sequence[tuple[Given, Report | Rejected]]], object]


def accept(
    instance: Instance,
    raws: Iterable[Given],
    *,
    run: FeedRun | None = None,
    whole: bool = False,
    batch: int = BATCH,
    judge: Judge | None = None,
    aside: Aside | None = None,
    ledger: versions.Ledger | None = None,
) -> Outcome:
    """Resolve and store raw reports, `batch` a transaction; cube and coverage change in the same transactions.

    raws: what a parser had to reject comes along as Rejected and is counted. run: stored with the last batch, its
    counts filled in; only then does the time that it listened to count as heard. whole: the items are all there is
    from the first to the last of them (a file), so that this time counts as heard. judge: may change the run before it
    is stored, seeing what became of the items. aside: is given the rejected of each batch, with what they were made of,
    in its transaction. ledger: how the items compare with what is stored of them. Raises StoreError.
    """
    persons = instance.keyring.at(instance.clock.now())
    normaliser, tally = Normaliser(instance.catalogue, instance.key, persons), Tally()
    for given, is_last in _batches(raws, batch):
        items = placed(instance, given)
        now = instance.clock.now()
        found = [_resolved(item, normaliser, now) for item in items]
        resolved = tally.sort(found)
        refused = [pair for pair in zip(items, found, strict=True) if isinstance(pair[1], Rejected)] if aside else []
        if not (resolved or refused) and not (is_last and run):
            continue
        with instance.store.write(alone=bool(ledger or (run and is_last))) as connection:
            if ledger:
                resolved = versions.revise(connection, resolved, ledger, now)
            tally.stored(reports.add(connection, resolved), resolved)
            if aside and refused:
                aside(connection, refused)
            if is_last and run:
                run = _store_run(connection, run, tally, whole=whole, judge=judge)
    return tally.outcome(run)


def _resolved(item: Given, normaliser: Normaliser, now: datetime) -> Report | Rejected:
    if isinstance(item, Rejected):
        return item
    if isinstance(item, Exported):
        return as_report(item, lambda raw: normaliser.report(raw, now))
    return normaliser.report(item, now)


def _batches(raws: Iterable[Given], size: int) -> Iterator[tuple[list[Given], bool]]:
    """Cut `raws` into lists of `size`, each with whether it is the last; without any items one empty last list."""
    items = iter(raws)
    ready = list(islice(items, size))
    while True:
        following = list(islice(items, size)) if len(ready) == size else []
        yield ready, not following
        if not following:
            return
        ready = following


def _store_run(connection: Connection, run: FeedRun, tally: Tally, *, whole: bool, judge: Judge | None) -> FeedRun:
    """Store the run with the counts of `tally` added to those that it brought; `whole`: with the span of the items."""
    rejected = Counter(run.rejected) + tally.rejected
    given = tally.kept + tally.duplicate + sum(rejected.values())
    filled = replace(
        run, kept=tally.kept, duplicate=tally.duplicate, rejected=dict(rejected), fetched=run.fetched or given
    )
    if whole and tally.first is not None and tally.last is not None:
        until = floor_to(tally.last, BUCKET) + BUCKET
        filled = replace(filled, listened_from=floor_to(tally.first, BUCKET), listened_until=until)
    if judge:
        filled = judge(filled, tally)
    dated = tally.last_received is not None and tally.last_received < run.started_at
    runs.add(connection, filled, as_it_happened=whole and dated)
    return filled
