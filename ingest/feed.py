"""feeds.toml -> Feed: the stanzas, each key checked, mistakes named with stanza and key. I/O."""

from __future__ import annotations

import codecs
import difflib
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, cast, get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aggregator.errors import SettingsError
from aggregator.model import Channel, FeedKind
from ingest.parsers import KINDS, Feed
from ingest.parsers.fields import REPORT_FIELDS, STATEMENT_FIELDS
from ingest.parsers.read import span

OWN_NAMES: Final[Mapping[str, frozenset[str]]] = {
    "reports": REPORT_FIELDS,
    "statements": STATEMENT_FIELDS,
    "signals": frozenset(),
}
__all__ = ["Feed", "load_feeds", "parse_feeds"]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be text")
    return value


def _name(value: Any) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,39}", _text(value)):
        raise ValueError("must be small letters, digits, - and _, 40 at most")
    return cast(str, value)


def _variable(value: Any) -> str:
    if not re.fullmatch(r"[A-Z_][A-Z0-9_]{0,63}", _text(value)):
        raise ValueError("must be the name of an environment variable (capitals, digits, _), never the token itself")
    return cast(str, value)


def _yes_no(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _positive(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise ValueError("must be a whole number above 0")
    return value


def _list(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError('must be a list of texts such as ["o2"]')
    return tuple(value)


def _table(value: Any) -> Mapping[str, str]:
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise ValueError("must be a table of texts")
    return value


def _slugs(value: Any) -> Mapping[str, str]:
    return {slug: slug for slug in _list(value)} if isinstance(value, list) else _table(value)


def _one_of(*known: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if value not in known:
            raise ValueError(f"must be one of {', '.join(known)}")
        return cast(str, value)

    return check


def _zone(value: Any) -> str:
    try:
        return ZoneInfo(_text(value)).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError('must be a time zone such as "Europe/Berlin"') from None


def _date_format(value: Any) -> str:
    if value != "iso" and "%" not in _text(value):
        raise ValueError('must be "iso" or a strptime pattern such as "%d.%m.%Y %H:%M"')
    return cast(str, value)


def _encoding(value: Any) -> str:
    try:
        codecs.lookup(_text(value))
    except LookupError:
        raise ValueError('must be an encoding such as "utf-8" or "cp1252"') from None
    return cast(str, value)


KEYS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "name": _name,
    "format": _text,
    "url": _text,
    "kind": _one_of(*get_args(FeedKind)),
    "enabled": _yes_no,
    "every": span,
    "lookback": span,
    "window": _positive,
    "timeout": span,
    "max_bytes": _positive,
    "licence": _text,
    "republish": _one_of("none", "counts", "rows"),
    "covers": _list,
    "allow_private": _yes_no,
    "token": _variable,
    "auth": _one_of("bearer", "basic"),
    "note": _text,
    "records": _text,
    "encoding": _encoding,
    "delimiter": _one_of(",", ";", "\t", "|"),
    "date_format": _date_format,
    "tz": _zone,
    "fields": _table,
    "open_providers": _yes_no,
    "provider": _text,
    "service": _text,
    "symptom": _text,
    "channel": _one_of(*get_args(Channel)),
    "services": _table,
    "slugs": _slugs,
    "countries": _list,
    "page_size": _positive,
}


def load_feeds(path: Path, environ: Mapping[str, str] | None = None) -> list[Feed]:
    """Read a feeds file; relative paths in it start from its folder.

    environ: where the value behind `token` is looked up (None: ours). Raises SettingsError with stanza and key.
    """
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"Feeds file {path} cannot be read ({error}); check the setting feeds.") from None
    found = parse_feeds(text, os.environ if environ is None else environ, where=str(path))
    return [_at_home(feed, path.parent) for feed in found]


def parse_feeds(text: str, environ: Mapping[str, str], *, where: str = "feeds.toml") -> list[Feed]:
    """Read the text of a feeds file, as load_feeds."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"Feeds file {where} is not valid TOML: {error}; mend that line.") from None
    stanzas = document.get("feed", [])
    if set(document) - {"feed"} or not isinstance(stanzas, list):
        raise SettingsError(f"Feeds file {where} may hold only [[feed]] stanzas; mend {', '.join(document)}.")
    feeds = [_feed(stanza, number, environ) for number, stanza in enumerate(stanzas, 1)]
    names = [feed.name for feed in feeds]
    for name in names:
        if names.count(name) > 1:
            raise SettingsError(f'Feed "{name}" stands twice in {where}; each needs a name of its own.')
    return feeds


def _feed(stanza: Mapping[str, Any], number: int, environ: Mapping[str, str]) -> Feed:
    label = f'Feed "{stanza["name"]}"' if isinstance(stanza.get("name"), str) else f"Feed number {number}"
    values: dict[str, Any] = {}
    for key, value in stanza.items():
        if key not in KEYS:
            near = difflib.get_close_matches(key, KEYS, n=1)
            mend = f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(KEYS))}."
            raise SettingsError(f"{label}: unknown key {key}; {mend}")
        try:
            values[key] = KEYS[key](value)
        except ValueError as error:
            said = "" if key == "token" else f" = {value!r}"  # it may be the secret itself
            raise SettingsError(f"{label}: {key}{said} {error}.") from None
    for key in ("name", "format", "url"):
        if not values.get(key):
            raise SettingsError(f"{label}: {key} is missing; add it.")
    feed = Feed(**values, secret=environ.get(values.get("token", ""), ""))
    _check(feed, label)
    return feed


def _check(feed: Feed, label: str) -> None:
    """Refuse what only shows when the keys of a stanza are looked at together."""
    if feed.format not in KINDS:
        raise SettingsError(f"{label}: format = {feed.format!r} is not known; known are {', '.join(sorted(KINDS))}.")
    if feed.kind not in KINDS[feed.format]:
        kinds = " or ".join(f"{kind!r}" for kind in sorted(KINDS[feed.format]))
        raise SettingsError(f"{label}: kind = {feed.kind!r} does not go with format {feed.format}, only {kinds}.")
    own = OWN_NAMES[feed.kind]
    for name, path in feed.fields.items():
        if name not in own:
            raise SettingsError(f"{label}: fields.{name} is not a name of ours; known are {', '.join(sorted(own))}.")
        split = re.search(r"\[(.*)\]$", path)
        if split and name not in [part.strip() for part in split[1].split(",")]:
            raise SettingsError(f"{label}: fields.{name} = {path!r} must hold {name} between its brackets.")
    if feed.format == "downdetector_v2" and not feed.slugs:
        raise SettingsError(f'{label}: slugs is missing; list the companies, for instance slugs = ["o2"].')
    if (feed.format == "statuspage" or (feed.format, feed.kind) == ("rss", "statements")) and not feed.provider:
        raise SettingsError(f"{label}: provider is missing; say whose status page it is.")


def _at_home(feed: Feed, folder: Path) -> Feed:
    """Make a relative path start from the folder of the feeds file."""
    if urlsplit(feed.url).scheme or Path(feed.url).is_absolute():
        return feed
    return replace(feed, url=str(folder / feed.url))
