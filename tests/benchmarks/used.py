"""What processes have used of the processor so far, from /proc."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

TICKS: Final = os.sysconf("SC_CLK_TCK")


def family(pid: int) -> dict[int, float]:
    """Return the processor's seconds of a process and of all that descend from it."""
    parents, seconds, found = {}, {}, {pid}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = path.read_text("utf-8", "replace").rpartition(")")[2].split()
            number = int(path.parent.name)
            parents[number], seconds[number] = int(fields[1]), (int(fields[11]) + int(fields[12])) / TICKS
    for number in sorted(parents):  # parents first: numbers ascend
        if parents[number] in found:
            found.add(number)
    return {number: seconds[number] for number in found if number in seconds}


def below(pid: int) -> float:
    """Return the processor's seconds of all that descend from a process."""
    return sum(seconds for number, seconds in family(pid).items() if number != pid)
