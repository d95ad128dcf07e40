"""/quellen: each feed's state, last error, gaps, what is kept aside, when it is asked next."""

from __future__ import annotations

from datetime import timedelta

from flask.testing import FlaskClient

from aggregator.feedmodel import FeedState, Payload, Quarantined, Source
from aggregator.instance import Instance
from aggregator.model import FeedRun
from aggregator.store import feeds, quarantine, runs, sources
from aggregator.web import create_app
from tests.test_refresh import NOW

MINUTE = timedelta(minutes=1)


def page(instance: Instance) -> str:
    client: FlaskClient = create_app(instance).test_client()
    return " ".join(client.get("/quellen").text.split())


def test_a_source_that_was_never_heard_says_so_and_when_it_is_asked(empty: Instance) -> None:
    with empty.store.write() as connection:
        sources.keep(
            connection,
            [Source("still", note="vor dem Abrufen fragen", licence="CC-BY-4.0"), Source("aus", enabled=False)],
        )
    text = page(empty)
    for words in ("noch nie abgerufen", "vor dem Abrufen fragen", "Lizenz: CC-BY-4.0", 'class="ampel-grey"'):
        assert words in text
    assert text.count(">keiner</td>") == 1  # only the one that is off has no next run


def test_a_source_that_fails_again_and_again_is_red_with_its_circuit_its_error_and_its_gap(empty: Instance) -> None:
    heard = FeedRun("lampen", NOW - 60 * MINUTE, NOW - 60 * MINUTE, "ok", gap_from=NOW - 90 * MINUTE,
                    listened_from=NOW - 70 * MINUTE, listened_until=NOW - 60 * MINUTE)  # fmt: skip
    error = 'No item has "at" (our observed_at) any more; the form has changed.'
    failed = FeedRun("lampen", NOW - MINUTE, NOW - MINUTE, "changed", error=error)
    with empty.store.write() as connection:
        sources.keep(connection, [Source("lampen")])
        runs.add(connection, heard)
        runs.add(connection, failed)
        feeds.keep_state(connection, "lampen", FeedState(6, NOW - 20 * MINUTE, NOW + 25 * MINUTE))
        feeds.keep_payload(connection, Payload("lampen", NOW - MINUTE, error, (("[]", {}),)))
        quarantine.add(connection, [Quarantined("1", "lampen", NOW, "bad_time", "observed_at", "?", "item", {})])
    text = page(empty)
    for words in (
        'class="ampel-red"', "Nach 6 Fehlern in Folge wird sie in Ruhe gelassen.", "(our observed_at) any more",
        "ist aufbewahrt", "in Quarantäne: 1", 'data-was="Lücken in 7 Tagen">1<br>',
    ):  # fmt: skip
        assert words in text, words


def test_a_source_that_goes_well_again_is_green_and_still_tells_its_last_error(empty: Instance) -> None:
    with empty.store.write() as connection:
        runs.add(connection, FeedRun("x", NOW - 9 * MINUTE, NOW - 9 * MINUTE, "unreachable", error="No answer."))
        runs.add(connection, FeedRun("x", NOW - MINUTE, NOW - MINUTE, "ok", kept=3, rejected={"bad_time": 2}))
    text = page(empty)
    for words in ('class="ampel-green"', "Letzter Fehler", "No answer.", "Zeit unlesbar: 2"):
        assert words in text, words
