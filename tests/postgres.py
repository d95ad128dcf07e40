"""A real PostgreSQL for the tests: started from the programs that are installed, in a temporary folder, as root too.

`Server` is one server with empty databases by name; each is a copy of a template that has the present schema.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import psycopg
from sqlalchemy import make_url

from aggregator.store import open_store

PROGRAMS: Final = "PG_PROGRAMS"  # environment: the folder of initdb and postgres, where they are not found
DEBIAN: Final = Path("/usr/lib/postgresql")
LOSABLE: Final = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}  # tests need no disk
TEMPLATE: Final = "netzlage_template"
STOPS: Final = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}


def programs() -> Path | None:
    """Return the folder of PostgreSQL's programs: named in the environment, on the path, Debian's newest; else None."""
    of_debian = sorted(map(str, DEBIAN.glob("*/bin")), key=_version, reverse=True)
    named = [os.environ.get(PROGRAMS), _folder_of("postgres"), _folder_of("initdb"), *of_debian]
    folders = [Path(one) for one in named if one]
    return next((one for one in folders if (one / "initdb").exists() and (one / "postgres").exists()), None)


def _folder_of(program: str) -> str | None:
    path = shutil.which(program)
    return str(Path(path).resolve().parent) if path else None


def _version(folder: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", folder)]


class Server:
    """A server that listens at a socket in its folder and at a free port of 127.0.0.1; everybody may log in.

    settings: of postgresql.conf, beside those that leave out what a power cut would need. address: where it listens.
    """

    def __init__(
        self, settings: Mapping[str, str] = LOSABLE, *, address: str = "127.0.0.1", folder: Path | None = None
    ) -> None:
        found = programs()
        if found is None:
            raise FileNotFoundError(f"needs PostgreSQL: install it, or name the folder of its programs in {PROGRAMS}")
        self._programs, self._address = found, address
        self._settings = {"max_connections": "200", "timezone": "UTC", **settings}
        self._user = _user()
        self.folder = Path(tempfile.mkdtemp(prefix="netzlage-pg-", dir=folder))
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        if self._user:
            shutil.chown(self.folder, self._user, pwd.getpwnam(self._user).pw_gid)
        try:
            self._run(
                "initdb",
                "-D",
                self._data,
                "-U",
                "netzlage",
                "--auth=trust",
                "-E",
                "UTF8",
                "--no-sync",
                "--locale=C.UTF-8",
            )
            with open(f"{self._data}/pg_hba.conf", "a", encoding="utf-8") as rules:
                rules.write("host all all 0.0.0.0/0 trust\n")
            self.start()
        except BaseException:
            self.stop("immediate")
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    def start(self) -> None:
        """Start it and wait until it answers."""
        given = {"port": str(self.port), "listen_addresses": self._address, "unix_socket_directories": str(self.folder)}
        options = [word for name, value in {**self._settings, **given}.items() for word in ("-c", f"{name}={value}")]
        with open(self.folder / "log", "ab") as log:
            command = [str(self._programs / "postgres"), "-D", self._data, *options]
            self._process = subprocess.Popen(command, stdout=log, stderr=log, **self._whose())
        self._wait(self._process)

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        until = time.monotonic() + 60
        while True:
            try:
                self.ask("SELECT 1")
                return
            except psycopg.OperationalError as error:
                if process.poll() is not None or time.monotonic() > until:
                    log = (self.folder / "log").read_text("utf-8", "replace")
                    raise RuntimeError(f"PostgreSQL does not start: {log[-2000:]}") from error
                time.sleep(0.05)  # there is nothing to wait on before it listens

    def stop(self, how: str = "fast") -> None:
        """Stop it: "fast" ends the sessions, "immediate" is a crash."""
        if self._process is not None:
            self._process.send_signal(STOPS[how])
            self._process.wait(60)
            self._process = None

    def _run(self, program: str, *words: str) -> None:
        command = [str(self._programs / program), *words]
        subprocess.run(command, check=True, capture_output=True, timeout=120, **self._whose())

    def _whose(self) -> dict[str, Any]:
        """Return as whom a program is run: it refuses to be root's."""
        if not self._user:
            return {"cwd": self.folder}
        return {"cwd": self.folder, "user": self._user, "group": pwd.getpwnam(self._user).pw_gid, "extra_groups": []}

    def url(self, database: str = "postgres", *, host: str = "") -> str:
        """Return the address of `database` for the setting `database`; host: by the network, else by the socket."""
        where = f"netzlage@{host}:{self.port}/{database}" if host else f"netzlage@/{database}"
        at = "" if host else f"?host={self.folder}&port={self.port}"
        return f"postgresql+psycopg://{where}{at}"

    def ask(self, sql: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run `sql` outside of a transaction and return its rows."""
        with psycopg.connect(
            host=str(self.folder), port=self.port, user="netzlage", dbname=database, autocommit=True, connect_timeout=10
        ) as connection:
            cursor = connection.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []

    def empty(self, name: str) -> str:
        """Make an empty database and return its address."""
        self.ask(f'CREATE DATABASE "{name}"')
        return self.url(name)

    def fresh(self, name: str) -> str:
        """Make a database with the present schema and return its address."""
        if not self.ask(f"SELECT 1 FROM pg_database WHERE datname = '{TEMPLATE}'"):
            open_store(self.empty(TEMPLATE)).close()
        self.ask(f'CREATE DATABASE "{name}" TEMPLATE {TEMPLATE}')
        return self.url(name)

    def has(self, name: str) -> bool:
        """Say whether there is a database of that name."""
        return bool(self.ask(f"SELECT 1 FROM pg_database WHERE datname = '{name}'"))

    def drop(self, name: str) -> None:
        """Drop a database, whoever uses it."""
        self.ask(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def name_in(url: str) -> str:
    """Return the name of the database at `url`."""
    return str(make_url(url).database)


def _user() -> str:
    """Return as whom a server must be run, "" where we may run it ourselves."""
    if os.geteuid() != 0:
        return ""
    known = {user.pw_name for user in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in known)


def _free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])
