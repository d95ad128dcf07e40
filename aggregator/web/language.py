"""Which language an answer has, and how it stays chosen: by the address alone, no cookie. I/O."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlencode

from flask import Response, request
from flask_babel import force_locale, get_locale, gettext

LANGUAGES: Final = {"de": "Deutsch", "en": "English"}  # the first one is what the strings in the code are written in
LOCALES: Final = {"de": "de_DE", "en": "en_GB"}  # how dates are written: 12 May, never May 12
FIRST: Final = "de"
READ: Final = ("text/html", "image/svg+xml", "application/atom+xml")  # what is written for people, in a language
LINK: Final = re.compile(r' (href|action|src)="(/(?!/)[^"?#]*)(\?[^"#]*)?(?=["#])')
FORM: Final = re.compile(r'<form\b[^>]*\bmethod="get"[^>]*>')
FIXED: Final = re.compile(r"^/(static|api)/|\.(csv|json|geojson|parquet|zip|gz|cap\.xml|css|js|txt)$")


def language() -> str:
    """Return the language of the present answer: what the address asks for, else what the browser likes best."""
    return chosen() or request.accept_languages.best_match(list(LANGUAGES)) or FIRST


def locale() -> str:
    """Return the locale of the present answer."""
    return LOCALES[language()]


def chosen() -> str:
    """Return the language that the address of the present request asks for; "" where it leaves that open."""
    asked = request.args.get("lang", "")
    return asked if asked in LANGUAGES else ""


def present() -> str:
    """Return the language in which is written just now, "de" or "en"."""
    spoken = get_locale()
    return spoken.language if spoken else FIRST


def addresses() -> dict[str, str]:
    """Return the address of the present page in each language, from the root, what else was asked for kept."""
    path = request.path if request.method in {"GET", "HEAD"} else "/melden"
    kept = [(name, value) for name, value in request.args.items(multi=True) if name != "lang"]
    return {code: f"{path}?{urlencode([*kept, ('lang', code)])}" for code in LANGUAGES}


def open_address() -> str:
    """Return the address of the present page that leaves the language to the browser, from the root."""
    kept = urlencode([(name, value) for name, value in request.args.items(multi=True) if name != "lang"])
    return f"{request.path}?{kept}" if kept else request.path


def in_german(text: str) -> str:
    """Return a string of the code as it stands there, whatever the reader's language."""
    with force_locale(FIRST):
        return str(gettext(text))


def named(service: str) -> str:
    """Return the name of a service, given in German, as it stands inside a sentence."""
    name = str(gettext(service))
    return name if present() == FIRST else name[:1].lower() + name[1:]


def settle(response: Response) -> None:
    """Name the language of the present answer, and keep an explicitly chosen one in every link that leads on."""
    if response.mimetype in READ:
        response.content_language.add(present())
    asked = chosen()
    if not asked:
        return
    target = response.headers.get("Location", "")
    if target.startswith("/") and "lang=" not in target:
        response.headers["Location"] = f"{target}{'&' if '?' in target else '?'}lang={asked}"
    if response.mimetype == "text/html" and not response.is_streamed:
        response.set_data(kept_in(response.get_data(as_text=True), asked))


def kept_in(page: str, asked: str) -> str:
    """Return the page with `asked` in the address of every link and form that leads to a page or picture of ours."""

    def linked(found: re.Match[str]) -> str:
        name, path, query = found.group(1), found.group(2), found.group(3) or ""
        if FIXED.search(path) or "lang=" in query:
            return found.group()
        return f' {name}="{path}{query}{"&amp;" if query else "?"}lang={asked}'

    field = f'<input type="hidden" name="lang" value="{asked}">'
    return FORM.sub(lambda found: found.group() + field, LINK.sub(linked, page))
