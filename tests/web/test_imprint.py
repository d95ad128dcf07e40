"""/impressum: who runs the site, who answers for its content, where to reach them; and what is still to be said."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aggregator.catalogue import load_catalogue
from aggregator.cli.serve import warn
from aggregator.imprint import warning
from aggregator.settings import Settings
from aggregator.web import create_app
from tests.making import instance

WHO: dict[str, Any] = {
    "operator": "Netzlage e. V.\nBeispielweg 1\n20095 Hamburg\nVR 1234",
    "responsible": "Ines <Beispiel>\nBeispielweg 1, 20095 Hamburg",
    "contact": "post@netz.example\n+49 40 123",
}


def page(folder: Path, **said: Any) -> str:
    made = instance(folder, load_catalogue())
    made = replace(made, settings=replace(made.settings, **said))
    found = create_app(made).test_client().get("/impressum").text
    made.store.close()
    return found


def test_it_names_who_runs_the_site_who_answers_for_it_and_the_points_of_contact(tmp_path: Path) -> None:
    found = page(tmp_path, **WHO)
    for words in (
        "Netzlage e. V.",
        "Ines &lt;Beispiel&gt;",
        "post@netz.example",
        "§ 18 Abs. 2 MStV",
        "Art. 11",
        "Art. 12",
    ):
        assert words in found
    assert "noch niemanden" not in found


@pytest.mark.parametrize("lacking", WHO)
def test_what_is_lacking_is_named_with_its_setting(tmp_path: Path, lacking: str) -> None:
    found = page(tmp_path, **{**WHO, lacking: " "})
    assert re.findall(r"trägt in die Einstellungen ein .*", found)[0].count("<code>") == 1
    assert f"<code>{lacking}</code>" in found


def test_nobody_is_told_plainly(tmp_path: Path) -> None:
    assert "nennt noch niemanden" in page(tmp_path)


def test_the_warning_is_one_sentence_and_ends_when_all_is_said(settings: Settings) -> None:
    assert warning(settings).count(".") == 1
    assert "operator, responsible and contact" in warning(settings)
    assert "set contact before" in warning(replace(settings, operator="a", responsible="b"))
    assert warning(replace(settings, **WHO)) == ""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = instance(tmp_path, load_catalogue())
    made.store.close()
    return made.settings


def test_a_start_says_it_on_standard_error_and_falls_silent_when_all_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = instance(tmp_path, load_catalogue())
    warn(made)
    assert capsys.readouterr() == ("", f"{warning(made.settings)}\n")
    warn(replace(made, settings=replace(made.settings, **WHO)))
    assert capsys.readouterr() == ("", "")
    made.store.close()
