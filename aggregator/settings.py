"""Settings: one table (name, default, help); values from the environment, then a TOML file, then the default. I/O."""

from __future__ import annotations

import contextlib
import difflib
import os
import re
import secrets
import tempfile
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import platformdirs

from aggregator.errors import SettingsError

PREFIX = "NETZLAGE_"
HIDDEN = "***"


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table: how a value is called, read, explained and (when a secret) hidden."""

    name: str
    default: Any
    help: str
    parse: Callable[[Any], Any]
    secret: bool = False


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be text")
    return value


def _number(value: Any) -> float:
    number = float("nan") if isinstance(value, bool) else float(value)
    if not 0 < number < float("inf"):
        raise ValueError("must be a number above 0")
    return number


def _count(value: Any) -> int:
    text = str(value).strip()
    if not (text.isascii() and text.isdigit()):
        raise ValueError("must be a whole number, 0 or more")
    return int(text)


def _switch(value: Any) -> bool:
    words = {"on": True, "off": False, "true": True, "false": False}
    text = str(value).strip().lower()
    if text not in words:
        raise ValueError('must be "on" or "off"')
    return words[text]


def _url(value: Any) -> str:
    text = _text(value).strip()
    if text and not re.match(r"https?://[^/\s]", text):
        raise ValueError('must be a URL such as "https://example.org"')
    return text.rstrip("/")


def _smtp_url(value: Any) -> str:
    text = _text(value).strip()
    if text and not re.fullmatch(r"smtps?://([^/?#\s]*@)?[^/?#@:\s]+(:\d{1,5})?/?(\?tls=(required|offered))?", text):
        raise ValueError('must be a URL such as "smtp://user:password@mail.example.org:587"')
    return text


def _address(value: Any) -> str:
    text = _text(value).strip()
    if text and not re.fullmatch(r"[^@\s<>,;:\"\x7f-\uffff]+@[^@\s<>,;:\"\x7f-\uffff]+", text):
        raise ValueError('must be an address such as "netzlage@example.org"')
    return text


RATE = re.compile(r"[1-9]\d{0,8} ?(?:/|per) ?(?:second|minute|hour|day)", re.IGNORECASE)


def _rates(value: Any) -> str:
    parts = [part.strip() for part in re.split(r"[;,]", _text(value))]
    if not all(RATE.fullmatch(part) for part in parts):
        raise ValueError('must be rates such as "60 per minute; 600 per hour"')
    return "; ".join(parts)


def _names(value: Any) -> tuple[str, ...]:
    parts = re.split(r"[\s,;]+", value) if isinstance(value, str) else list(value)
    names = tuple(str(part).strip().lower().rstrip(".") for part in parts if str(part).strip())
    if any(not re.fullmatch(r"[a-z0-9.:_-]+", name) for name in names):
        raise ValueError('must be host names such as "netzlage.example", without https:// and path')
    return names


def _networks(value: Any) -> tuple[str, ...]:
    parts = re.split(r"[\s,;]+", value) if isinstance(value, str) else list(value)
    try:
        return tuple(str(ip_network(str(part).strip(), strict=False)) for part in parts if str(part).strip())
    except ValueError:
        raise ValueError('must be addresses or networks such as "127.0.0.1 10.0.0.0/8"') from None


def _one_of(*words: str) -> Callable[[Any], str]:
    def parse(value: Any) -> str:
        text = str(value).strip().lower()
        if text not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return text

    return parse


TABLE: tuple[Setting, ...] = (
    Setting("home", "", "folder for what Netzlage writes; default: the platform's user data folder", _text),
    Setting("database", "", "SQLAlchemy URL of the store; default: an SQLite file in home", _text, secret=True),
    Setting("feeds", "", "path of a feeds file that replaces the shipped one", _text),
    Setting("secret_key", "", "key of hashes and forms; default: made once and kept in home", _text, secret=True),
    Setting("base_url", "", "public address of the site, for links that leave it", _url),
    Setting("false_alarms_per_week", 1.0, "budget of false alarms, all of Germany, all providers together", _number),
    Setting("nominatim_url", "", "a Nominatim server to ask for places that the embedded gazetteer lacks", _url),
    Setting("redis_url", "", "Redis or Valkey that several web processes share", _text, secret=True),
    Setting("smtp_url", "", "mail server for alerts (smtp:// or smtps://); empty: no e-mail", _smtp_url, secret=True),
    Setting("mail_from", "", "sender of alerts by e-mail; default: netzlage@ and the host of base_url", _address),
    Setting("trusted_proxies", 0, "number of reverse proxies whose X-Forwarded-For is believed", _count),
    Setting("rate_limits", True, '"on" or "off"', _switch),
    Setting("rate_limit_block", "600 per minute; 12000 per hour", "what one /24 (IPv6: /48) may send", _rates),
    Setting("rate_limit_line", "60 per minute; 600 per hour", "what one IPv6 /64 may send", _rates),
    Setting("rate_limit_all", "6000 per minute", "what all together may send", _rates),
    Setting("allowed_hosts", "", "host names to answer to, beside those of base_url and localhost", _names),
    Setting("metrics_from", "127.0.0.0/8 ::1", "addresses and networks that may read /metrics", _networks),
    Setting("log_format", "text", '"text", or "json": a line of JSON an event', _one_of("text", "json")),
    Setting("log_level", "warning", "least of what is logged", _one_of("debug", "info", "warning", "error")),
    Setting("keep_reports", 0, "days after which reports are deleted, their counts excepted; 0: never", _count),
    Setting("publish_comments", False, '"on": comments of reports are shown with their incident', _switch),
    Setting("operator", "", "who runs the site: name, address, register (impressum, § 5 DDG)", _text),
    Setting("responsible", "", "the person who answers for the content: name and address (§ 18 MStV)", _text),
    Setting("contact", "", "e-mail and telephone; also the points of contact of the DSA (Art. 11, 12)", _text),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings in force, all parsed; `origin` says for each name where its value came from."""

    home: Path
    database: str
    feeds: Path | None
    secret_key: str
    base_url: str
    false_alarms_per_week: float
    nominatim_url: str
    redis_url: str
    smtp_url: str
    mail_from: str
    trusted_proxies: int
    rate_limits: bool
    rate_limit_block: str
    rate_limit_line: str
    rate_limit_all: str
    allowed_hosts: tuple[str, ...]
    metrics_from: tuple[str, ...]
    log_format: str
    log_level: str
    keep_reports: int
    publish_comments: bool
    operator: str
    responsible: str
    contact: str
    origin: Mapping[str, str]


