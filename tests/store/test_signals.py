"""Signals kept: each version once, the state of then by as_of, found by place, provider and time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from aggregator.model import Filter, Signal
from aggregator.store import Store, signals
from tests.making import at


def signal(signal_id: str = "s", **values: Any) -> Signal:
    given: dict[str, Any] = {
        "source": "ioda", "region": "02", "started_at": at(5), "ended_at": None, "what": "drop", "received_at": at(10),
    }  # fmt: skip
    return Signal(signal_id=signal_id, **{**given, **values})


def add(store: Store, *given: Signal) -> int:
    with store.write() as connection:
        return signals.add(connection, given)


def found(store: Store, **asked: Any) -> list[Signal]:
    with store.read() as connection:
        return signals.find(connection, Filter(**asked))


def ids(store: Store, **asked: Any) -> list[str]:
    return [signal.signal_id for signal in found(store, **asked)]


def test_a_signal_taken_again_is_kept_once(store: Store) -> None:
    one = signal(provider="o2", value=12.5, details={"datasource": "bgp"}, link="https://example.org/")
    assert add(store, one, one) == 1
    assert add(store, replace(one, received_at=at(20))) == 0
    assert found(store) == [one]


def test_one_that_ends_is_shown_as_ended_and_as_of_then_as_going_on(store: Store) -> None:
    add(store, signal())
    assert add(store, signal(ended_at=at(30), received_at=at(31))) == 1
    assert [s.ended_at for s in found(store)] == [at(30)]
    assert [s.ended_at for s in found(store, as_of=at(20))] == [None]
    assert found(store, as_of=at(9)) == []


def test_an_old_version_that_comes_late_changes_nothing(store: Store) -> None:
    add(store, signal(ended_at=at(30), received_at=at(31)))
    assert add(store, signal(received_at=at(31))) == 0
    assert [s.ended_at for s in found(store)] == [at(30)]


def test_a_district_has_the_signals_of_its_land_and_of_the_nation(store: Store) -> None:
    add(store, *(signal(region or "nation", region=region) for region in ("", "09", "09162", "02", "02000")))
    assert ids(store, region="09162") == ["09", "09162", "nation"]
    assert ids(store, region="02") == ["02", "02000", "nation"]


def test_a_provider_has_its_own_signals_and_those_that_name_nobody(store: Store) -> None:
    add(store, signal("a", provider="o2"), signal("b", provider="telekom"), signal("c"))
    assert ids(store, provider="o2") == ["a", "c"]
    assert ids(store, provider="all") == ["a", "b", "c"]


def test_the_time_asked_for_is_touched(store: Store) -> None:
    add(store, signal("goes on"), signal("ended", ended_at=at(8)))
    assert ids(store, since=at(8)) == ["goes on"]
    assert ids(store, since=at(7), until=at(6)) == ["ended", "goes on"]
    assert ids(store, until=at(5)) == []


def test_without_a_time_of_receipt_nothing_is_kept(store: Store) -> None:
    with pytest.raises(ValueError, match="no received_at"):
        add(store, signal(received_at=None))
