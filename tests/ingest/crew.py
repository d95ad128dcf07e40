"""Workers as processes, each on a host of its own where there can be some: started, killed, cut off; their shifts."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.hosts import Hosts

ROOT = Path(__file__).parents[2]


@dataclass
class Shift:
    """How long a process was there; it was at work from `ready` on (inf: never), which its log tells."""

    number: int
    began: float
    ended: float = float("inf")
    ready: float = float("inf")


@dataclass
class Crew:
    """The workers: started, killed, cut off."""

    environ: dict[str, str]
    folder: Path
    every: float
    lease: float
    hosts: Hosts | None
    running: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)
    shifts: dict[int, Shift] = field(default_factory=dict)  # by process

    def start(self, number: int) -> None:
        words = [sys.executable, "-m", "tests.ingest.worker", str(self.folder / "looks"), str(self.every)]
        words.append(str(self.lease))
        command = self.hosts.command(number, *words) if self.hosts else words
        with (self.folder / f"worker{number}.log").open("ab") as log:
            self.running[number] = subprocess.Popen(command, cwd=ROOT, env=self.environ, stdout=log, stderr=log)
        self.shifts[self.running[number].pid] = Shift(number, time.monotonic())

    def kill(self, number: int) -> None:
        process = self.running.pop(number)
        if process.poll() is not None:
            print(f"worker{number} had ended by itself, with {process.returncode}", flush=True)
        process.kill()
        process.wait()
        self.shifts[process.pid].ended = time.monotonic()

    def cut(self, number: int) -> None:
        if self.hosts:
            self.hosts.cut(number)
        else:
            self.running[number].send_signal(signal.SIGSTOP)

    def join(self, number: int) -> None:
        if self.hosts:
            self.hosts.join(number)
        else:
            self.running[number].send_signal(signal.SIGCONT)

    def stop(self) -> None:
        now = time.monotonic()
        for process in self.running.values():
            self.shifts[process.pid].ended = now
            process.terminate()
        for process in self.running.values():
            process.wait(60)
        for log in self.folder.glob("worker*.log"):
            for line in log.read_text("utf-8", "replace").splitlines():
                if line.startswith("working "):
                    _, at, pid = line.split()
                    self.shifts[int(pid)].ready = float(at)

    def starts(self) -> list[float]:
        """Return how long the starts took that came to an end, ascending."""
        return sorted(one.ready - one.began for one in self.shifts.values() if one.ready < float("inf"))

    def away(self, cut: tuple[float, float]) -> float:
        """Return the longest time in which no worker was at work, once one was; cut: from when to when the first."""
        there: list[tuple[float, float]] = []
        for one in self.shifts.values():
            if one.number:
                there.append((one.ready, one.ended))
            else:
                there += [(one.ready, min(one.ended, cut[0])), (max(one.ready, cut[1]), one.ended)]
        longest, until = 0.0, None
        for began, ended in sorted(pair for pair in there if pair[0] < pair[1]):
            longest = max(longest, began - until) if until is not None else longest
            until = max(ended, until or ended)
        return longest
