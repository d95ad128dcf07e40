"""/metrics: figures that Prometheus can read, of routes and not of paths, for those who may."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NoReturn

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from aggregator.errors import StoreError
from aggregator.instance import Instance
from aggregator.model import FeedRun
from aggregator.store import Store, incidents, leases, runs, work
from aggregator.web import create_app
from aggregator.web.metrics import may_read
from tests.making import incident
from tests.test_refresh import NOW

REPORT = {"provider": "o2", "service": "mobile", "plz": "20095", "uid": "u1", "observed_at": NOW.isoformat()}


def figures(site: FlaskClient, **kw: Any) -> dict[str, dict[tuple[str, ...], float]]:
    """The samples by name and labels, as Prometheus reads them."""
    answer = site.get("/metrics", **kw)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found


def test_requests_are_counted_by_route_and_never_by_path(empty: Instance) -> None:
    site = create_app(empty, cached=True).test_client()
    for path in ("/region/02000", "/region/05315", "/nirgends/Erika.Mustermann@example.org", "/api/v1/incidents"):
        site.get(path)
    site.open("/api/v1/incidents", method="BREW")
    found = figures(site)
    counted = found["netzlage_http_requests_total"]
    assert counted["GET", "/api/v1/<name>", "200"] == 1
    assert counted["GET", "none", "404"] == 1
    assert any(method == "other" for method, _, _ in counted)
    assert not any("Mustermann" in route or "05315" in route for _, route, _ in counted)
    assert found["netzlage_http_request_seconds_count"]["/api/v1/<name>",] >= 1


def test_what_feeds_jobs_people_and_incidents_do_is_told(empty: Instance) -> None:
    app = create_app(empty)
    with empty.store.write() as connection:
        assert leases.acquire(connection, "alerts", "host-1 4711 abc", timedelta(minutes=1))
        run = FeedRun("feed", NOW, NOW, "ok", kept=3, duplicate=2, rejected={"bad_time": 1})
        runs.add(connection, run)
        runs.add(connection, FeedRun("feed", NOW, NOW, "unreachable", error="It is away."))
        work.done(connection, "refresh", NOW - timedelta(seconds=30), 0.25, failed=False)
        work.done(connection, "refresh", NOW, 0.5, failed=True)
        incidents.save(connection, [incident()], [])
    app.test_client().post("/api/v1/reports", json=REPORT)
    app.test_client().post("/api/v1/reports", json=REPORT)
    found = figures(app.test_client())
    assert found["netzlage_feed_reports_total"] == {
        ("feed", "kept"): 3, ("feed", "duplicate"): 2, ("feed", "rejected"): 1,
    }  # fmt: skip
    assert found["netzlage_feed_age_seconds"] == {("feed",): 0}
    assert found["netzlage_feed_hearings_total"] == {("feed",): 2}
    assert found["netzlage_feed_failures_total"] == {("feed",): 1}
    assert found["netzlage_job_last_seconds"]["refresh",] == 0.5
    assert found["netzlage_job_seconds_total"]["refresh",] == 0.75
    assert found["netzlage_job_failures_total"]["refresh",] == 1
    assert found["netzlage_job_held"] == {("host-1", "alerts"): 1}
    assert found["netzlage_job_taken_total"] == {("alerts",): 1}
    assert found["netzlage_incidents_open"] == {("suspected",): 1, ("strong",): 0, ("easing",): 0}
    sent = found["netzlage_sent_reports_total"]
    assert (sent["kept",], sent["duplicate",], found["netzlage_intake_commits_total"][()]) == (1, 1, 2)
    assert found["netzlage_store_up"] == {(): 1}


def test_a_store_that_does_not_answer_is_told_and_the_rest_stays(
    empty: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(_store: Store) -> NoReturn:
        raise StoreError("The database is gone.")

    app = create_app(empty)
    monkeypatch.setattr(Store, "read", gone)
    found = figures(app.test_client())
    assert found["netzlage_store_up"] == {(): 0}
    assert "process_open_fds" in found


def test_strangers_do_not_get_the_figures(app: Flask) -> None:
    there = app.test_client()
    assert there.get("/metrics", environ_base={"REMOTE_ADDR": "203.0.113.9"}).status_code == 403
    assert there.get("/metrics", environ_base={"REMOTE_ADDR": "::1"}).status_code == 200


@pytest.mark.parametrize(
    ("who", "networks", "may"),
    [
        ("10.2.3.4", ("10.0.0.0/8",), True),
        ("::ffff:10.2.3.4", ("10.0.0.0/8",), True),
        ("11.2.3.4", ("10.0.0.0/8", "::1/128"), False),
        ("", ("0.0.0.0/0",), False),
        ("2001:db8::1", ("2001:db8::/32",), True),
    ],
)
def test_networks_say_who_may_read(who: str, networks: tuple[str, ...], may: bool) -> None:
    assert may_read(who, networks) is may
