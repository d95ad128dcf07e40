"""Seats for long files: two at a time, and free again however a reader goes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from aggregator.errors import StoreError
from aggregator.instance import Instance
from aggregator.web import create_app
from aggregator.web.answers import as_file
from aggregator.web.crowd import AGAIN, AT_ONCE, Crowded, Seats

LONG = "/api/v1/reports.csv"


@pytest.fixture
def house(empty: Instance) -> Flask:
    return create_app(empty)


def ask(house: Flask) -> TestResponse:
    """Ask for a long file of which no more than the beginning is taken."""
    return FlaskClient(house, house.response_class).get(LONG)


def full(house: Flask) -> list[TestResponse]:
    """Return the answers of as many as there are seats."""
    answers = [ask(house) for _ in range(AT_ONCE)]
    assert [answer.status_code for answer in answers] == [200] * AT_ONCE
    return answers


def test_the_third_is_asked_to_come_again(house: Flask) -> None:
    answers = full(house)
    third = ask(house)
    assert third.status_code == 503
    assert third.headers["Retry-After"] == str(AGAIN)
    assert "long files" in str(third.get_json())
    for answer in answers:
        answer.close()


def test_a_seat_is_free_with_the_last_piece_though_nobody_has_closed_yet(house: Flask) -> None:
    first, second = full(house)
    for _piece in first.response:
        pass
    again = ask(house)
    assert again.status_code == 200
    assert ask(house).status_code == 503
    for answer in (first, second, again):
        answer.close()


def test_a_seat_is_free_when_the_reader_leaves_and_once_only(house: Flask) -> None:
    first, second = full(house)
    first.close()
    first.close()
    again = ask(house)
    assert again.status_code == 200
    assert ask(house).status_code == 503
    for answer in (second, again):
        answer.close()


def test_short_lists_need_no_seat(house: Flask) -> None:
    answers = full(house)
    assert FlaskClient(house, house.response_class).get(f"{LONG}?limit=5").status_code == 200
    for answer in answers:
        answer.close()


def test_a_file_that_cannot_begin_keeps_no_seat(house: Flask) -> None:
    def broken() -> Iterator[bytes]:
        raise StoreError("the disk is gone")
        yield b""

    for _ in range(AT_ONCE + 1):
        with house.test_request_context(), pytest.raises(StoreError):
            as_file(broken(), "csv", "reports", is_long=True)


def test_a_seat_is_given_back_once() -> None:
    seats = Seats(1)
    seat = seats.take()
    with pytest.raises(Crowded):
        seats.take()
    seat.leave()
    seat.leave()
    seats.take()
    with pytest.raises(Crowded):
        seats.take()
