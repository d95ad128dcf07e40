"""Score -> how seldom chance alone would reach it. Pure.

Interim: two fixed thresholds and no recurrence interval; the fit to null weeks takes their place here.
"""

from __future__ import annotations

from dataclasses import dataclass

MIN_REPORTS = 3  # no window with fewer counted reports is ever an alarm


@dataclass(frozen=True, slots=True)
class Calibration:
    """From which score (in nats) on a window is called suspected or strong."""

    suspected: float
    strong: float

    def recurrence_weeks(self, score: float) -> float | None:
        """Return the weeks between two such scores under chance alone; None: not calibrated."""
        del score
        return None


INTERIM = Calibration(suspected=14.0, strong=20.0)
