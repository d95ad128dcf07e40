"""Anything at all, very often: `python -m tests.benchmarks.fuzz [--cases 105000] [--seed N] [--only NAME]`.

Every target of tests/fuzzing.py gets an equal share of the parsers' half and of the doors' half of the cases; they
work on one real store, which is checked after each target. Exit 1 at the first crash, 5xx or row half written.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from tests.fuzzing import TARGETS, check_whole, fuzz, opened

PARSERS = 0.7  # of the cases: they are quick


def main() -> None:
    """Print how many cases of each target were tried."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--cases", type=int, default=105_000)
    options.add_argument("--seed", type=int, default=20170513)
    options.add_argument("--only", choices=list(TARGETS))
    asked = options.parse_args()
    names = [asked.only] if asked.only else list(TARGETS)
    parsers = [name for name in names if name.startswith("parser")]
    print("| target | seed | cases | seconds | reports in the store |\n|---|---|---|---|---|")
    total, began = 0, time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, opened(Path(folder)) as here:
        for number, name in enumerate(names):
            share = PARSERS / len(parsers) if name in parsers else (1 - PARSERS) / (len(names) - len(parsers))
            start = time.perf_counter()
            tried = fuzz(name, here, int(asked.cases * (share if len(names) > 1 else 1)) + 1, asked.seed + number)
            kept = check_whole(here.instance)
            seconds = time.perf_counter() - start
            print(f"| {name} | {asked.seed + number} | {tried:,} | {seconds:.0f} | {kept:,} |", flush=True)
            total += tried
    print(f"| all | | {total:,} | {time.perf_counter() - began:.0f} | |\n\nNo crash, no 5xx, no row half written.")


if __name__ == "__main__":
    main()
