"""The strings of the site -> the English catalogue.

python -m tests.translating                      take in what is new, drop what is gone, write .po and .mo,
                                                 name what has no English yet
python -m tests.translating "Deutsch" "German"   the same, with the English of one string (any number of pairs)
"""

from __future__ import annotations

import ast
import csv
import io
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT: Final = Path(__file__).parents[1]
WEB: Final = ROOT / "aggregator" / "web"
PO: Final = WEB / "translations" / "en" / "LC_MESSAGES" / "messages.po"
MO: Final = PO.with_suffix(".mo")
METHODS: Final = [("**.html", "jinja2")]
OPTIONS: Final = {"**.html": {"trim_blocks": "true", "lstrip_blocks": "true"}}
KEYWORDS: Final = {"_": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2)}  # which arguments: the first
HOW: Final = 'python -m tests.translating "<German>" "<English>"'
HEADER: Final = f"""# The English of Netzlage. The German strings stand in the code, marked with _() or {{% trans %}}.
# To add one:    {HOW}
# To sweep:      python -m tests.translating
# (new strings are taken in, gone ones dropped, messages.mo is made from this file; commit both)"""
MADE: Final = datetime(2017, 5, 13, tzinfo=UTC)  # the file's own dates say nothing that the repository does not know

English = Mapping[Any, Any]  # str -> str; of what is counted (one, many) -> (one, many)


def marked() -> Iterator[str | tuple[str, ...]]:
    """Yield every string that is marked for translation in code and templates, and the names among the facts."""
    pages = WEB / "templates"
    found = extract_from_dir(pages, method_map=METHODS, options_map=OPTIONS, keywords=KEYWORDS)
    for _file, _line, message, _comments, _context in found:
        yield message
    for module in sorted(WEB.parent.rglob("*.py")):
        yield from said_in(module.read_text("utf-8"))
    yield from facts()
    yield from laender()


def said_in(code: str) -> Iterator[str | tuple[str, ...]]:
    """Yield what a module marks; also inside f-strings, which Babel's own reader passes over."""
    for node in ast.walk(ast.parse(code)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id not in KEYWORDS:
            continue
        wanted = KEYWORDS[node.func.id] or (1,)
        given = [arg.value for arg in node.args[: len(wanted)] if isinstance(arg, ast.Constant)]
        texts = [text for text in given if isinstance(text, str)]
        if len(texts) == len(wanted):
            yield texts[0] if len(texts) == 1 else tuple(texts)


def facts() -> dict[str, str]:
    """Return the names of services and symptoms and the notes of feeds, German -> English; "": not said there."""
    services = tomllib.loads((ROOT / "data" / "services.toml").read_text("utf-8"))["service"]
    names = {service["name_de"]: service["name_en"] for service in services}
    for service in services:
        names.update(service.get("symptoms", {}).values())
    feeds = tomllib.loads((ROOT / "data" / "feeds.toml").read_text("utf-8")).get("feed", [])
    notes = {feed["note"]: "" for feed in feeds if feed.get("note")}
    return notes | names


def laender() -> list[str]:
    """Return the German names of the Länder."""
    with (ROOT / "data" / "laender.csv").open(encoding="utf-8", newline="") as file:
        return [row["name"] for row in csv.DictReader(file)]


def known() -> English:
    """Return what the catalogue says, German -> English; "" where it says nothing."""
    with PO.open("rb") as file:
        return {message.id: message.string for message in read_po(file) if message.id}


def catalogue(english: English) -> Catalog:
    """Return the catalogue of what is marked now, with the English that is known."""
    made = Catalog(
        locale="en", header_comment=HEADER, project="Netzlage", version="1", fuzzy=False,
        creation_date=MADE, revision_date=MADE, last_translator="Netzlage", language_team="English",
    )  # fmt: skip
    names: English = {**facts()}
    for message in marked():
        made.add(message, names.get(message) or english.get(message) or "")
    return made


def written(made: Catalog) -> tuple[bytes, bytes]:
    """Return the catalogue as .po and .mo."""
    po, mo = io.BytesIO(), io.BytesIO()
    write_po(po, made, width=0, no_location=True, sort_output=True)
    write_mo(mo, made)
    return po.getvalue(), mo.getvalue()


def untranslated(made: Catalog) -> list[Message]:
    """Return the messages that have no English."""
    said = [(message, message.string) for message in made if message.id]
    return [message for message, english in said if not (all(english) if isinstance(english, tuple) else english)]


def main(pairs: Sequence[str]) -> int:
    """Write the catalogue anew, with the English in `pairs`; return 1 if some string has none."""
    told = dict(zip(pairs[::2], pairs[1::2], strict=True))
    made = catalogue({**known(), **told})
    for german in set(told) - {message.id for message in made}:
        sys.stderr.write(f"No string of the site: {german}\n")
    po, mo = written(made)
    PO.write_bytes(po)
    MO.write_bytes(mo)
    missing = untranslated(made)
    for message in missing:
        sys.stderr.write(f"No English: {message.id}\n")
    return 1 if missing else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
