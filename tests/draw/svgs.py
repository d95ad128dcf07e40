"""SVG read back: elements by name and class, whatever the order of their attributes."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator


def read(svg: str) -> ET.Element:
    """Parse a whole SVG document or a piece of one; fails where it is not well formed."""
    root = ET.fromstring(f"<drawn>{svg}</drawn>")
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def of_class(root: ET.Element, name: str) -> list[ET.Element]:
    """Return every element that has this class, in the order of drawing."""
    return [element for element in root.iter() if name in element.get("class", "").split()]


def words(root: ET.Element) -> list[str]:
    """Return what the <text> elements say."""
    return [element.text or "" for element in root.iter("text")]


def parents(root: ET.Element) -> Iterator[tuple[ET.Element, ET.Element]]:
    """Yield each element with the one around it."""
    for parent in root.iter():
        for child in parent:
            yield child, parent
