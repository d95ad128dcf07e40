"""Names that look alike to a person fold to the same letters."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.spelling import bare_name, fold, name_keys, split_hint, split_quarter, without_river


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("München", "muenchen"),
        ("Mu\u0308nchen", "muenchen"),
        ("WEISSENSEE", "weissensee"),
        ("Weißensee", "weissensee"),
        ("PŸUR", "pyur"),
        ("O₂", "o2"),
        ("1 & 1", "1und1"),
        ("Telefónica", "telefonica"),
        ("#o2-down!", "o2down"),
        ("  ", ""),
        ("§", ""),
    ],
)
def test_case_accents_and_punctuation_do_not_matter(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text())
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(alphabet="aäöüßÄÖÜé &-."))
def test_composed_and_decomposed_text_fold_alike(text: str) -> None:
    assert fold(unicodedata.normalize("NFD", text)) == fold(unicodedata.normalize("NFC", text))


def test_a_river_may_be_left_out_or_shortened() -> None:
    assert name_keys("Frankfurt am Main") == {
        "frankfurtammain",
        "frankfurt",
        "frankfurtmain",
        "frankfurtamain",
        "frankfurtam",
    }
    assert name_keys("Halle (Saale)") == {"hallesaale", "halle"}
    assert name_keys("Köln") == {"koeln", "koln"}
    assert name_keys("Sankt Augustin") == {"sanktaugustin", "staugustin"}
    assert without_river("Mühldorf a. Inn") == "muehldorf"
    assert without_river("Hamburg") == ""


@pytest.mark.parametrize("text", ["Essen (Oldenburg)", "Essen, Oldenburg", "Essen/Oldenburg", "Essen - Oldenburg"])
def test_a_hint_is_split_off(text: str) -> None:
    assert split_hint(text) == ("essen", "oldenburg")


def test_what_stands_around_a_name_is_taken_off() -> None:
    assert bare_name("Stadt Leipzig, Deutschland") == "Leipzig"
    assert bare_name("Stadthagen") == "Stadthagen"
    assert split_quarter("Köln-Ehrenfeld") == "koeln"
