"""A server to which there is no way: asked by one at a time, and by everybody again once it answers."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from aggregator.errors import StoreError
from aggregator.store.engine import connect
from aggregator.store.knock import PAUSE, SLOW, Knock


class AwayError(Exception):
    """What the driver says of it."""


class Server:
    """A server, as the driver sees it: each connection takes `seconds`, and fails while it is `away`."""

    def __init__(self) -> None:
        self.now, self.asked, self.seconds, self.away = 0.0, 0, 10.0, True
        self.loaded_dbapi = SimpleNamespace(OperationalError=AwayError)
        self.meanwhile: Callable[[], object] = lambda: None

    def connect(self) -> str:
        self.asked += 1
        self.now += self.seconds
        self.meanwhile()
        if self.away:
            raise AwayError("no way to it")
        return "connected"


def ask(knock: Knock, server: Server) -> Any:
    try:
        return knock.connect(server, None, (), {})
    except AwayError as error:
        return str(error)


@pytest.fixture
def server() -> Server:
    return Server()


def test_who_comes_after_one_who_waited_in_vain_is_told_at_once_and_later_one_asks_again(server: Server) -> None:
    knock = Knock(lambda: server.now)
    assert [ask(knock, server) for _ in range(4)] == ["no way to it"] * 4
    assert server.asked == 1
    server.now += PAUSE
    told: list[str] = []
    server.meanwhile = lambda: told.append(ask(knock, server))  # somebody else, while one is asking
    server.away = False
    assert ask(knock, server) == "connected"
    assert (told, server.asked) == (["no way to it"], 2)
    server.meanwhile = lambda: None
    assert ask(knock, server) == "connected"


def test_a_server_that_refuses_at_once_is_asked_by_everybody(server: Server) -> None:
    knock, server.seconds = Knock(lambda: server.now), SLOW / 2
    assert [ask(knock, server) for _ in range(3)] == ["no way to it"] * 3
    assert server.asked == 3


def test_a_mistake_of_another_kind_keeps_nobody_out(server: Server) -> None:
    knock = Knock(lambda: server.now)
    ask(knock, server)
    server.now += PAUSE
    server.loaded_dbapi.OperationalError = KeyError
    with pytest.raises(AwayError):
        knock.connect(server, None, (), {})
    server.loaded_dbapi.OperationalError, server.away = AwayError, False
    assert ask(knock, server) == "connected"


def test_many_threads_that_come_at_once_to_one_that_answers_are_all_let_in(server: Server) -> None:
    knock, server.away, found = Knock(lambda: server.now), False, list[str]()
    threads = [threading.Thread(target=lambda: found.append(ask(knock, server))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["connected"] * 8


def test_a_store_whose_server_says_nothing_keeps_only_the_first_waiting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        store = connect(f"postgresql+psycopg://netzlage@127.0.0.1:{port}/n?connect_timeout=2")
        waited = []
        for _ in range(2):
            began = time.monotonic()
            with pytest.raises(StoreError, match="does not answer"), store.read():
                pass
            waited.append(time.monotonic() - began)
        store.close()
    assert waited[1] < SLOW < waited[0]
