"""What pages are drawn from: what was strong, and what each source usually brings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from aggregator.catalogue import load_catalogue
from aggregator.detect.calibrate import SHIPPED, STRONG
from aggregator.instance import Instance
from aggregator.model import Filter, Incident
from aggregator.store import Connection, cube
from aggregator.web import figures
from tests.making import incident, instance
from tests.test_refresh import NOW


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Instance]:
    opened = instance(tmp_path, load_catalogue(), now=NOW)
    yield opened
    opened.store.close()


def said_strong(site: Instance, incident: Incident, budget: float) -> bool:
    settings = replace(site.settings, false_alarms_per_week=budget)
    with site.store.read() as connection:
        return figures.was_strong(figures.view(connection, replace(site, settings=settings), NOW), incident)


def of_score(standard: float) -> Incident:
    return replace(incident(), standard=standard, recurrence_weeks=SHIPPED.recurrence_weeks(standard), cold=False)


@pytest.mark.parametrize("budget", [2.0, 1.0, 0.5, 0.2, 0.05])
def test_what_detection_calls_strong_the_pages_call_strong_whatever_the_budget(site: Instance, budget: float) -> None:
    least = replace(SHIPPED, budget=budget).strong
    assert said_strong(site, of_score(least + 0.01), budget)
    assert not said_strong(site, of_score(least - 0.01), budget)


def test_the_null_weeks_behind_the_shipped_table_are_too_few_for_the_small_budgets() -> None:
    assert STRONG / 2.0 < STRONG / 1.0 < SHIPPED.weeks < STRONG / 0.5  # both ways of judging are tried above


@pytest.mark.parametrize("budget", [1.0, 0.2])
def test_what_may_come_from_reading_or_has_no_basis_was_never_strong(site: Instance, budget: float) -> None:
    clear = of_score(50.0)
    assert said_strong(site, clear, budget)
    assert not said_strong(site, replace(clear, held=True), budget)
    assert not said_strong(site, replace(clear, cold=True), budget)


def test_who_usually_brings_what_is_counted_once_an_hour(site: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    times: list[datetime] = []
    totals = cube.totals

    def noted(connection: Connection, f: Filter) -> pd.DataFrame:
        times.append(f.until or NOW)
        return totals(connection, f)

    monkeypatch.setattr(cube, "totals", noted)
    with site.store.read() as connection:
        for minutes in (0, 5, 55, 60):
            figures.view(connection, site, NOW.replace(minute=0) + timedelta(minutes=minutes))
    assert times == [NOW.replace(minute=0, second=0), NOW.replace(minute=0, second=0) + timedelta(hours=1)]
