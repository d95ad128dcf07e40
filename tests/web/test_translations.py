"""The English catalogue: nothing missing, nothing left over, made into the file that the site reads."""

from __future__ import annotations

import gettext
import re
import shutil
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from aggregator.web.language import LANGUAGES
from tests import translating
from tests.translating import HOW, MO, PO, WEB, catalogue, facts, known, laender, marked, untranslated, written

HOLE = re.compile(r"%\(\w+\)s|%%")


def test_every_string_of_the_site_has_its_english() -> None:
    """Fails with a new string: say its English with  python -m tests.translating "<German>" "<English>"."""
    missing = [message.id for message in untranslated(catalogue(known()))]
    assert missing == [], f"Without English; for each: {HOW}"


def test_the_catalogue_holds_nothing_that_the_site_no_longer_says() -> None:
    gone = set(known()) - set(marked())
    assert gone == set(), "Sweep with: python -m tests.translating"


def test_nothing_in_the_catalogue_is_doubtful_or_struck_out() -> None:
    with PO.open("rb") as file:
        read = read_po(file)
    assert [message.id for message in read if message.fuzzy and message.id] == []
    assert list(read.obsolete) == []


def test_the_file_that_the_site_reads_is_made_from_the_catalogue() -> None:
    with MO.open("rb") as file:
        read = gettext.GNUTranslations(file)
    for german, english in known().items():
        if isinstance(german, tuple):
            one, many = german
            assert (read.ngettext(one, many, 1), read.ngettext(one, many, 2)) == english
        else:
            assert read.gettext(german) == english, "Sweep with: python -m tests.translating"


def test_the_catalogue_is_as_the_sweep_writes_it() -> None:
    assert PO.read_bytes() == written(catalogue(known()))[0], "Sweep with: python -m tests.translating"


def test_both_languages_fill_in_the_same_things() -> None:
    for german, english in known().items():
        ours, theirs = (text if isinstance(text, tuple) else (text,) for text in (german, english))
        for one, other in zip(ours, theirs, strict=True):
            assert sorted(HOLE.findall(one)) == sorted(HOLE.findall(other)), one


def test_no_english_is_german_but_for_names() -> None:
    same = {german for german, english in known().items() if german == english}
    assert {text for text in same if re.search(r"[äöüßÄÖÜ]", str(text))} <= {"Baden-Württemberg"}


@pytest.mark.parametrize("word", ["outage of", "outages since", "people affected", "customers affected"])
def test_a_count_is_of_reports(word: str) -> None:
    assert not any(word in str(english) for english in known().values())


def test_services_and_symptoms_are_called_as_the_facts_say() -> None:
    said = known()
    assert {german: said[german] for german, english in facts().items() if english} == {
        german: english for german, english in facts().items() if english
    }
    assert set(laender()) <= set(said)


def test_every_language_but_that_of_the_code_has_a_catalogue() -> None:
    assert [path.name for path in sorted(PO.parents[2].iterdir()) if path.is_dir()] == [
        code for code in LANGUAGES if code != "de"
    ]


def test_the_sweep_keeps_what_is_known_and_names_what_it_does_not_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(translating, "PO", Path(shutil.copy(PO, tmp_path)))
    monkeypatch.setattr(translating, "MO", tmp_path / "messages.mo")
    assert translating.main(["Lage", "Position", "Kein Satz dieser Seite", "No sentence of this site"]) == 0
    assert translating.known()["Lage"] == "Position"
    assert translating.known()["Archiv"] == "Archive"
    assert capsys.readouterr().err == "No string of the site: Kein Satz dieser Seite\n"


def test_the_sweep_fails_while_a_string_has_no_english(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(translating, "PO", Path(shutil.copy(PO, tmp_path)))
    monkeypatch.setattr(translating, "MO", tmp_path / "messages.mo")
    assert translating.main(["Archiv", ""]) == 1


def test_no_day_is_written_in_german_order_for_all() -> None:
    """A pattern of babel.dates such as "d. MMMM" is a string for readers too: mark it."""
    bare = re.compile(r'format_(?:date|datetime)\([^"\n]*(?<!_\()"[^"]*d\. ')
    wrong = [str(path) for path in WEB.rglob("*.py") if bare.search(path.read_text("utf-8"))]
    assert wrong == []
    assert bare.search('format_datetime(day, "EEE d. MMM")')
    assert not bare.search('format_datetime(day, _("EEE d. MMM"))')
