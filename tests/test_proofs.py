"""What a score stood on is frozen when it is given, comes out of the door, and `verify` does the sum again."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from aggregator.clock import SimulatedClock
from aggregator.detect.package import read_package
from aggregator.feedmodel import Source
from aggregator.instance import Instance, open_instance
from aggregator.model import Incident
from aggregator.proofs import package
from aggregator.refresh import Detection
from aggregator.settings import load_settings
from aggregator.store import evidence, incidents, reports, sources
from tests.commands import Run, assert_one_line
from tests.test_refresh import DSL, NOW, fill, quiet, some

ID = "20170513-o2-fixed_internet-02000"


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Instance]:
    opened = open_instance(load_settings(None, {"NETZLAGE_HOME": str(tmp_path)}), SimulatedClock(NOW))
    yield opened
    opened.store.close()


@pytest.fixture
def alarmed(instance: Instance) -> Instance:
    """Hamburg reports O2, few at first, looked at every ten minutes of three hours."""
    few = some(DSL, NOW - timedelta(hours=3), NOW - timedelta(hours=1), 3, where="02000", seed=4)
    many = some(DSL, NOW - timedelta(hours=1), NOW, 14, where="02000", seed=5)
    fill(instance, quiet(), few, many)
    assert isinstance(instance.clock, SimulatedClock)
    detection = Detection(instance)
    for minutes in range(-180, 1, 10):
        instance.clock.set(NOW + timedelta(minutes=minutes))
        detection.refresh()
    return instance


def known(instance: Instance) -> Incident:
    with instance.store.read() as connection:
        found = incidents.get(connection, ID)
    assert found
    return found


def test_each_new_score_is_frozen_and_the_newest_is_the_published_one(alarmed: Instance) -> None:
    incident = known(alarmed)
    data = package(alarmed, ID)
    assert data
    proof = read_package(data)
    assert (proof.published.score, proof.published.standard) == (incident.score, incident.standard)
    assert proof.published.recurrence_weeks == incident.recurrence_weeks
    first = package(alarmed, ID, incident.first_alarm_at)
    assert first
    with alarmed.store.read() as connection:
        then = incidents.get(connection, ID, incident.first_alarm_at)
    assert then
    said = read_package(first).published
    assert (said.score, said.ratio) == (then.score, then.peak_ratio)
    assert said.score < incident.score


def test_late_reports_and_later_looks_change_nothing_that_was_frozen(alarmed: Instance) -> None:
    first_alarm_at = known(alarmed).first_alarm_at
    before = package(alarmed, ID, first_alarm_at)
    with alarmed.store.write() as connection:
        reports.add(connection, some(DSL, NOW - timedelta(hours=3), NOW, 40, where="02000", seed=77))
    Detection(alarmed).refresh()
    assert package(alarmed, ID, first_alarm_at) == before


def test_a_source_that_wants_nothing_given_on_is_not_told_apart(alarmed: Instance) -> None:
    assert set(read_package(package(alarmed, ID) or b"").counts["source"]) == {"other"}
    with alarmed.store.write() as connection:
        sources.keep(connection, [Source("feed", republish="counts")])
    assert set(read_package(package(alarmed, ID) or b"").counts["source"]) == {"feed"}
    with alarmed.store.read() as connection:
        inside = evidence.find(connection, ID)
    assert inside
    assert set(read_package(inside.content).counts["source"]) == {"feed"}


def test_a_package_says_whose_it_is_and_that_it_is_a_simulation(alarmed: Instance) -> None:
    with zipfile.ZipFile(io.BytesIO(package(alarmed, ID) or b"")) as pack:
        about = json.loads(pack.read("datapackage.json"))
    assert about["incident_id"] == ID
    assert about["simulated"] is True
    assert about["title"].startswith("SIMULATION")


def test_there_is_no_package_of_what_is_not_known(instance: Instance) -> None:
    assert package(instance, "nothing") is None


def test_verify_confirms_what_was_published_and_refuses_what_was_not(
    alarmed: Instance, tmp_path: Path, run: Run
) -> None:
    file = tmp_path / "nachrechnen.zip"
    data = package(alarmed, ID) or b""
    file.write_bytes(data)
    answer = run("verify", str(file))
    assert (answer.status, answer.err) == (0, "")
    assert "The published figures follow from this file." in answer.out
    assert f"score: published {known(alarmed).score:.4f}" in answer.out
    file.write_bytes(data[:2000])
    assert_one_line(run("verify", str(file)), 1)
    file.write_bytes(b"PK something else")
    assert_one_line(run("verify", str(file)), 1)
    forged = tmp_path / "forged.zip"
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(forged, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b"score,", b"score,9", 1))
    assert_one_line(run("verify", str(forged)), 1)
