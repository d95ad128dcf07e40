"""Settings: one table (name, default, help); values from the environment, then a TOML file, then the default. I/O."""

from __future__ import annotations

import secrets
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs

from aggregator.errors import SettingsError

PREFIX = "NETZLAGE_"


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
    number = float(value)
    if not 0 < number < float("inf"):
        raise ValueError("must be a number above 0")
    return number


def _count(value: Any) -> int:
    number = int(str(value))
    if number < 0:
        raise ValueError("must be a whole number, 0 or more")
    return number


def _switch(value: Any) -> bool:
    words = {"on": True, "off": False, "true": True, "false": False}
    text = str(value).lower()
    if text not in words:
        raise ValueError('must be "on" or "off"')
    return words[text]


def _url(value: Any) -> str:
    text = _text(value)
    if text and "://" not in text:
        raise ValueError('must be a URL such as "https://example.org"')
    return text.rstrip("/")


TABLE: tuple[Setting, ...] = (
    Setting("home", "", "folder for what Netzlage writes; default: the platform's user data folder", _text),
    Setting("database", "", "SQLAlchemy URL of the store; default: an SQLite file in home", _text, secret=True),
    Setting("feeds", "", "path of a feeds file that replaces the shipped one", _text),
    Setting("secret_key", "", "key of hashes and forms; default: made once and kept in home", _text, secret=True),
    Setting("base_url", "", "public address of the site, for links that leave it", _url),
    Setting("false_alarms_per_week", 1.0, "budget of false alarms, all of Germany, all providers together", _number),
    Setting("nominatim_url", "", "a Nominatim server to ask for places that the embedded gazetteer lacks", _url),
    Setting("redis_url", "", "Redis or Valkey that several web processes share", _text, secret=True),
    Setting("smtp_url", "", "mail server for alerts", _text, secret=True),
    Setting("trusted_proxies", 0, "number of reverse proxies whose X-Forwarded-For is believed", _count),
    Setting("rate_limits", True, '"on" or "off"', _switch),
    Setting("operator", "", "name and address of the person who answers for the site (impressum)", _text),
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
    trusted_proxies: int
    rate_limits: bool
    operator: str
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
        return tomllib.loads(path.read_text("utf-8")), str(path)
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
    if row.name in overrides:
        return overrides[row.name], "command"
    if variable in environ:
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
    known = {row.name for row in TABLE}
    for name in from_file:
        if name not in known:
            raise SettingsError(f"Unknown setting {name} in {file_name}; known are {', '.join(sorted(known))}.")
    for variable in environ:
        if variable.startswith(PREFIX) and variable.removeprefix(PREFIX).lower() not in known:
            raise SettingsError(
                f"Unknown setting {variable} in the environment; `netzlage doctor` lists the known ones."
            )


def _complete(values: dict[str, Any]) -> dict[str, Any]:
    home = Path(values["home"] or platformdirs.user_data_dir("netzlage", appauthor=False))
    database = values["database"] or f"sqlite:///{home / 'netzlage.sqlite'}"
    feeds = Path(values["feeds"]) if values["feeds"] else None
    return {**values, "home": home, "database": database, "feeds": feeds}


def secret_key(settings: Settings) -> str:
    """Return the secret key: the setting's, else one made at the first call and kept in `home` (mode 600)."""
    if settings.secret_key:
        return settings.secret_key
    path = settings.home / "secret_key"
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(secrets.token_hex(32), "ascii")
        return path.read_text("ascii").strip()
    except OSError as error:
        raise SettingsError(
            f"Setting home = {settings.home} cannot be written ({error}); name a folder that can."
        ) from None
