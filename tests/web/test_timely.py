"""A reader is told, in words, when nobody looks, and when what people send is not stored."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from aggregator.catalogue import load_catalogue
from aggregator.clock import SimulatedClock
from aggregator.instance import Instance
from aggregator.model import Filter
from aggregator.refresh import Detection
from aggregator.store import incidents
from aggregator.store.intake import Direct, Figures
from aggregator.web import create_app
from tests.making import instance
from tests.test_refresh import NOW, fill, quiet
from tests.web.test_situation import coloured


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """A quiet fortnight, looked at until now."""
    made = instance(Path(tmp_path_factory.mktemp("timely")), load_catalogue(), now=NOW)
    fill(made, quiet(), [])
    Detection(made).refresh()
    yield made
    made.store.close()


@pytest.fixture
def site(heard: Instance) -> Iterator[Instance]:
    """The same, the clock put back afterwards."""
    clock = heard.clock
    assert isinstance(clock, SimulatedClock)
    yield heard
    clock.set(NOW)


class Sick(Direct):
    """An intake whose disk is full."""

    def figures(self) -> Figures:
        return Figures(trouble="the disk is full")


def later(instance: Instance, **time: float) -> None:
    assert isinstance(instance.clock, SimulatedClock)
    instance.clock.set(NOW + timedelta(**time))


def read(instance: Instance, path: str, *, sick: bool = False) -> str:
    app = create_app(instance, intake=Sick(instance.store) if sick else None)
    return " ".join(re.sub(r"<[^>]+>", " ", app.test_client().get(path).text).split())


def test_as_long_as_all_goes_well_nothing_is_said_of_it(site: Instance) -> None:
    for path in ("/", "/quellen", "/anbieter/o2", "/melden"):
        text = read(site, path)
        for words in ("nicht mehr ausgewertet", "fehlt in der Lage", "nicht speichern"):
            assert words not in text, (path, words)
    assert "Zuletzt ausgewertet:" in read(site, "/quellen")


@pytest.mark.parametrize("minutes", [16, 600])
def test_who_has_not_looked_for_a_quarter_of_an_hour_claims_no_quiet(site: Instance, minutes: int) -> None:
    later(site, minutes=minutes)
    for path in ("/", "/anbieter/o2", "/region/02000"):
        text = read(site, path)
        assert "eine Aussage möglich" in text, path
        assert "keine auffällige Häufung" not in text, path
    assert "nirgends auffällig" not in read(site, "/")
    assert "fehlt in der Lage" in read(site, "/quellen")
    assert "is missing from the situation" in read(site, "/quellen?lang=en")


def test_late_looks_colour_no_district_as_inconspicuous(site: Instance) -> None:
    assert "nicht ausgewertet" not in read(site, "/")
    page = create_app(site).test_client().get("/?until=2017-05-13T03:00").text  # heard, and nobody looked
    assert "Für diese Zeit wurde nicht ausgewertet" in page
    assert set(coloured(page)) <= {"blind", "strong", "suspected"}


def test_findings_that_are_old_say_so(netzlage: Instance) -> None:
    clock = netzlage.clock
    assert isinstance(clock, SimulatedClock)
    with netzlage.store.read() as connection:
        assert incidents.find(connection, Filter())
    clock.set(NOW + timedelta(minutes=40))
    try:
        assert "Was seither gemeldet wurde, fehlt hier." in read(netzlage, "/")
    finally:
        clock.set(NOW)


def test_reports_that_are_not_stored_are_told_before_one_writes_one(site: Instance) -> None:
    for path in ("/", "/quellen"):
        assert "Neue Meldungen lassen sich gerade nicht speichern" in read(site, path, sick=True)
        assert "cannot be stored at the moment" in read(site, f"{path}?lang=en", sick=True)
    assert "bleibt stehen, bis es gelingt" in read(site, "/melden", sick=True)
    assert "nicht speichern" not in read(site, "/?until=2017-05-12T12:00", sick=True)  # that time has all it had
