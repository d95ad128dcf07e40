"""HTML of a post -> its plain text. Pure."""

from __future__ import annotations

import re
from html import unescape
from typing import Final

LONGEST: Final = 20_000  # characters that are looked at
HIDDEN: Final = re.compile(
    r"<(script|style)\b[^<>]{0,500}>[^<]{0,20000}</\1\s{0,9}>|<!--[^<>]{0,20000}-->", re.IGNORECASE
)
BREAK: Final = re.compile(r"<(?:br|/p|/li|/div|/h\d)\b[^<>]{0,500}>", re.IGNORECASE)
TAG: Final = re.compile(r"</?[a-zA-Z!][^<>]{0,2000}>")
BLANK: Final = re.compile(r"[ \t\r\f\v\u00a0]+")


def plain_text(html: str) -> str:
    """Return the text without markup, paragraphs and breaks as lines; "#<span>Telekom</span>" stays one word."""
    text = HIDDEN.sub(" ", html[:LONGEST])
    text = TAG.sub("", BREAK.sub("\n", text))
    return BLANK.sub(" ", unescape(text)).strip()