def load_settings(
    config: Path | None, environ: Mapping[str, str], *, overrides: Mapping[str, Any] | None = None
) -> Settings:
    """Read the settings; environment before file before default, `overrides` before all.

    config: a TOML file that must exist; None: `netzlage.toml` in the working folder if it is there.
    Raises SettingsError with the setting's name and the mend.
    """
    from_file, file_name = _read_file(config)
    values: dict[str, Any] = {}
    origin: dict[str, str] = {}
    for row in TABLE:
        value, origin[row.name] = _look_up(row, overrides or {}, environ, from_file, file_name)
        values[row.name] = _parse(row, value, origin[row.name])
    _reject_unknown(environ, from_file, file_name)
    return Settings(**_complete(values), origin=origin)


def _read_file(config: Path | None) -> tuple[dict[str, Any], str]:
    path = config or Path("netzlage.toml")
    if config is None and not path.exists():
        return {}, ""
    try:
        return tomllib.loads(path.read_text("utf-8-sig")), str(path)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"Settings file {path} cannot be read ({error}); check the path given with --config."
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"Settings file {path} is not valid TOML: {error}; mend that line.") from None


def _look_up(
    row: Setting,
    overrides: Mapping[str, Any],
    environ: Mapping[str, str],
    from_file: Mapping[str, Any],
    file_name: str,
) -> tuple[Any, str]:
    variable = PREFIX + row.name.upper()
    if overrides.get(row.name) is not None:
        return overrides[row.name], "command"
    if environ.get(variable, "").strip():  # an empty variable is how containers say "not set"
        return environ[variable], f"environment ({variable})"
    if row.name in from_file:
        return from_file[row.name], file_name
    return row.default, "default"


def _parse(row: Setting, value: Any, origin: str) -> Any:
    try:
        return row.parse(value)
    except (ValueError, TypeError) as error:
        shown = "(hidden)" if row.secret else repr(value)
        why = str(error) if str(error).startswith("must") else "must be a number"
        raise SettingsError(f"Setting {row.name} = {shown} from {origin} {why}: {row.help}.") from None


def _reject_unknown(environ: Mapping[str, str], from_file: Mapping[str, Any], file_name: str) -> None:
    names = [row.name for row in TABLE]
    for name in from_file:
        if name not in names:
            raise SettingsError(f"Unknown setting {name} in {file_name}; {_known(name, names)}")
    variables = [PREFIX + name.upper() for name in names]
    for variable in environ:
        if variable.upper().startswith(PREFIX) and variable not in variables:
            raise SettingsError(f"Unknown setting {variable} in the environment; {_known(variable, variables)}")


def _known(name: str, names: list[str]) -> str:
    like = {known.lower().removeprefix(PREFIX.lower()): known for known in names}
    near = difflib.get_close_matches(name.lower().removeprefix(PREFIX.lower()), like, n=1)
    return f"did you mean {like[near[0]]}?" if near else f"known are {', '.join(sorted(names))}."


def _complete(values: dict[str, Any]) -> dict[str, Any]:
    home = Path(values["home"] or platformdirs.user_data_dir("netzlage", appauthor=False)).expanduser()
    database = values["database"] or f"sqlite:///{home / 'netzlage.sqlite'}"
    feeds = Path(values["feeds"]).expanduser() if values["feeds"] else None
    return {**values, "home": home, "database": database, "feeds": feeds}


def shown(name: str, settings: Settings) -> str:
    """Return a setting's value as a person may see it: a secret hidden, a URL without the password in it."""
    row = next(row for row in TABLE if row.name == name)
    value = getattr(settings, name)
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return ", ".join(value)
    if not row.secret or not value:
        return "" if value is None else str(value)
    return _without_password(value) if "://" in value else HIDDEN


def _without_password(url: str) -> str:
    """Hide the password before the last @ (it may hold an @ itself) and secrets among the parameters."""
    url = re.sub(r"(?s)://([^:/?#]*):.*@", rf"://\1:{HIDDEN}@", url)
    return re.sub(r"(?i)([?&][^=&]*(?:pass|pw|secret|token|key)[^=&]*)=[^&]*", rf"\1={HIDDEN}", url)


def secret_key(settings: Settings) -> str:
    """Return the secret key: the setting's, else one made at the first call and kept in `home` (mode 600)."""
    if settings.secret_key:
        return settings.secret_key
    path = settings.home / "secret_key"
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _keep_new_key(path)
        key = path.read_text("ascii", errors="replace").strip()
    except OSError as error:
        raise SettingsError(
            f"Setting home = {settings.home} cannot be written ({error}); name a folder that can."
        ) from None
    if not key:
        raise SettingsError(f"The key file {path} is empty; delete it, and a new key is made (old hashes then end).")
    return key


def _keep_new_key(path: Path) -> None:
    """Write the key whole and only then give it its name: of two processes that start at once both read the first's."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".secret_key")  # mkstemp makes mode 600
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32))
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        os.unlink(draft)
