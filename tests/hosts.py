"""Hosts on one machine: network namespaces on a bridge, each of which can be cut off. The machine itself is the first.

Needs root on Linux and iproute2.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from types import TracebackType
from typing import Final, Self

PREFIX: Final = "10.213"


def why_not() -> str:
    """Return why there can be no such hosts here; "": there can."""
    if os.geteuid() != 0 or not shutil.which("ip"):
        return "needs root and iproute2, for network namespaces"
    name = f"nz{os.getpid()}t"
    tried = subprocess.run(["ip", "netns", "add", name], check=False, capture_output=True)
    if tried.returncode:
        return f"needs network namespaces ({tried.stderr.decode().strip()})"
    _ip("netns", "del", name)
    return ""


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=30)


class Hosts:
    """A bridge and `number` hosts at it; `address` is that of this machine, `of(n)` that of a host."""

    def __init__(self, number: int) -> None:
        self._number, self._id = number, os.getpid() % 100_000
        self._net = f"{PREFIX}.{os.getpid() % 250}"
        self.address = f"{self._net}.1"

    def __enter__(self) -> Self:
        try:
            _ip("link", "add", self._bridge, "type", "bridge")
            _ip("addr", "add", f"{self.address}/24", "dev", self._bridge)
            _ip("link", "set", self._bridge, "up")
            for host in range(self._number):
                self._make(host)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for host in range(self._number):
            subprocess.run(["ip", "netns", "del", self.name(host)], check=False, capture_output=True)
        subprocess.run(["ip", "link", "del", self._bridge], check=False, capture_output=True)

    @property
    def _bridge(self) -> str:
        return f"nzb{self._id}"

    def name(self, host: int) -> str:
        """Return the name of a host's namespace."""
        return f"nz{self._id}h{host}"

    def of(self, host: int) -> str:
        """Return the address of a host."""
        return f"{self._net}.{host + 2}"

    def _make(self, host: int) -> None:
        name, outer, inner = self.name(host), self._port(host), f"nzi{self._id}{host}"
        _ip("netns", "add", name)
        _ip("link", "add", outer, "type", "veth", "peer", "name", inner)
        _ip("link", "set", inner, "netns", name)
        _ip("link", "set", outer, "master", self._bridge)
        _ip("link", "set", outer, "up")
        _ip("-n", name, "addr", "add", f"{self.of(host)}/24", "dev", inner)
        _ip("-n", name, "link", "set", inner, "up")
        _ip("-n", name, "link", "set", "lo", "up")

    def _port(self, host: int) -> str:
        return f"nzo{self._id}{host}"

    def command(self, host: int, *words: str) -> list[str]:
        """Return the command that runs `words` on a host."""
        return ["ip", "netns", "exec", self.name(host), *words]

    def cut(self, host: int) -> None:
        """Pull the cable of a host: whoever sends to it, or it to others, hears nothing more."""
        _ip("link", "set", self._port(host), "down")

    def join(self, host: int) -> None:
        """Plug the cable in again."""
        _ip("link", "set", self._port(host), "up")
