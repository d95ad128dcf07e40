"""schemathesis with all checks over the whole API; run as a script: `python -m tests.benchmarks.api [--examples N]`."""

from __future__ import annotations

import argparse
import sys
import time

from tests.web.fuzzing import fuzz


def main() -> None:
    """Print cases, operations, seconds, and what was found; exit 1 where that is anything."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--examples", type=int, default=10, help="per operation, beside the coverage of each value")
    options.add_argument("--phases", default="coverage,fuzzing,stateful")
    options.add_argument("--seed", type=int, default=1)
    asked = options.parse_args()
    start = time.perf_counter()
    found = fuzz("--phases", asked.phases, "--max-examples", str(asked.examples), "--seed", str(asked.seed))
    print("| cases | operations | seconds | found |\n|---|---|---|---|")
    verdict = "nothing" if found.good else "see below"
    print(f"| {found.cases:,} | {found.operations} | {time.perf_counter() - start:.0f} | {verdict} |")
    if not found.good:
        sys.exit(found.said)


if __name__ == "__main__":
    main()
