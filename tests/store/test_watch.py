"""Whoever asks whether anything has changed is told of every commit, and of nothing else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from aggregator.errors import StoreError
from aggregator.store import Store, incidents, looks, meta
from aggregator.store.engine import connect
from aggregator.store.watch import Watch
from tests.stores import ON_SQLITE


def change(store: Store, value: str) -> None:
    with store.write() as connection:
        meta.put(connection, "test", value)


@ON_SQLITE
def test_the_word_changes_with_each_commit_and_not_without(store: Store) -> None:
    watch = store.watch()
    words = [watch.word(), watch.word()]
    for n in range(3):
        change(store, str(n))
        words += [watch.word(), watch.word()]
    assert all(a == b for a, b in zip(words[::2], words[1::2], strict=True))
    assert len(set(words)) == 4


def test_the_word_changes_with_each_commit(store: Store) -> None:
    watch = store.watch()
    words = [watch.word()]
    for n in range(3):
        change(store, str(n))
        words.append(watch.word())
    assert len(set(words)) == 4


def test_what_is_committed_late_changes_the_word_though_something_newer_was_seen(store: Store) -> None:
    if not store.url.startswith("postgresql"):
        pytest.skip("SQLite has one writer at a time")
    watch = store.watch()
    with store.write(alone=False) as early:
        meta.put(early, "early", "1")
        with store.write(alone=False) as late:
            meta.put(late, "late", "1")
        before = watch.word()
    assert watch.word() != before


@ON_SQLITE
def test_reading_and_giving_up_change_nothing(store: Store) -> None:
    watch = store.watch()
    before = watch.word()
    with store.read() as connection:
        meta.get(connection, "test")
    with suppress(KeyError), store.write() as connection:
        meta.put(connection, "test", "never")
        raise KeyError
    assert watch.word() == before


def test_another_process_is_noticed(store: Store) -> None:
    watch = store.watch()
    before = watch.word()
    other = connect(store.url)
    change(other, "from elsewhere")
    other.close()
    assert watch.word() != before


@ON_SQLITE
def test_threads_may_share_it(store: Store) -> None:
    watch = store.watch()
    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(lambda _: watch.word(), range(200)))) == 1


@ON_SQLITE
def test_one_that_cannot_ask_says_so_in_a_sentence(store: Store) -> None:
    watch: Watch = store.watch()
    assert watch._connection is not None
    watch._connection.driver_connection.close()  # type: ignore[union-attr]
    with pytest.raises(StoreError, match="cannot be asked"):
        watch.word()


def test_the_hours_with_a_look_are_told_once_each(store: Store) -> None:
    noon = datetime(2017, 5, 13, 12, tzinfo=UTC)
    with store.write() as connection:
        for minutes in (0, 5, 55, 60, 180):
            incidents.save_hotspots(connection, noon + timedelta(minutes=minutes), [])
    with store.read() as connection:
        found = looks.hours(connection, noon, noon + timedelta(hours=3))
    assert found == [noon, noon + timedelta(hours=1)]
