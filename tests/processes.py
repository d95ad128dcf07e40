"""Other processes, as /proc tells of them: whether they are there, who started whom, how much memory they hold."""

from __future__ import annotations

from pathlib import Path


def _fields(process: int) -> list[str]:
    """Return what follows the name in /proc/N/stat: state, parent and so on; nothing where there is none."""
    try:
        return Path(f"/proc/{process}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return []


def is_there(process: int) -> bool:
    """Say whether a process runs."""
    return _fields(process)[:1] not in ([], ["Z"])


def children(process: int) -> list[int]:
    """Return the processes that one started, in the order of their numbers."""
    numbers = sorted(int(folder.name) for folder in Path("/proc").glob("[0-9]*"))
    return [number for number in numbers if _fields(number)[1:2] == [str(process)]]


def megabytes(process: int) -> float:
    """Return what lies in memory of a process."""
    lines = Path(f"/proc/{process}/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024
