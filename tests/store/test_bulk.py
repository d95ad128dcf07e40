"""Many rows at once: whatever stands in them comes out again, in any number, by each way in."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, select

from aggregator.store import Store
from aggregator.store.bulk import FEW, encoder, in_bulk
from aggregator.store.schema import day_keys, meta, signals
from aggregator.store.select import upsert
from tests.making import at

AWKWARD = ["", "NULL", '"', "\\", '\\"', "{}", "a,b", "{,}", "'", "\n\t", " ä ", "ẞ", "\\N", "%s", ":x", "\\.", "\x7f"]
NUMBERS = [1, FEW + 5]


def rows_of(number: int) -> list[tuple[str, str]]:
    return [(f"{n:03}", AWKWARD[n % len(AWKWARD)]) for n in range(number * len(AWKWARD))]


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("new", [True, False], ids=["new rows", "rows that may be there"])
def test_any_text_comes_out_as_it_went_in(store: Store, number: int, new: bool) -> None:
    given = rows_of(number)
    with store.write() as connection:
        statement = insert(meta) if new else upsert(connection, meta).on_conflict_do_nothing()
        in_bulk(connection, statement, given)
    with store.read() as connection:
        assert [tuple(row) for row in connection.execute(select(meta).order_by(meta.c.name))] == given


@pytest.mark.parametrize("number", NUMBERS)
def test_of_an_upsert_the_last_word_stays(store: Store, number: int) -> None:
    with store.write() as connection:
        for value in ("first", "last"):
            new = upsert(connection, meta)
            change = new.on_conflict_do_update(index_elements=["name"], set_={"value": new.excluded.value})
            in_bulk(connection, change, [(f"{n:03}", value) for n in range(number)])
    with store.read() as connection:
        assert set(connection.execute(select(meta.c.value)).scalars()) == {"last"}


@pytest.mark.parametrize("number", NUMBERS)
def test_moments_numbers_bytes_and_nothing_at_all(store: Store, number: int) -> None:
    with store.write() as connection:
        moment = encoder(connection)
        given = [
            (f"{n:03}", moment(at(n)), "s", "o2", "", moment(at(0)), None, "w", n / 3 or None, "", "{}")
            for n in range(number)
        ]
        in_bulk(connection, upsert(connection, signals).on_conflict_do_nothing(), given)
        days = [(at(1440 * n).date(), bytes([n, 0, 255, 34, 92])) for n in range(number)]
        in_bulk(connection, upsert(connection, day_keys).on_conflict_do_nothing(), days)
    with store.read() as connection:
        found = connection.execute(select(signals).order_by(signals.c.signal_id)).all()
        keys = [tuple(row) for row in connection.execute(select(day_keys).order_by(day_keys.c.day))]
    assert [(row.received_at, row.ended_at, row.value) for row in found] == [
        (at(n), None, n / 3 or None) for n in range(number)
    ]
    assert keys == [(at(1440 * n).date(), bytes([n, 0, 255, 34, 92])) for n in range(number)]


def test_what_postgresql_cannot_hold_is_a_sign_for_it_and_is_looked_for_as_that(store: Store) -> None:
    with store.write() as connection:
        in_bulk(connection, insert(meta), [(f"{n}\0", "a\0b") for n in range(FEW + 1)])
    with store.read() as connection:
        assert len(connection.execute(select(meta).where(meta.c.name == "3\0")).all()) == 1
