"""What is taken out of free text at the door, and what stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.redact import redact


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("erika.muster@example.org", "[E-Mail]"),
        ("erika (at) example.org", "[E-Mail]"),
        ("0171 2345678", "[Telefon]"),
        ("+49 (0)40/123456-78", "[Telefon]"),
        ("Tel.: 0401234567.", "Tel.: [Telefon]."),
        ("DE89 3704 0044 0532 0130 00", "[Kontonummer]"),
        ("de89370400440532013000", "[Kontonummer]"),
        ("Kundennummer 6001234567", "Kundennummer [Nummer]"),
        ("Vertrag 12-345-678", "Vertrag [Nummer]"),
        ("K12345678", "[Nummer]"),
        ("https://example.org/x?y", "[Adresse]"),
        ("www.example.org geht nicht", "[Adresse] geht nicht"),
        ("example.de/konto", "[Adresse]"),
        ("192.168.178.1", "[Adresse]"),
        ("2001:db8:1:2::7 geht nicht", "[Adresse] geht nicht"),
        ("fe80::1", "[Adresse]"),
        ("2001:0db8:85a3:0000:0000:8a2e:0370:7334", "[Adresse]"),
        ("Lindenstraße 12", "[Anschrift]"),
        ("in der Kieler Str. 5a", "in der [Anschrift]"),
        ("Große-Berg-Strasse 5, Hamburg", "[Anschrift], Hamburg"),
        ("am Kurfürstendamm 101", "am [Anschrift]"),
        ("Rosenweg 7", "[Anschrift]"),
    ],
)
def test_what_points_to_a_person_goes(text: str, left: str) -> None:
    assert redact(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "20095 Hamburg, seit 13.05.2017 09:40 Uhr",
        "am 01.05.2017 10:30 wieder da",
        "1. 5. 2017",
        "VDSL 50 kein Netz seit 3 Tagen",
        "50.000 kbit/s statt 100 Mbit/s",
        "O2, 1&1 und Telekom gehen nicht",
        "Seit 2017-05-13T09:40 nichts",
        "um 09:40:12 war alles weg, 12 Stunden lang",
        "Fehler: 50:1, Straße ohne Netz",
        "Strom weg 3 Stunden, Platz 2 der Liste",
    ],
)
def test_what_is_said_of_the_fault_stays(text: str) -> None:
    assert redact(text) == text


@given(st.text(max_size=300))
def test_no_text_breaks_it_and_twice_is_once(text: str) -> None:
    assert redact(redact(text)) == redact(text)


@given(st.text(alphabet="0123456789", min_size=7, max_size=12), st.sampled_from(["", " ", "ruf an "]))
def test_no_long_number_passes(number: str, before: str) -> None:
    assert number not in redact(before + number)
