"""German posts are read as a person reads them; how well, is measured on the labelled sentences."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.catalogue import load_catalogue
from aggregator.errors import DataError
from aggregator.factfiles import read_vocabulary
from ingest.text import Reader, Reading
from ingest.text.words import LONGEST, split
from tests.text.labelled import load, measure

CATALOGUE = load_catalogue()
READER = Reader(CATALOGUE)
NOON = datetime(2026, 3, 17, 11, 0, tzinfo=UTC)  # 12:00 in Berlin, a Tuesday


def read(text: str) -> Reading:
    return READER.read(text, NOON)


def region(text: str) -> str:
    place = read(text).place
    return place.region if place else ""


@pytest.mark.parametrize("question", ["is a report", "provider", "place"])
def test_the_sentences_of_the_open_part_are_read_right(question: str) -> None:
    score = measure(READER, load(kept_apart=False))[question]
    assert score.precision >= 0.95
    assert score.recall >= 0.9


def test_there_are_many_sentences_and_a_third_is_kept_apart() -> None:
    tuning, apart = load(kept_apart=False), load(kept_apart=True)
    assert len(tuning) + len(apart) >= 600
    assert 0.3 < len(apart) / (len(tuning) + len(apart)) < 0.37


def test_the_three_posts_of_the_task_say_what_they_say() -> None:
    altona = read("O2 DSL in HH-Altona seit heute früh tot")
    assert (altona.is_report, altona.providers[0].value, altona.service.value) == (True, "o2", "fixed_internet")
    assert (region("O2 DSL in HH-Altona seit heute früh tot"), altona.began_at) == ("02000", NOON.replace(hour=6))
    leipzig = read("#Telekom #Störung 04109")
    assert leipzig.is_report
    assert leipzig.place is not None
    assert (leipzig.place.region, leipzig.place.plz, leipzig.place.source) == ("14713", "04109", "plz")
    essen = read("Vodafone Kabel Essen weg")
    assert (essen.is_report, essen.providers[0].value, region("Vodafone Kabel Essen weg")) == (
        True,
        "vodafone",
        "05113",
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Kein Internet in Essen, Vodafone ist tot", "05113"),
        ("#Vodafone #Essen Internet weg", "05113"),
        ("Vodafone weg, das Essen wird kalt", ""),
        ("Essen wird kalt und o2 ist weg", ""),
        ("o2 in Frankfurt weg", ""),
        ("o2 in Frankfurt (Oder) weg", "12053"),
        ("o2 in Frankfurt am Main weg", "06412"),
        ("o2 in Frankfurt-Bornheim weg", "06412"),
        ("Telekom Halle kein Internet", ""),
        ("Telekom in Halle/Saale kein Internet", "15002"),
        ("Telekom in Halle kein Internet, Sachsen-Anhalt", "15002"),
        ("Telekom in Neustadt tot", ""),
        ("Telekom in 31535 Neustadt tot", "03241"),
        ("Vodafone in Münster seit heute weg", "05515"),
        ("Lage ist ernst, o2 ist weg", ""),
        ("o2 in Hamm weg", "05915"),
        ("NetCologne in Mülheim kaputt", "05315"),
        ("Vorwahl 089, Telekom tot", "09162"),
        ("o2 in Schleswig-Holstein weg", ""),
        ("Vodafone in Hamburg und München weg", ""),
        ("Vodafone in Wien weg", ""),
        ("Vodafone hat 20000 Kunden ohne Netz", ""),
        ("Sky geht nicht, Fehlercode: 10115", ""),
        ("Telekom tot, Ticketnummer 04109", ""),
        ("PLZ-Gebiet 04109, Telekom tot", "14713"),
    ],
)
def test_a_place_is_found_where_something_hints_at_it(text: str, expected: str) -> None:
    assert region(text) == expected


def test_an_area_code_says_how_the_place_was_found() -> None:
    place = read("Vorwahl 0341: Telekom Internet weg").place
    assert place is not None
    assert (place.region, place.source) == ("14713", "area_code")


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("o2 weg seit 3 Stunden", 3),
        ("o2 weg seit einer halben Stunde", 0.5),
        ("o2 seit ner Viertelstunde weg", 0.25),
        ("o2 weg seit heute früh", 5),
        ("o2 seit gestern Abend weg", 17),
        ("o2 seit 11:30 tot", 0.5),
        ("o2 seit 14:30 tot", 21.5),
        ("o2 seit halb neun tot", 3.5),
        ("o2 seit Montag weg", 24),
        ("o2 seit zwei Tagen weg", 48),
        ("o2 vor 45 Minuten ausgefallen", 0.75),
        ("o2 seit eben weg", 0),
        ("o2 seit gestern 22 Uhr weg", 14),
    ],
)
def test_since_when_is_told_from_the_time_of_the_post(text: str, hours: float) -> None:
    assert read(text).began_at == NOON - timedelta(hours=hours)


@pytest.mark.parametrize(
    "text", ["o2 seit Stunden weg", "o2 seit dem Update tot", "o2 seit 99:99 weg", "o2 weg seit Wochen", "o2 weg"]
)
def test_what_tells_no_time_gives_none(text: str) -> None:
    found = read(text)
    assert found.is_report
    assert found.began_at is None


@pytest.mark.parametrize(
    ("text", "providers"),
    [
        ("Vodafone geht, aber o2 ist komplett tot", ["o2"]),
        ("o2, Telekom und Vodafone ohne Netz", ["o2", "telekom", "vodafone"]),
        ("Bin von der Telekom zu o2 gewechselt, jetzt kein Netz", ["o2"]),
        ("Konzert in der O2 Arena fällt aus", []),
        ("Mein O2-Wert ist im Keller", []),
        ("1&1 macht 2", []),
        ("1+1 DSL tot", ["1und1"]),
        ("Vodafone UK down", []),
        ("#o2störung", ["o2"]),
        ("Der Himmel ist blau", []),
        ("Sky is the limit", []),
        ("Vodafone Kabel tot", ["vodafone"]),
    ],
)
def test_a_provider_is_one_only_where_the_company_is_meant(text: str, providers: list[str]) -> None:
    assert [find.value for find in read(text).providers] == providers


@pytest.mark.parametrize(
    "text",
    [
        "o2 geht wieder",
        "Danke Telekom für den freien Tag",
        "Ist Vodafone down?",
        "Hat jemand Probleme mit o2?",
        "Gestern war o2 weg",
        "Letzte Woche ist Vodafone ausgefallen",
        "congstar Allnet Flat jetzt für 22 € im Monat",
        "O2-Störung: Tausende Kunden betroffen | heise online https://heise.de/-1",
        "Telekom läuft hier einwandfrei, keine Störung",
        "Was tun, wenn das Telekom Internet ausfällt?",
        "WhatsApp down?",
        "o2, danke für nichts",
        "Nutzer klagen über Störungen bei Vodafone",
        "Störung im Netz der Telekom legt ganze Region lahm",
        "O2-Netz bundesweit gestört, das Unternehmen arbeitet an der Behebung",
        "",
    ],
)
def test_what_is_no_fault_of_ones_own_and_now_is_no_report(text: str) -> None:
    assert not read(text).is_report


@pytest.mark.parametrize(
    "text",
    [
        "Ist bei euch auch O2 weg?",
        "Warum geht mein o2 DSL nicht?",
        "Telekom, wann geht mein Internet wieder?",
        "Danke Telekom, Internet seit 3 Stunden weg, toller Service 👏",
        "o2 geht immer noch nicht wieder",
        "Ging kurz wieder, jetzt erneut alles weg bei Vodafone",
        "o2 📵",
        "Telekom Leitung bricht alle fünf Minuten ab",
    ],
)
def test_a_fault_that_is_told_or_presupposed_is_a_report(text: str) -> None:
    assert read(text).is_report


@pytest.mark.parametrize(
    ("text", "service", "symptom"),
    [
        ("o2 kein LTE", "mobile", "no_signal"),
        ("Vodafone DSL langsam", "fixed_internet", "slow"),
        ("Telekom Festnetz kein Freizeichen", "landline", "no_dial_tone"),
        ("Vodafone TV kein Bild", "tv", "no_picture"),
        ("1&1 Hotline Warteschleife", "hotline", "long_wait"),
        ("PYUR down", "fixed_internet", ""),
        ("Telekom down", "", ""),
        ("GMX kaputt", "email", ""),
    ],
)
def test_service_and_symptom_are_those_of_the_catalogue(text: str, service: str, symptom: str) -> None:
    found = read(text)
    assert (found.service.value, found.symptom) == (service, symptom)
    assert not symptom or symptom in CATALOGUE.services[service].symptoms


def test_every_find_has_a_confidence() -> None:
    found = read("Vodafone Internet in Köln seit 3 Stunden weg")
    assert found.place is not None
    sure = (found.confidence, found.providers[0].confidence, found.service.confidence, found.place.confidence)
    assert all(0.5 < confidence <= 1 for confidence in (*sure, found.began_confidence))


def test_a_weak_case_is_less_sure_than_a_plain_one() -> None:
    assert read("Heute nur Störungen, Telekom berichtet").confidence < read("Telekom bei mir tot seit 8 Uhr").confidence


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=400))
def test_no_text_is_too_odd_to_be_read(text: str) -> None:
    assert 0 <= read(text).confidence <= 1


ODD = ["o2", "Essen", "seit", "halb", "25:61", "99", "Uhr", "weg?", "1 & 1", "nicht", "\n", "in", "https://", "@", "#"]
PIECES = st.sampled_from([*ODD, "00000", "\ud800"])


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=60).map(" ".join))
def test_no_mix_of_known_words_is_too_odd_to_be_read(text: str) -> None:
    read(text)


@pytest.mark.parametrize(
    "piece", ["seit ", "a", "1", "1 & ", "o2 ", "in Essen ", "((((", "?!", "seit ca. gut ", "0 ", "\n", "ä̈"]
)
def test_a_post_without_end_costs_no_more_than_a_long_one(piece: str) -> None:
    started = time.process_time()
    read(piece * 400_000)
    assert time.process_time() - started < 0.5


def test_a_dot_inside_a_name_or_a_time_ends_no_sentence() -> None:
    assert split("wilhelm.tel ist seit 19.20 Uhr tot. Mist!").sentences == [0, 0, 0, 0, 0, 0, 0, 0, 1]


def test_no_beginning_lies_after_its_post() -> None:
    for text in ("o2 seit morgen früh weg", "o2 seit Abend weg", "o2 ab 23 Uhr weg", "o2 weg seit heute Nacht"):
        began = read(text).began_at
        assert began is None or began <= NOON


def test_only_the_first_characters_of_a_post_count() -> None:
    assert not read("x" * LONGEST + " o2 ist weg").is_report


@pytest.mark.parametrize("content", ["[fault]\ngeneral = 3\n", "[fault\n"])
def test_a_broken_vocabulary_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "vocabulary.toml"
    path.write_text(content, "utf-8")
    with pytest.raises(DataError, match=r"vocabulary\.toml"):
        read_vocabulary(path)
