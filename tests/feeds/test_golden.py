"""Golden pairs: CASE.toml (a stanza), CASE.json or .csv (a payload), CASE.expected.json. Dropping files in is the test.

WRITE_EXPECTED=1 writes the expected files anew; look at the difference before you keep it.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from ingest.feed import load_feeds
from ingest.parsers import NO_HINTS, PARSERS
from ingest.posts import told
from tests.gazetteer import FACTS

HERE = Path(__file__).parent
KINDS = ("reports", "statements", "signals", "rejected")
CASES = sorted(HERE.rglob("*.toml"))


def _plain(value: Any) -> Any:
    """Drop what is empty, so that an expected file shows only what was read."""
    said = {name: item for name, item in asdict(value).items() if item and name != "item"}  # the item is the input
    return {name: str(item) if isinstance(item, datetime) else item for name, item in said.items()}


def payload_of(case: Path) -> Path:
    return next(path for ending in (".json", ".csv", ".xml") if (path := case.with_suffix(ending)).exists())


@pytest.mark.parametrize("case", CASES, ids=[f"{path.parent.name}/{path.stem}" for path in CASES])
def test_a_payload_gives_what_was_expected(case: Path) -> None:
    [feed] = load_feeds(case, {})
    assert feed.format == case.parent.name
    parsed = told(PARSERS[feed.format](payload_of(case).read_bytes(), feed, NO_HINTS), feed, FACTS)
    found = {name: [_plain(item) for item in getattr(parsed, name)] for name in KINDS}
    found = {name: items for name, items in found.items() if items or name in {"reports", "statements", "rejected"}}
    expected = case.with_suffix(".expected.json")
    if "WRITE_EXPECTED" in os.environ:
        expected.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", "utf-8")
    assert found == json.loads(expected.read_text("utf-8"))


def test_every_format_has_a_golden_pair() -> None:
    assert {path.parent.name for path in CASES} == set(PARSERS)
