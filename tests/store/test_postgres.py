"""A PostgreSQL that does not let us in, or stops: one sentence that says what to do, and all goes on by itself."""

from __future__ import annotations

import builtins
from collections.abc import Iterator

import pytest
from sqlalchemy import make_url

from aggregator.errors import StoreError
from aggregator.store import meta, open_store
from aggregator.store.reporters import WHO_COUNTED
from aggregator.store.select import VALUES
from tests import stores
from tests.commands import Run
from tests.postgres import Server

pytestmark = pytest.mark.postgresql


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server of our own: it is stopped, and its rules are changed."""
    stores.server()  # skips where there is none
    with Server({}) as own:
        own.ask("CREATE ROLE guest LOGIN PASSWORD 'right'")
        own.ask("CREATE DATABASE closed")
        own.ask("REVOKE ALL ON SCHEMA public FROM public", "closed")
        rules = own.folder / "data" / "pg_hba.conf"
        rules.write_text(f"local all guest scram-sha-256\nhost all guest 127.0.0.2/32 reject\n{rules.read_text()}")
        own.ask("SELECT pg_reload_conf()")
        yield own


def sentence(url: str) -> str:
    with pytest.raises(StoreError) as told:
        open_store(url)
    return str(told.value)


def test_what_stands_in_the_way_is_told_with_what_to_do(server: Server) -> None:
    url = make_url(server.url())
    guest = url.set(username="guest")
    told = {
        "start it": str(url.update_query_dict({"port": "1"})),
        "check both": guest.set(password="wrong").render_as_string(hide_password=False),
        "wants a password": str(guest),
        "CREATE DATABASE": str(url.set(database="nowhere")),
        "ALTER DATABASE": guest.set(password="right", database="closed").render_as_string(hide_password=False),
        "no host has that name": "postgresql+psycopg://netzlage@nowhere.invalid/netzlage",
    }
    for part, where in told.items():
        said = sentence(where)
        assert part in said, said
        assert "wrong" not in said
        assert said.count("\n") == 0


def test_the_doctor_says_so_too(server: Server, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETZLAGE_DATABASE", str(make_url(server.url()).set(database="nowhere")))
    answer = run("doctor")
    assert answer.status == 1
    assert "broken  store: The database postgresql+psycopg://netzlage@/nowhere" in answer.out
    assert "CREATE DATABASE" in answer.out


def test_the_doctor_counts_what_is_in_it(server: Server, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETZLAGE_DATABASE", server.fresh("counted"))
    assert "0 reports, 0 incidents" in run("doctor").out


def test_without_the_driver_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def lacks(name: str, *rest: object, **more: object) -> object:
        if name.startswith("psycopg"):
            raise ModuleNotFoundError("No module named 'psycopg'", name="psycopg")
        return real(name, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", lacks)
    assert 'pip install "netzlage[postgres]"' in sentence("postgresql+psycopg://netzlage@/netzlage")


def test_after_a_restart_of_the_server_the_next_that_asks_is_answered(server: Server) -> None:
    store = open_store(server.fresh("restarted"))
    with store.write() as connection:
        meta.put(connection, "a", "1")
    server.stop("immediate")
    with pytest.raises(StoreError, match="start it"), store.read() as connection:
        meta.get(connection, "a")
    server.start()
    with store.read() as connection:
        assert meta.get(connection, "a") == "1"
    store.close()


def test_no_plan_holds_those_who_counted_against_one_reporter_after_the_other(server: Server) -> None:
    store = open_store(server.fresh("planned"))
    with store.write() as connection:
        connection.exec_driver_sql("SET plan_cache_mode = force_generic_plan")
        asked = WHO_COUNTED["postgresql"].compile(dialect=connection.dialect)
        places = {name: f"${number}" for number, name in enumerate(asked.params, start=1)}
        connection.exec_driver_sql(f"PREPARE who AS {str(asked).replace('%%', '%') % places}".replace("%", "%%"))
        given = ", ".join("'{a,b}'" if name == VALUES else "0" for name in places)
        plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN EXECUTE who ({given})").scalars())
    store.close()
    assert "reporters" in plan
    assert "reporter = ANY" not in plan
