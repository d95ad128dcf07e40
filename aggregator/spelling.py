"""How names are compared: one folded form for place, provider and service names. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

_SPELLED_OUT = {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "&": "und", "æ": "ae", "ø": "oe", "ł": "l"}
_DROPPED = " \t\n\r\v\f\u00a0.,;:!?'\"`´’‘“”„()[]{}<>/\\|-–—_+*#@=~^°"
_TABLE: Final = str.maketrans(_SPELLED_OUT | dict.fromkeys(_DROPPED, ""))
_WITHOUT_DOTS: Final = str.maketrans({"ä": "a", "ö": "o", "ü": "u"})
_LINK: Final = re.compile(r"^(?P<base>.+?) (?P<link>am|an der|in der|im|in|ob der|vor der|a\.d\.|bei) (?P<rest>.+)$")
_BRACKET: Final = re.compile(r"^(?P<base>[^(/]+?) ?[(/] ?(?P<rest>[^)]+)\)?$")


def fold(text: str) -> str:
    """Lower-case letters and digits only; umlauts spelled out, other accents and all punctuation dropped."""
    folded = text.casefold().translate(_TABLE)
    if folded.isascii():
        return folded
    # composed and compatibility forms: PŸUR, O₂, and a decomposed "u" + two dots, which must become "ue"
    composed = unicodedata.normalize("NFKC", folded).casefold().translate(_TABLE)
    return "".join(c for c in unicodedata.normalize("NFKD", composed) if c.isalnum())


def name_keys(name: str) -> set[str]:
    """The folded forms under which a German place is looked up: without dots, without or with a short river."""
    keys = {fold(name), fold(name.casefold().translate(_WITHOUT_DOTS))}
    linked = _LINK.match(name)
    if linked:
        base, rest = fold(linked["base"]), fold(linked["rest"])
        short = "".join(word[0] for word in linked["link"].split())
        keys |= {base, base + rest, base + short + rest, base + short + rest[:1]}
    bracketed = _BRACKET.match(name)
    if bracketed:
        keys.add(fold(bracketed["base"]))
    if name.startswith("Sankt "):
        keys |= {"st" + key.removeprefix("sankt") for key in keys}
    return keys - {""}


def split_hint(place: str) -> Iterator[tuple[str, str]]:
    """Ways to read "Essen (Landkreis Cloppenburg)", "Neustadt, Bayern", "Köln-Ehrenfeld": (folded name, folded hint)."""
    place = re.sub(r"^(landeshauptstadt|hansestadt|stadt|gemeinde) ", "", place.strip(), flags=re.IGNORECASE)
    yield fold(place), ""
    for mark in (r"\(", ",", "/", r"\s[-–]\s", "-", r"\s"):
        base, found, hint = (*re.split(mark, place, maxsplit=1), "", "")[:3]
        if found:
            yield fold(base), fold(found + hint)
