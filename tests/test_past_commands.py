"""`detect` over files and `replay` over the store: what live looks would have found, each time the same."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aggregator.clock import SimulatedClock
from aggregator.instance import open_instance
from aggregator.model import Filter, Report
from aggregator.refresh import Detection
from aggregator.settings import load_settings
from aggregator.store import cube, incidents, reports
from aggregator.store.holder import alone
from tests.commands import Answer, Run
from tests.detect.world import REGIONS

START = datetime(2017, 4, 3, tzinfo=UTC)
END = START + timedelta(days=30)
OUTAGE = START + timedelta(days=29, hours=10)
PLACE = REGIONS[14].id
Row = dict[str, str]


def rows(seed: int = 1) -> list[Row]:
    """A month of one provider, twelve reports an hour everywhere; in the last days two hours of an outage."""
    rng = np.random.default_rng(seed)
    usual = rng.uniform(0, (END - START).total_seconds(), rng.poisson(12 * 24 * 30))
    more = (OUTAGE - START).total_seconds() + rng.uniform(0, 7200, 60)
    found = [(START + timedelta(seconds=float(s)), REGIONS[int(rng.integers(36))].id) for s in usual]
    found += [(START + timedelta(seconds=float(s)), PLACE) for s in more]
    return [
        {
            "observed_at": f"{at:%Y-%m-%dT%H:%M:%SZ}",
            "region": where,
            "provider": "x",
            "service": "mobile",
            "reporter": "",
        }
        for at, where in sorted(found)
    ]


def write(path: Path, table: list[Row], columns: list[str] | None = None) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns or list(table[0]), extrasaction="ignore")
        writer.writeheader()
        writer.writerows(table)
    return path


@pytest.fixture
def regions(tmp_path: Path) -> Path:
    table = [
        {
            "region": r.id, "name": r.name, "parent": r.parent, "lat": str(r.lat), "lon": str(r.lon),
            "population": str(r.population),
        }
        for r in REGIONS
    ]  # fmt: skip
    return write(tmp_path / "regions.csv", table)


@pytest.fixture
def detect(run: Run, tmp_path: Path, regions: Path) -> Callable[..., Answer]:
    def with_table(table: list[Row], *options: str, out: str = "out.json", columns: list[str] | None = None) -> Answer:
        given = write(tmp_path / "reports.csv", table, columns)
        return run("detect", str(given), "--regions", str(regions), "--out", str(tmp_path / out), *options)

    return with_table


def read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return content


def test_detect_finds_the_outage_and_writes_the_same_bytes_again(detect: Callable[..., Answer], tmp_path: Path) -> None:
    assert detect(rows()).status == 0
    found = read(tmp_path / "out.json")["incidents"]
    at_place = [i for i in found if i["regions"] == [PLACE]]
    assert len(at_place) == 1
    incident = at_place[0]
    assert incident["incident_id"].startswith("20170502-x-mobile-")
    assert (incident["pattern"], incident["scope"], incident["state"]) == ("one_provider_regional", "local", "over")
    onset = datetime.fromisoformat(incident["onset"])
    assert abs(onset - OUTAGE) <= timedelta(minutes=15)
    assert incident["recurrence_weeks"] > 13
    assert detect(rows(), out="again.json").status == 0
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "out.json").read_bytes()


def test_the_order_of_the_lines_changes_nothing(detect: Callable[..., Answer], tmp_path: Path) -> None:
    detect(rows())
    detect(list(reversed(rows())), out="reversed.json")
    assert (tmp_path / "reversed.json").read_bytes() == (tmp_path / "out.json").read_bytes()


def test_a_report_that_is_known_later_is_not_seen_before(detect: Callable[..., Answer], tmp_path: Path) -> None:
    begin, end = (f"{OUTAGE + timedelta(hours=h):%Y-%m-%dT%H:%M:%SZ}" for h in (0, 5))
    late = [
        {
            **row,
            "received_at": end if row["region"] == PLACE and begin <= row["observed_at"] < end else row["observed_at"],
        }
        for row in rows()
    ]
    assert detect(late, "--step", "1h").status == 0
    for incident in read(tmp_path / "out.json")["incidents"]:
        if PLACE in incident["regions"]:
            assert datetime.fromisoformat(incident["first_alarm_at"]) >= OUTAGE + timedelta(hours=5)


def test_one_person_counts_once_in_six_hours(detect: Callable[..., Answer], tmp_path: Path) -> None:
    insistent = [{**row, "reporter": "same" if row["region"] == PLACE else ""} for row in rows()]
    assert detect(insistent).status == 0
    method = read(tmp_path / "out.json")["method"]
    assert method["counted"] < method["reports"]
    assert not [i for i in read(tmp_path / "out.json")["incidents"] if i["regions"] == [PLACE]]


def test_less_than_a_week_is_said_and_nothing_is_strong(detect: Callable[..., Answer], tmp_path: Path) -> None:
    answer = detect(rows()[-1500:], "--history", "3d")
    assert answer.status == 0
    assert "Less than a week" in answer.out
    content = read(tmp_path / "out.json")
    assert content["method"]["notes"]
    assert not [i for i in content["incidents"] if i["state"] == "strong"]


@pytest.mark.parametrize(("change", "said"), [
    ({"region": "nowhere"}, "line 2 names a region that the regions file lacks"),
    ({"observed_at": "yesterday"}, "line 2 has observed_at = 'yesterday'"),
    ({"provider": ""}, "line 2 has no provider"),
    ({"service": " "}, "line 2 has no service"),
    ({"received_at": "2010-01-01T00:00:00Z"}, "line 2 was received before it was observed"),
])  # fmt: skip
def test_a_bad_line_is_named(detect: Callable[..., Answer], tmp_path: Path, change: Row, said: str) -> None:
    table = [{**row, "received_at": row["observed_at"]} for row in rows()[:50]]
    table[0] = {**table[0], **change}
    answer = detect(table)
    assert answer.status == 1
    assert said in answer.err
    assert len(answer.err.strip().splitlines()) == 1
    assert not (tmp_path / "out.json").exists()


def test_a_file_without_reports_or_columns_is_refused_in_a_sentence(detect: Callable[..., Answer]) -> None:
    table = rows()[:5]
    assert "lacks the column reporter" in detect(table, columns=["observed_at", "region", "provider", "service"]).err
    assert "all of the first" in detect(table).err


@pytest.mark.parametrize("content", ["", "observed_at,region,provider,service,reporter\n"])
def test_an_empty_file_is_refused(run: Run, tmp_path: Path, regions: Path, content: str) -> None:
    (tmp_path / "empty.csv").write_text(content)
    answer = run("detect", str(tmp_path / "empty.csv"), "--regions", str(regions), "--out", str(tmp_path / "o.json"))
    assert answer.status == 1
    assert "at least one" in answer.err


def test_one_region_alone_works(run: Run, tmp_path: Path, regions: Path) -> None:
    only = write(
        tmp_path / "one.csv",
        [row for row in csv.DictReader(regions.read_text("utf-8").splitlines()) if row["region"] == PLACE],
    )
    table = [{**row, "region": PLACE} for row in rows()]
    given = write(tmp_path / "reports.csv", table)
    answer = run("detect", str(given), "--regions", str(only), "--out", str(tmp_path / "out.json"))
    assert answer.status == 0, answer.err
    assert [i for i in read(tmp_path / "out.json")["incidents"] if i["scope"] == "national"]
    assert "NaN" not in (tmp_path / "out.json").read_text()


@pytest.mark.parametrize(("column", "value", "said"), [
    ("lat", "", "lat"), ("population", "", "population"), ("population", "0", "population"),
])  # fmt: skip
def test_regions_without_place_or_people_are_refused(  # noqa: PLR0917
    run: Run, tmp_path: Path, regions: Path, column: str, value: str, said: str
) -> None:
    table = [{**row, column: value} for row in csv.DictReader(regions.read_text("utf-8").splitlines())]
    bad = write(tmp_path / "bad.csv", table)
    given = write(tmp_path / "reports.csv", rows()[:10])
    answer = run("detect", str(given), "--regions", str(bad), "--out", str(tmp_path / "o.json"))
    assert answer.status == 1
    assert said in answer.err


def stored(home: Path) -> None:
    """Bring a month of O2 with an outage in Hamburg into a store, as it became known."""
    instance = open_instance(load_settings(None, {"NETZLAGE_HOME": str(home)}), SimulatedClock(END))
    names = list(instance.catalogue.regions)
    given = []
    for n, row in enumerate(rows()):
        at = datetime.fromisoformat(row["observed_at"])
        where = "02000" if row["region"] == PLACE else names[(n * 37) % 400]
        given.append(
            Report(
                *(f"r{n}", "feed", "", "", "o2", "fixed_internet", "", where, "", "plz"),
                *(None, None, at, None, at + timedelta(seconds=20)),
            )
        )
    with instance.store.write() as connection:
        reports.add(connection, given)
        cube.listen(connection, "feed", START, END)
    instance.store.close()


def test_replay_finds_what_live_looks_find_and_the_same_each_time(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, last = OUTAGE, OUTAGE + timedelta(hours=4)
    homes = [tmp_path / name for name in ("replayed", "again", "live")]
    for home in homes:
        stored(home)
    answers = []
    for home in homes[:2]:
        monkeypatch.setenv("NETZLAGE_HOME", str(home))
        answers.append(run("replay", "--from", first.isoformat(), "--to", last.isoformat(), "--step", "15min"))
    assert [a.status for a in answers] == [0, 0]
    assert answers[0].out == answers[1].out
    found = json.loads(answers[0].out)
    assert [i["incident_id"] for i in found if i["regions"] == ["02000"]] == ["20170502-o2-fixed_internet-02000"]
    clock = SimulatedClock(first)
    live = open_instance(load_settings(None, {"NETZLAGE_HOME": str(homes[2])}), clock)
    detection, at = Detection(live), first
    while at <= last:
        clock.set(at)
        detection.refresh()
        at += timedelta(minutes=15)
    with live.store.read() as connection:
        seen = {i.incident_id: i for i in incidents.find(connection, Filter())}
    live.store.close()
    assert {i["incident_id"]: i["state"] for i in found} == {i.incident_id: i.state for i in seen.values()}
    for incident in found:  # a report of the last minute before midnight is known to the live baseline only
        assert incident["score"] == pytest.approx(seen[incident["incident_id"]].score, rel=1e-3)


def test_a_second_replay_changes_nothing_that_was_shown(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(tmp_path / "home")
    monkeypatch.setenv("NETZLAGE_HOME", str(tmp_path / "home"))
    span = ("--from", OUTAGE.isoformat(), "--to", (OUTAGE + timedelta(hours=2)).isoformat(), "--step", "30min")
    first = run("replay", *span)
    exported = run("export", "incidents", "--format", "csv").out
    second = run("replay", *span)
    assert first.out == second.out
    assert run("export", "incidents", "--format", "csv").out == exported
    assert "02000" in exported


def test_a_replay_of_what_was_not_known_then_says_so(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored(tmp_path / "home")
    monkeypatch.setenv("NETZLAGE_HOME", str(tmp_path / "home"))
    answer = run("replay", "--from", "2017-04-20T00:00Z", "--to", "2017-04-19T00:00Z")
    assert answer.status == 1
    assert "--from must be the earlier one" in answer.err


def test_a_replay_refuses_while_another_process_looks_and_stores_nothing_beside_a_worker(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(tmp_path / "home")
    monkeypatch.setenv("NETZLAGE_HOME", str(tmp_path / "home"))
    now = datetime.now(UTC)
    soon = ("--from", now.isoformat(), "--to", (now + timedelta(minutes=5)).isoformat())
    instance = open_instance(load_settings(None, {"NETZLAGE_HOME": str(tmp_path / "home")}), SimulatedClock(now))
    with alone(instance.store, "refresh", "looks"):
        refused = run("replay", *soon)
    Detection(instance).refresh()  # the look of a worker
    with instance.store.read() as connection:
        before = incidents.last_look(connection)
    with alone(instance.store, "refresh", "looks"), alone(instance.store, "calibrate", "calibrates"):
        beside = run("replay", *soon)  # it stores nothing and need not wait
        again = run("calibrate")
    with instance.store.read() as connection:
        assert incidents.last_look(connection) == before
    instance.store.close()
    assert (refused.status, beside.status, again.status) == (1, 0, 1)
    assert "looks for clusters at this moment" in refused.err
    assert "calibrates at this moment" in again.err
