"""Who answers for the site: what the impressum needs, and what is still to be said. I/O: it reads the settings."""

from __future__ import annotations

from typing import Final

from aggregator.settings import Settings

NEEDED: Final = ("operator", "responsible", "contact")


def missing(settings: Settings) -> tuple[str, ...]:
    """Return the settings that the impressum needs and that say nothing yet."""
    return tuple(name for name in NEEDED if not str(getattr(settings, name)).strip())


def warning(settings: Settings) -> str:
    """Return the sentence that a start and the doctor say while the impressum is not complete; "" when it is."""
    names = missing(settings)
    if not names:
        return ""
    told = f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
    return f"The impressum is not complete: set {told} before anybody else reads this site (see /impressum)."
