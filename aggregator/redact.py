"""Free text -> the same without what points to a person: addresses, numbers of phones, accounts, customers. Pure."""

from __future__ import annotations

import re
from typing import Final

# In this order: an IBAN holds numbers, an e-mail address holds the name of a site.
PATTERNS: Final = (
    ("[E-Mail]", re.compile(r"[\w.+%-]{1,64}\s?(?:@|\(at\)|\[at\])\s?[\w-]{1,63}(?:\.[\w-]{1,63})+", re.IGNORECASE)),
    ("[Adresse]", re.compile(r"\b(?:https?://|www\.)\S+", re.IGNORECASE)),
    (
        "[Adresse]",
        re.compile(r"\b[\w-]{1,63}(?:\.[\w-]{1,63}){0,3}\.(?:de|com|net|org|info|eu|io|ru|at|ch)\b(?:/\S*)?", re.I),
    ),
    ("[Kontonummer]", re.compile(r"\b[a-z]{2}\d{2}(?:[ -]?\d[a-z\d]{3}){3,7}(?:[ -]?[a-z\d]{1,3})?\b", re.IGNORECASE)),
    ("[Adresse]", re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b")),
    # A date such as 01.05.2017 10:30 begins like a number of a phone.
    ("[Telefon]", re.compile(r"(?<![\d.,:])(?!\d{1,2}\.\s?\d{1,2}\.)(?:\+\d{1,3}|0)(?:[ ()/.-]{0,3}\d){6,14}(?!\d)")),
    ("[Nummer]", re.compile(r"\b(?=[A-Z\d-]*\d{5})[A-Z]{1,4}-?\d{5,}\b", re.IGNORECASE)),
    ("[Nummer]", re.compile(r"(?<!\d)(?!(?:19|20)\d\d-\d\d-\d\d(?!\d))\d(?:[ -]?\d){6,}(?!\d)")),
)


def redact(text: str) -> str:
    """Return `text` with a word in brackets in place of each such thing; PLZ, dates and times stay."""
    for word, pattern in PATTERNS:
        text = pattern.sub(word, text)
    return text
