"""How each feed goes, as one sees it on /quellen and in `feeds list`: from its runs, its state, its stanza. I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from aggregator.feedmodel import FeedState, Source
from aggregator.model import FeedRun
from aggregator.outbound.pace import Circuit, circuit
from aggregator.store import Connection, feeds, quarantine, runs, sources

GAPS: Final = timedelta(days=7)  # how far back gaps are told
FREE_TEXT: Final = frozenset({"mastodon_tag", "rss"})
TALK: Final = frozenset({"not_a_report", "repost", "bot", "unknown_provider"})
ASIDE: Final = frozenset({"planned_work", "simulated", "deleted"})  # understood, and left out on purpose
Light = Literal["green", "yellow", "red", "grey"]


@dataclass(frozen=True, slots=True)
class Health:
    """One source: green it is heard, yellow not at the moment, red its form changed or it is left alone, grey never.

    Yellow is too what is heard and cannot be used: silence that looks like none.
    """

    name: str
    source: Source | None  # None: no stanza describes it
    run: FeedRun | None  # the last
    good: datetime | None  # when it was last heard
    error: tuple[datetime, str] | None  # the last, even if all is well since
    gaps: Sequence[tuple[datetime, datetime]]
    state: FeedState
    aside: int  # items in quarantine
    payload_at: datetime | None  # when its last unread payload was kept
    next_run: datetime | None  # None: nobody asks it
    circuit: Circuit
    unusable: bool  # of what it said last nothing could be kept
    light: Light


def health(connection: Connection, now: datetime, described: Sequence[Source] | None = None) -> list[Health]:
    """Return the health of every source that has a stanza or was ever heard, by name.

    described: the stanzas; None: as they were last kept in the store.
    """
    known = {source.name: source for source in (sources.all_of(connection) if described is None else described)}
    facts = _Facts(
        runs.latest(connection),
        runs.last_ok(connection),
        runs.last_error(connection),
        runs.gaps(connection, now - GAPS),
        feeds.states(connection),
        quarantine.counts(connection),
        feeds.payload_times(connection),
    )
    return [_of(name, known.get(name), facts, now) for name in sorted({*known, *facts.latest})]


@dataclass(frozen=True, slots=True)
class _Facts:
    latest: Mapping[str, FeedRun]
    good: Mapping[str, datetime]
    errors: Mapping[str, tuple[datetime, str]]
    gaps: Mapping[str, list[tuple[datetime, datetime]]]
    states: Mapping[str, FeedState]
    aside: Mapping[str, int]
    payloads: Mapping[str, datetime]


def _of(name: str, source: Source | None, facts: _Facts, now: datetime) -> Health:
    run, state = facts.latest.get(name), facts.states.get(name, FeedState())
    return Health(
        name=name,
        source=source,
        run=run,
        good=facts.good.get(name),
        error=facts.errors.get(name),
        gaps=facts.gaps.get(name, []),
        state=state,
        aside=facts.aside.get(name, 0),
        payload_at=facts.payloads.get(name),
        next_run=_next(source, run, state, now),
        circuit=circuit(state, now),
        unusable=_unusable(run, source),
        light=_light(run, state, unusable=_unusable(run, source)),
    )


def _next(source: Source | None, run: FeedRun | None, state: FeedState, now: datetime) -> datetime | None:
    if source is None or not source.enabled:
        return None
    turn = run.started_at + source.every if run else now
    return max(turn, state.not_before) if state.not_before else turn


def _unusable(run: FeedRun | None, source: Source | None) -> bool:
    """Say whether all that came was rejected, and some of it for no good reason of its own."""
    if run is None or run.outcome != "ok" or run.kept or run.duplicate or not run.rejected:
        return False
    if source is not None and source.format in FREE_TEXT:
        return not set(run.rejected) & TALK  # among people's words there is always much that is no report
    return not set(run.rejected) <= ASIDE


def _light(run: FeedRun | None, state: FeedState, *, unusable: bool) -> Light:
    if run is None:
        return "grey"
    if run.outcome in {"ok", "not_modified"}:
        return "yellow" if unusable else "green"
    return "red" if run.outcome == "changed" or circuit(state, run.finished_at) != "closed" else "yellow"
