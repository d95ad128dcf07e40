"""The code of a report: made with its form, never stored, known to its sender alone. Pure but for chance."""

from __future__ import annotations

import re
import secrets
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # of Crockford: no letter looks like a digit
LENGTH: Final = 16  # letters of five bits: 80 bits, not to be guessed from the id that is published
CONFUSED: Final = str.maketrans("OIL", "011")


def new_code() -> str:
    """Return a code for a form: the key of its report, and what its sender finds it again by."""
    letters = "".join(secrets.choice(ALPHABET) for _n in range(LENGTH))
    return "-".join(letters[i : i + 4] for i in range(0, LENGTH, 4))


def tidy(text: str) -> str:
    """Return the code that somebody typed from paper as `new_code` wrote it; any other text stays as it is."""
    letters = re.sub(r"[\s-]+", "", text).upper().translate(CONFUSED)
    if len(letters) != LENGTH or set(letters) - set(ALPHABET):
        return text.strip()
    return "-".join(letters[i : i + 4] for i in range(0, LENGTH, 4))
