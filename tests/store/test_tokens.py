"""Tokens: shown once, kept as a hash, good for their scopes only, gone when revoked. Enquiries: put on record once."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from aggregator.record import Enquiry
from aggregator.store import Store, enquiries, tokens
from tests.making import at


def test_a_token_is_known_by_its_text_and_kept_as_a_hash(store: Store) -> None:
    with store.write() as connection:
        issued = tokens.add(connection, "Redaktion", ["statements", "statements"], at(0))
        other = tokens.add(connection, "Zweite", ["corrections"], at(1))
    with store.read() as connection:
        assert tokens.check(connection, issued.text) == issued.token
        assert issued.token.scopes == ("statements",)
        assert tokens.everyone(connection) == [issued.token, other.token]
        kept = str(connection.execute(text("select * from tokens")).all())
    assert issued.text.split("_", 2)[2] not in kept


def test_what_is_nearly_a_token_is_none(store: Store) -> None:
    with store.write() as connection:
        good = tokens.add(connection, "a", ["statements"], at(0)).text
        other = tokens.add(connection, "b", ["statements"], at(0)).text
    mark, token_id, secret = good.split("_", 2)
    mixed = f"{mark}_{token_id}_{other.split('_', 2)[2]}"
    with store.read() as connection:
        for wrong in (
            "",
            "x",
            good[:-1],
            good + "x",
            mixed,
            f"{mark}_{token_id}_",
            f"xyz_{token_id}_{secret}",
            "\ud800",
        ):
            assert tokens.check(connection, wrong) is None, wrong


def test_a_revoked_token_is_worth_nothing(store: Store) -> None:
    with store.write() as connection:
        issued = tokens.add(connection, "a", ["statements"], at(0))
        assert tokens.revoke(connection, issued.token.token_id, at(5))
        assert not tokens.revoke(connection, issued.token.token_id, at(6))
        assert not tokens.revoke(connection, "none", at(6))
    with store.read() as connection:
        assert tokens.check(connection, issued.text) is None
        assert tokens.everyone(connection)[0].revoked_at == at(5)


@pytest.mark.parametrize("scopes", [[], ["everything"], ["statements", "everything"]])
def test_a_token_for_nothing_known_is_not_made(store: Store, scopes: list[str]) -> None:
    with store.write() as connection, pytest.raises(ValueError, match="scopes"):
        tokens.add(connection, "a", scopes, at(0))


def test_an_enquiry_is_on_record_once_and_from_when_it_was_put_there(store: Store) -> None:
    asked = Enquiry("e1", "20170513-o2-mobile-02000", "o2", at(0), at(10))
    with store.write() as connection:
        assert enquiries.add(connection, asked)
        assert not enquiries.add(connection, asked)
    with store.read() as connection:
        assert enquiries.get(connection, "e1") == asked
        assert enquiries.get(connection, "e2") is None
        assert enquiries.find(connection, asked.incident_id) == [asked]
        assert enquiries.find(connection, asked.incident_id, at(9)) == []
        assert enquiries.find(connection, "other") == []
