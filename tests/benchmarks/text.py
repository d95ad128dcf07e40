"""How well and how fast posts are read: precision and recall on both parts of the labelled sentences, posts a second.

    python tests/benchmarks/text.py [--kept-apart]

The part kept apart is only read with --kept-apart: who tunes does not look at it.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from aggregator.catalogue import load_catalogue
from ingest.text import Reader
from tests.text.labelled import Labelled, load, measure

LIMIT = 5000.0  # posts a second
SECONDS = 3.0


def main() -> None:
    """Print both tables as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kept-apart", action="store_true")
    catalogue = load_catalogue()
    reader = Reader(catalogue)
    parts = {"open": load(kept_apart=False)}
    if parser.parse_args().kept_apart:
        parts["kept apart"] = load(kept_apart=True)
    print("| part | sentences | question | precision | recall | right | wrong | missed |")
    print("|---|---|---|---|---|---|---|---|")
    for name, items in parts.items():
        for question, score in measure(reader, items).items():
            figures = f"{score.precision:.3f} | {score.recall:.3f} | {score.right} | {score.wrong} | {score.missed}"
            print(f"| {name} | {len(items)} | {question} | {figures} |")
    names = sorted(
        {alias for p in catalogue.providers.values() for alias in (p.name, *p.aliases)}, key=len, reverse=True
    )
    plain = re.compile(r"\b(?:" + "|".join(map(re.escape, names)) + r")\b", re.IGNORECASE)
    print("\n| | posts a second of CPU | of the limit |\n|---|---|---|")
    for name, speed in {
        "all of it": _speed(parts["open"], reader.read),
        "rival: one regular expression over the providers' names, nothing else": _speed(
            parts["open"], lambda text, _: plain.findall(text)
        ),
    }.items():
        print(f"| {name} | {speed:,.0f} | {speed / LIMIT:.2f} |")
    print(f"| limit | {LIMIT:,.0f} | 1.00 |")


def _speed(items: Sequence[Labelled], read: Callable[[str, datetime], object]) -> float:
    count, started = 0, time.process_time()
    while time.process_time() - started < SECONDS:
        for item in items:
            read(item.text, item.posted_at)
        count += len(items)
    return count / (time.process_time() - started)


if __name__ == "__main__":
    main()
