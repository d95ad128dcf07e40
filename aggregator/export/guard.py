"""Text -> a cell that no spreadsheet runs as a formula, and back. Pure."""

from __future__ import annotations

import re
from typing import Final

# What begins a formula; the wide signs too, which some spreadsheets take for the same.
SIGNS: Final = "=+\\-@＝＋－＠"
# A line break or a tab at the start counts as well. Apostrophes that stand there already do not help: one more is put
# before them, so that exactly one can be taken away again.
_START: Final = f"(?=[\\s']*[{SIGNS}]|'*[\\t\\r\\n])"
# Where lists are separated by semicolons or tabs, a spreadsheet sees new cells inside of a text.
_INSIDE: Final = f"(?='*[{SIGNS}])"
_OPEN: Final = re.compile(f"\\A{_START}|(?<=[;\\t\\r\\n]){_INSIDE}")
_GUARDED: Final = re.compile(f"\\A'{_START}|(?<=[;\\t\\r\\n])'{_INSIDE}")


def guarded(text: str | None) -> str:
    """Return the text of a cell, with an apostrophe before what would be a formula, there or in a cell split off it."""
    return _OPEN.sub("'", text) if text else ""


def unguarded(text: str) -> str:
    """Return the text that `guarded` was given."""
    return _GUARDED.sub("", text)
