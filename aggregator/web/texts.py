"""The pages of words: method, privacy, sizing, impressum; Markdown beside this file. I/O."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import markdown
from flask import Blueprint, render_template
from flask_babel import gettext as _

from aggregator.imprint import missing
from aggregator.web.desk import instance, now
from aggregator.web.language import present
from aggregator.web.privacy import sentences
from aggregator.web.promise import promise

PAGES = Path(__file__).parent / "pages"
CAPTION = re.compile(r"<p>(?:Tabelle|Table): (.*?)</p>\s*<table>")
blueprint = Blueprint("texts", __name__)


@lru_cache(maxsize=16)
def _html(name: str, language: str) -> str:
    """Return a page of words; a line "Tabelle: …" before a table is its caption."""
    text = (PAGES / language / f"{name}.md").read_text("utf-8")
    page = markdown.markdown(text, extensions=["tables"], output_format="html")
    return CAPTION.sub(r"<table>\n<caption>\1</caption>", page).replace("<th>", '<th scope="col">')


@blueprint.get("/methodik")
def method() -> str:
    """Show how Netzlage decides, with what is in force now where the text leaves room for it."""
    with instance().store.read() as connection:
        holds = promise(connection, instance(), now())
    body = _html("methodik", present())
    for place in ("eichung", "grenzen"):
        body = body.replace(f"<!-- {place} -->", render_template(f"{place}.html", promise=holds))
    return render_template("text.html", title=_("Methode"), body=body)


@blueprint.get("/datenschutz")
def privacy() -> str:
    """Show what is stored of whom, and how long."""
    body = _html("datenschutz", present())
    for place, said in sentences(instance().settings).items():
        body = body.replace(f"<!-- {place} -->", said)
    return render_template("text.html", title=_("Datenschutz"), body=body)


@blueprint.get("/betrieb")
def sizing() -> str:
    """Show what an operator needs for how many reports."""
    return render_template("text.html", title=_("Betrieb"), body=_html("betrieb", present()))


@blueprint.get("/impressum")
def imprint() -> str:
    """Show who answers for the site, from the settings."""
    settings = instance().settings
    return render_template("impressum.html", title=_("Impressum"), settings=settings, missing=missing(settings))
