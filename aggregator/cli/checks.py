"""What `doctor` looks for in the settings of the site: proxies, limits, secrets, Redis, clock, hosts. I/O."""

from __future__ import annotations

import os
import platform
import re
import stat
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from aggregator.backups import last_made
from aggregator.clock import BERLIN, SystemClock
from aggregator.errors import NetzlageError, SettingsError
from aggregator.settings import TABLE, Settings
from aggregator.store.checkup import company, file_of, newest
from aggregator.web.limits import check_redis

LEAST_KEY: Final = 16  # characters
MOST_PROXIES: Final = 4
LEAST_FILES: Final = 1000
WRITTEN: Final = datetime(2026, 11, 1, tzinfo=UTC)  # this program is not older than that
FAST: Final = timedelta(minutes=10)
APART: Final = timedelta(seconds=10)  # of two clocks: what is "now" for one host would be so for the other no more
OLD: Final = timedelta(days=8)  # whoever makes a backup each week has missed one
SECONDS: Final = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}


def check_site(settings: Settings) -> str:
    """Return how the site is reached; SettingsError where proxies, address and hosts do not fit together."""
    public = urlsplit(settings.base_url)
    if public.scheme == "https" and not settings.trusted_proxies:
        raise SettingsError(
            "base_url is https, so a proxy stands before the site, but trusted_proxies is 0: everybody would have the "
            "proxy's address and count as one; set trusted_proxies = 1."
        )
    if settings.trusted_proxies and not settings.base_url:
        raise SettingsError("trusted_proxies is set but base_url is empty; set base_url to the address of the site.")
    if settings.trusted_proxies > MOST_PROXIES:
        raise SettingsError(
            f"trusted_proxies = {settings.trusted_proxies}: whoever sends that many addresses may invent theirs; write "
            "how many proxies of your own stand before the site."
        )
    if public.path:
        raise SettingsError(f"base_url ends with {public.path}, but the pages lie at the root; leave that out.")
    if public.hostname and _is_unreachable(public.hostname):
        raise SettingsError(f"base_url names {public.hostname}, which nobody else can reach; write the public name.")
    return f"{settings.base_url or 'this machine only, base_url is empty'}, {settings.trusted_proxies} proxies"


def _is_unreachable(host: str) -> bool:
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        return False


def check_limits(settings: Settings) -> str:
    """Return how much may be sent; SettingsError where the limits are off in public, upside down or without store."""
    if not settings.rate_limits:
        if settings.base_url:
            raise SettingsError("rate_limits is off on a public site: one program can fill the disk; set it to on.")
        return "off"
    if _a_second(settings.rate_limit_block) > _a_second(settings.rate_limit_all):
        raise SettingsError(
            "rate_limit_block lets one network send more than rate_limit_all lets everybody: it could keep all others "
            "out; make rate_limit_all the larger."
        )
    check_redis(settings.redis_url)
    return f"a network {settings.rate_limit_block}, all {settings.rate_limit_all}"


def _a_second(rates: str) -> float:
    """Return the most that rates such as "60 per minute; 600 per hour" let through in the long run."""
    parts = [re.split(r" ?(?:/|per) ?", part.strip()) for part in rates.lower().split(";")]
    return min(int(number) / SECONDS[unit] for number, unit in parts)


def check_secrets(settings: Settings) -> str:
    """Return that secrets are; SettingsError where they can be guessed or read by others."""
    if settings.secret_key and len(settings.secret_key) < LEAST_KEY:
        raise SettingsError(
            f"secret_key is shorter than {LEAST_KEY} characters and can be guessed; leave it out, and one is made."
        )
    for row in TABLE:
        file = Path(settings.origin[row.name])
        known = row.secret and getattr(settings, row.name) and file.is_file()
        if known and _is_open(file, stat.S_IRGRP | stat.S_IROTH):
            raise SettingsError(f"{file} holds {row.name} and can be read by others; run: chmod 600 {file}")
    if settings.home.is_dir() and _is_open(settings.home, stat.S_IWOTH):
        raise SettingsError(f"Everybody can write to {settings.home}; run: chmod o-w {settings.home}")
    return "kept"


def _is_open(path: Path, rights: int) -> bool:
    return bool(path.stat().st_mode & rights)


def check_room(settings: Settings) -> str:
    """Return that files can be made and the database written; SettingsError where not."""
    path = file_of(settings.database)
    if path is None:
        return "the database has its own"
    if not path.parent.is_dir() and path.parent != settings.home:
        raise SettingsError(f"The folder {path.parent} of the database does not exist; make it or name another one.")
    if path.exists() and not os.access(path, os.W_OK):
        raise SettingsError(f"The database {path} cannot be written; run: chmod u+w {path}, or start as its owner.")
    there = next(folder for folder in (path.parent, *path.absolute().parents) if folder.exists())
    free = os.statvfs(there).f_favail
    if os.statvfs(there).f_files > 0 and free < LEAST_FILES:
        raise SettingsError(f"The disk of {there} has room for {free} more files only; delete some.")
    return "the database can be written"


def check_clock(settings: Settings) -> str:
    """Return what the clock says; NetzlageError where it cannot be right."""
    now = SystemClock().now()
    if now < WRITTEN:
        raise NetzlageError(f"The clock says {now:%Y-%m-%d %H:%M} UTC, which has passed; switch on NTP.")
    last = newest(settings.database)
    if last and last > now + FAST:
        raise NetzlageError(
            f"The store knows of {last:%Y-%m-%d %H:%M} UTC, the clock says {now:%Y-%m-%d %H:%M} UTC: it goes wrong, or "
            "went wrong then; switch on NTP (`timedatectl set-ntp true`)."
        )
    return f"{now.astimezone(BERLIN):%Y-%m-%d %H:%M} in Germany"


def check_hosts(settings: Settings) -> str:
    """Return who works on the database; NetzlageError where several hosts do not fit together."""
    found = company(settings.database, SystemClock())
    if found is None:
        return "this one"
    if abs(found.ahead) > APART:
        apart = f"{abs(found.ahead).total_seconds():.0f} seconds {'ahead of' if found.ahead > APART else 'behind'}"
        raise NetzlageError(f"The clock of the database's host is {apart} that of this one; switch on NTP on both.")
    others = [host for host in found.hosts if host != platform.node()]
    if others and not settings.secret_key:
        raise SettingsError(
            f"secret_key is not set, but {', '.join(others)} work on this database, too: each host made a key of its "
            f"own and refuses what another sealed; give all the one in {settings.home / 'secret_key'}."
        )
    if others and settings.rate_limits and not settings.redis_url:
        return f"{', '.join(found.hosts)}; redis_url is empty: each web process counts senders for itself"
    return ", ".join(found.hosts)


def check_backup(settings: Settings) -> str:
    """Return how old the last backup is; NetzlageError where they are made no more."""
    made, now = last_made(settings.database), SystemClock().now()
    if made is None:
        return "none yet; `netzlage backup FILE` makes one, also while the service runs"
    days = (now - made) // timedelta(days=1)
    if now - made > OLD:
        raise NetzlageError(
            f"The last backup is {days} days old; run `netzlage backup FILE`, or look why the job that does it stopped."
        )
    return f"the last one is from {made.astimezone(BERLIN):%Y-%m-%d %H:%M}"
