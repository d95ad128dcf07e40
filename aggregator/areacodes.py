"""Numbers of phones -> the area code they begin with. Pure; for places."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

SHORTEST, LONGEST = 2, 5  # digits of a German area code, without its zero
COUNTRY: Final = re.compile(r"^(?:\+|00)490?")


class AreaCode(NamedTuple):
    """An area code without its zero, a place in its area and the district; `approximate`: amid its neighbours."""

    code: str
    name: str
    lat: float
    lon: float
    region: str
    approximate: bool


def area_code_of(text: str, known: Mapping[str, AreaCode]) -> AreaCode | None:
    """Return the longest known code that a text such as "040", "+49 40 123456" or "(0341) 99" begins with."""
    compact = re.sub(r"[\s/.()–-]", "", text[:40])
    digits = COUNTRY.sub("", compact).removeprefix("0")
    if not (digits.isascii() and digits.isdigit()):
        return None
    for length in range(LONGEST, SHORTEST - 1, -1):
        if len(digits) >= length and digits[:length] in known:
            return known[digits[:length]]
    return None
