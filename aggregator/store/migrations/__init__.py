"""Migrations of the store, in order, each a step that is never changed once released."""

from __future__ import annotations

from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
