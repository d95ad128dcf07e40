"""Free text -> the same without what points to a person: addresses, numbers of phones, accounts, customers. Pure."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
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
    (
        "[Adresse]",
        re.compile(
            r"(?<![\w:.])(?:(?:[0-9a-f]{1,4}:){5,7}[0-9a-f]{1,4}|(?:[0-9a-f]{1,4}:){1,6}(?::[0-9a-f]{1,4}){1,6}"
            r"|(?:[0-9a-f]{1,4}:){1,7}:)(?![\w:])",
            re.IGNORECASE,
        ),
    ),
    (
        "[Anschrift]",
        re.compile(
            r"\b(?:[A-ZÄÖÜ][\w.-]{1,40}[ -])?(?:[A-ZÄÖÜ][a-zäöüß-]{0,40})?[Ss]tr(?:a(?:ß|ss)e|\.)? ?\d{1,4} ?[a-z]?\b"
            r"|\b[A-ZÄÖÜ][a-zäöüß-]{2,40}(?:weg|platz|allee|gasse|ring|damm|ufer|chaussee|stieg) ?\d{1,4} ?[a-z]?\b"
        ),
    ),
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


# Documents: what stands in one must stay readable by the parser of its format, so only what is prose is looked at.
WORDS: Final = re.compile(r"[^\W\d_]{2,}\W+[^\W\d_]{2,}|[^\W\d_]{2,}[.:]? [\d+(]")
BARE: Final = (
    PATTERNS[0],
    PATTERNS[4],
    PATTERNS[5],
    ("[Telefon]", re.compile(r"(?<![\d.,:-])(?:\+\d{2}[ ()/\d-]{7,16}|0\d{2,5}[ /]\d[\d -]{4,12})(?!\d)")),
)
STRING: Final = re.compile(r'"((?:[^"\\]|\\.)*)"(\s*:)?(?:(?<=:)\s*"((?:[^"\\]|\\.)*)")?')
TEXT: Final = re.compile(r">([^<>]+)<")
PERSON: Final = re.compile(
    r"^(?:acct|user|user_?name|display_name|author|reporter|first_?name|last_?name|e?_?mail|phone|tel|ip(?:_?address)?)$",
    re.I,
)
Hide = Callable[[str], str]


def redact_document(text: str, hide: Hide, persons: frozenset[str] = frozenset()) -> str:
    """Return a document (JSON, markup, else a table) redacted, still of its form.

    hide: what stands for a person's name. persons: names of fields that hold one, beside those that always do.
    """
    start = text.lstrip("\ufeff \t\r\n")[:1]
    if start in {"{", "["}:
        return STRING.sub(lambda found: _string(found, hide, persons), text)
    if start == "<":
        return TEXT.sub(lambda found: f">{_value(found[1])}<", text)
    return _table(text, hide, persons)


def _string(found: re.Match[str], hide: Hide, persons: frozenset[str]) -> str:
    """Redact one string of JSON, or a key with the string behind it."""
    key, colon, value = found[1], found[2], found[3]
    if not colon:
        return f'"{_value(key)}"'
    if value is None:
        return found[0]
    person = PERSON.match(key) or key in persons
    return f'"{key}"{colon} "{hide(value) if person and value else _value(value)}"'


def _value(text: str) -> str:
    if WORDS.search(text):
        return redact(text)
    for word, pattern in BARE:
        text = pattern.sub(word, text)
    return text


def _table(text: str, hide: Hide, persons: frozenset[str]) -> str:
    head = text.split("\n", 1)[0]
    delimiter = max(",;\t|", key=head.count)
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    names: list[str] = []
    for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
        hidden = [cell and name in persons | {n for n in names if PERSON.match(n)} for cell, name in _named(row, names)]
        writer.writerow([hide(cell) if secret else _value(cell) for cell, secret in zip(row, hidden, strict=True)])
        names = names or [name.strip() for name in row]
    return out.getvalue()


def _named(row: list[str], names: list[str]) -> list[tuple[str, str]]:
    return [(cell, names[number] if number < len(names) else "") for number, cell in enumerate(row)]
