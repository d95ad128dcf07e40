"""SVG -> PNG, with the typeface that comes along, so that the words are there on a machine without fonts. Pure."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

import resvg_py

TYPEFACE: Final = "Roboto"
CUTS: Final = ("Roboto-Regular.ttf", "Roboto-Bold.ttf")


def to_png(svg: str, *, width: int | None = None) -> bytes:
    """Render an SVG document, `width` pixels wide (None: its own width), on white."""
    fonts = [str(files("font_roboto") / "files" / cut) for cut in CUTS]
    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=svg,
            width=width,
            background="#ffffff",
            skip_system_fonts=True,
            font_files=fonts,
            font_family=TYPEFACE,
            sans_serif_family=TYPEFACE,
        )
    )
