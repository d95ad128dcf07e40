"""PostgreSQL goes and comes back while reports come in: what people see, and that nothing acknowledged is lost."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from aggregator.normalise import id_of_key
from aggregator.store import open_store
from tests.postgres import Server, programs
from tests.test_sick_store import (
    Site,
    a_filled_form,
    assert_the_api_says_come_again,
    assert_the_form_keeps_what_was_typed,
    serving,
    until,
)

NO_LIMITS = {"NETZLAGE_RATE_LIMITS": "off"}
pytestmark = pytest.mark.postgresql


class Sender(threading.Thread):
    """Sends one report after another until it is told to stop."""

    def __init__(self, site: Site, name: str) -> None:
        super().__init__(name=name)
        self._site, self.over, self.statuses = site, threading.Event(), [0]

    def run(self) -> None:
        """Send; what was not taken is sent again with its uid."""
        number = 0
        while not self.over.is_set():
            status = self._site.post(f"{self.name}-{number}").status
            self.statuses.append(status)
            number += status in {200, 201}
            self.over.wait(0.02)


@pytest.mark.parametrize("how", ["fast", "immediate"])
def test_a_server_that_is_started_anew_under_load_loses_no_report(tmp_path: Path, how: str) -> None:
    if programs() is None:
        pytest.skip("needs PostgreSQL")
    with Server({}) as server, serving(tmp_path, NETZLAGE_DATABASE=server.fresh("sick"), **NO_LIMITS) as site:
        senders = [Sender(site, f"s{n}") for n in range(4)]
        filled = a_filled_form(site)
        for sender in senders:
            sender.start()
        until(lambda: all(len(sender.statuses) > 3 for sender in senders))
        server.stop(how)
        until(lambda: all(sender.statuses[-1] == 503 for sender in senders))
        assert_the_api_says_come_again(site.post("while it is away"))
        assert_the_form_keeps_what_was_typed(site.ask("POST", "/melden", filled, "application/x-www-form-urlencoded"))
        assert site.ask("GET", "/api/v1/health").status == 503
        server.start()
        until(lambda: all(sender.statuses[-1] == 201 for sender in senders))
        for sender in senders:
            sender.over.set()
            sender.join()
        assert {status for sender in senders for status in sender.statuses[1:]} <= {200, 201, 503}
        assert site.ask("POST", "/melden", filled, "application/x-www-form-urlencoded").status == 303
        until(lambda: "not stored" not in site.health()[1])
        log = site.log()
        store = open_store(server.url("sick"))
        with store.read() as connection:
            found = list(connection.exec_driver_sql("SELECT report_id FROM reports").scalars())
        store.close()
        assert {id_of_key("api", uid) for uid in site.acknowledged} <= set(found)
        assert len(found) == len(set(found))
    assert sum("Reports are not stored" in line for line in log) <= 3
