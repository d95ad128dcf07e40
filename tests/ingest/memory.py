"""Polls every format from servers that send far too much, and prints the process's peak memory in megabytes."""

from __future__ import annotations

import resource
import sys
import tempfile
from pathlib import Path

from aggregator.catalogue import load_catalogue
from tests.ingest.faults import BIG, FAULTS, bombs
from tests.ingest.formats import CASES
from tests.ingest.scene import made, staged

LARGE = ("millions of empty records", "nested without end", "a million items", "entities without end")
BOMBS = ("a bomb in gzip", "a bomb in deflate", "a bomb in brotli", "a bomb in zstd")


def main() -> None:
    """Poll each large fault once for each case."""
    catalogue = load_catalogue()
    bombs(BIG)
    with tempfile.TemporaryDirectory() as folder:
        instance = made(Path(folder), catalogue)
        for case in CASES:
            for name in (*LARGE, *BOMBS):
                with staged(instance, case, slow=False) as scene:
                    scene.poll(FAULTS[name])
    print(peak() // 1_000_000)


def peak() -> int:
    """Return the most bytes that this process has had; getrusage would count what its parent had when it began."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    main()
