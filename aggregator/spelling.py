"""How names are compared: one folded form for places, providers and services. Pure."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_SPELLED_OUT: Final = {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "&": "und", "æ": "ae", "ø": "oe", "ł": "l"}
_DROPPED: Final = " \t\n\r\v\f\u00a0.,;:!?'\"`´’‘“”„()[]{}<>/\\|-–—_+*#@=~^°"
_TABLE: Final = str.maketrans(_SPELLED_OUT | dict.fromkeys(_DROPPED, ""))
_WITHOUT_DOTS: Final = str.maketrans({"ä": "a", "ö": "o", "ü": "u"})
_LINK: Final = re.compile(r"^(.+?) (am|an der|in der|im|in|ob der|vor der|bei) (.+)$")
_BRACKET: Final = re.compile(r"^([^(/]+?) ?[(/]")
_HINT: Final = re.compile(r"^(.+?)\s*(?:\(|,|/|\s[-–]\s)\s*(.*)$")
_RIVER: Final = re.compile(
    r"^(.+?)\s+(?:am|a\.|an der|a\. ?d\.|in der|i\. ?d\.|im|i\.|ob der|vor der|bei|b\.)\s*\S", re.IGNORECASE
)
_AROUND: Final = re.compile(
    r"^(landeshauptstadt|hansestadt|stadt|gemeinde)\s+|[\s,]*\b(deutschland|germany)\s*$", re.IGNORECASE
)

# What people write for a Land, folded, to its key.
LAND_WORDS: Final[dict[str, str]] = {
    word: land
    for land, words in {
        "01": "schleswigholstein sh",
        "02": "hamburg hh",
        "03": "niedersachsen nds lowersaxony",
        "04": "bremen hb",
        "05": "nordrheinwestfalen nrw nw northrhinewestphalia",
        "06": "hessen he hesse",
        "07": "rheinlandpfalz rlp rp rhinelandpalatinate",
        "08": "badenwuerttemberg bawue bw badenwurttemberg",
        "09": "bayern by bavaria",
        "10": "saarland sl",
        "11": "berlin be",
        "12": "brandenburg bb",
        "13": "mecklenburgvorpommern meckpomm mv",
        "14": "sachsen sn saxony",
        "15": "sachsenanhalt lsa saxonyanhalt",
        "16": "thueringen th thuringia",
    }.items()
    for word in words.split()
}


def fold(text: str) -> str:
    """Lower-case letters and digits only; umlauts spelled out, other accents and all punctuation dropped."""
    folded = text.casefold().translate(_TABLE)
    if folded.isascii():
        return folded
    # composed and compatibility forms: PŸUR, O₂, and a decomposed "u" + two dots, which must become "ue"
    composed = unicodedata.normalize("NFKC", text).casefold().translate(_TABLE)
    return "".join(c for c in unicodedata.normalize("NFKD", composed) if c.isalnum()).translate(_TABLE)


def name_keys(name: str) -> set[str]:
    """The folded forms under which a German place is looked up: without dots, without or with a short river."""
    keys = {fold(name)}
    if not name.isascii():
        keys.add(fold(name.casefold().translate(_WITHOUT_DOTS)))
    if "(" in name or "/" in name:
        bracket = _BRACKET.match(name)
        keys |= {fold(bracket[1])} if bracket else set()
    elif " " in name:
        keys |= _short_forms(name)
    if name.startswith("Sankt "):
        keys |= {"st" + key.removeprefix("sankt") for key in keys}
    return keys


def _short_forms(name: str) -> set[str]:
    """Of "Frankfurt am Main": Frankfurt, Frankfurt/Main, Frankfurt a. Main, Frankfurt a. M."""
    linked = _LINK.match(name)
    if not linked:
        return set()
    base, rest = fold(linked[1]), fold(linked[3])
    initials = "".join(word[0] for word in linked[2].split())
    return {base, base + rest, base + initials + rest, base + initials + rest[:1]}


def bare_name(place: str) -> str:
    """The name without "Stadt" before and "Deutschland" after it."""
    return _AROUND.sub("", place.strip())


def split_hint(place: str) -> tuple[str, str]:
    """Of "Essen (Landkreis Cloppenburg)", "Neustadt, Bayern", "Halle / Westf." name and hint, both folded."""
    found = _HINT.match(place)
    return (fold(found[1]), fold(found[2])) if found else ("", "")


def without_river(place: str) -> str:
    """Of "Hattersheim am Main", "Moosburg a.d. Isar" the first part, folded; "" if there is none."""
    found = _RIVER.match(place)
    return fold(found[1]) if found else ""


def split_quarter(place: str) -> str:
    """Of "Köln-Ehrenfeld", "Hamburg Altona" the first word, folded."""
    return fold(re.split(r"[-\s,/(]", place.strip(), maxsplit=1)[0])
