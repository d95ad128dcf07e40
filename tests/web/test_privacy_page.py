"""/datenschutz says what holds here: what the settings say, and the periods that the deletion goes by."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from aggregator import retention
from aggregator.instance import Instance
from aggregator.web import create_app


def page(instance: Instance, language: str = "de", **settings: Any) -> str:
    site = create_app(replace(instance, settings=replace(instance.settings, **settings))).test_client()
    answer = site.get(f"/datenschutz?lang={language}")
    assert answer.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


SAID: list[tuple[dict[str, Any], str]] = [
    ({}, "Anmerkungen werden nicht veröffentlicht"),
    ({"publish_comments": True}, "Anmerkungen werden mit dem Vorfall veröffentlicht"),
    ({}, "wird nirgends nachgefragt"),
    ({"nominatim_url": "https://karte.example"}, "(Nominatim, https://karte.example) nachgefragt"),
    ({}, "nur im Arbeitsspeicher"),
    ({"redis_url": "redis://127.0.0.1:1"}, "in einem Redis-Speicher"),
    ({"rate_limits": False}, "zählt diese Netzlage nicht"),
    ({"operator": "Ines Beispiel & Söhne"}, "betreibt: Ines Beispiel &amp; Söhne"),
    ({}, "nicht angegeben"),
]


@pytest.mark.parametrize(("settings", "sentence"), SAID)
def test_the_page_says_what_the_settings_in_force_say(empty: Instance, settings: dict[str, Any], sentence: str) -> None:
    assert sentence in page(empty, **settings)
    others = [known for known, said in SAID if said == sentence]
    plain = [said for known, said in SAID if not known]
    assert sentence in plain or sentence not in page(empty), others


@pytest.mark.parametrize("language", ["de", "en"])
def test_no_hole_is_left_open(empty: Instance, language: str) -> None:
    text = create_app(empty).test_client().get(f"/datenschutz?lang={language}").text
    assert "<!--" not in text


def test_the_periods_are_those_that_the_deletion_goes_by(empty: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    said = page(empty)
    for part in (
        "Prüfwert der Person 24 Stunden", "bleibt der Kreis 30 Tage", "Beanstandungen 90 Tage",
        "nicht lesen konnten, ohne Namen und Nummern 7 Tage", "6 Stunden nach dem Ende des Tages",
    ):  # fmt: skip
        assert part in said, part
    monkeypatch.setattr(retention, "PLACES", timedelta(days=12))
    assert "bleibt der Kreis 12 Tage" in page(empty)


def test_the_words_for_more_than_six_hours_are_on_the_page_in_both_languages(empty: Instance) -> None:
    assert "Meldungen (je Person höchstens eine in 6 Stunden)" in page(empty)
    assert "reports (at most one per person in 6 hours)" in page(empty, "en")
