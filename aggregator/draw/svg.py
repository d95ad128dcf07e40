"""What the pictures share: escaped text, the frame of a picture that stands alone, its colours. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from html import escape
from typing import Final

WORD_OF_A_SIMULATION: Final = "SIMULATION"
SHORT_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "June", "July", "Aug", "Sept", "Oct", "Nov", "Dec")

# The light colours of static/netzlage.css: a picture that is passed on has no style sheet beside it.
STYLE: Final = """
text{font-family:Roboto,'Segoe UI','Helvetica Neue',Arial,'DejaVu Sans',sans-serif;fill:#1c1b19}
.g{fill:#625f58}.h{font-weight:700}.sim{font-weight:700;fill:#8a2c07}
.few{fill:#f3f1ea}.nothing{fill:#d9dfd6}.suspected{fill:#eba13d}.strong{fill:#b4330b}.blind{fill:url(#hatch)}
.kreis{stroke:#fff;stroke-width:7}.land{fill:none;stroke:#9c978b;stroke-width:12}
.hb{fill:#fcfbf8}.hl{stroke:#b9b4a7;stroke-width:34}.key{stroke:#9c978b}
.band{fill:#dcdfd8}.bars{fill:#b4330b}.suspected .bars{fill:#c9761a}.usual .bars{fill:#7d786c}.deaf{fill:#efece4}
.ax{stroke:#9c978b}.grid{stroke:#dedad0}.on{stroke:#1c1b19;stroke-dasharray:5 4}.sure{fill:#1c1b19;fill-opacity:.1}
.w{stroke:#1d5c88;stroke-width:2}.wt{fill:#1d5c88}.ax,.grid,.on,.w{vector-effect:non-scaling-stroke}
"""

HATCH: Final = (
    '<pattern id="hatch" width="90" height="90" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="90" height="90" class="hb"/><line x1="0" y1="0" x2="0" y2="90" class="hl"/></pattern>'
)


@dataclass(frozen=True, slots=True)
class Manner:
    """How a language writes on an axis: `day` with {day}, {month} or {name} of the month, and between thousands."""

    day: str
    thousands: str

    def date(self, day: date) -> str:
        """Return day and month."""
        return self.day.format(day=day.day, month=day.month, name=SHORT_MONTHS[day.month - 1])

    def count(self, value: int) -> str:
        """Return a whole number."""
        return f"{value:,}".replace(",", self.thousands)


MANNERS: Final = {"de": Manner("{day}.{month}.", "."), "en": Manner("{day} {name}", ",")}


@dataclass(frozen=True, slots=True)
class Caption:
    """The words that a picture carries so that it can be lifted out alone."""

    title: str
    subtitle: str  # unit, time, number of reports
    note: str  # what the picture does not say
    source: str
    simulated: bool = False
    enacted: str = "Meldungen nachgestellt"  # what a simulation says of itself
    correction: str = ""  # stands above the title: what a person took back or added since


def text(x: float | str, y: float, words: str, *, kind: str = "", anchor: str = "", size: float | None = None) -> str:
    """Return a <text>; x: number or percentage, kind: CSS classes, anchor: "", middle or end."""
    attributes = "".join(
        f' {name}="{value}"'
        for name, value in (("class", kind), ("text-anchor", anchor), ("font-size", size and number(size)))
        if value
    )
    place = x if isinstance(x, str) else number(x)
    return f'<text x="{place}" y="{number(y)}"{attributes}>{escape(words)}</text>'


def number(value: float) -> str:
    """Return a coordinate with at most one decimal, without a trailing zero."""
    return f"{value:.1f}".removesuffix(".0")


def wrap(words: str, width: int) -> list[str]:
    """Break a sentence into lines of at most `width` characters (a longer word stands alone)."""
    lines: list[str] = []
    for word in words.split():
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def picture(width: int, height: int, caption: Caption, parts: Iterable[str]) -> str:
    """Return a whole SVG document: white ground, style, title for those who cannot see it, and `parts`."""
    title = ". ".join(filter(None, (caption.correction, caption.title, caption.subtitle)))
    if caption.simulated:
        title = f"{WORD_OF_A_SIMULATION}: {title}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        f' role="img"><title>{escape(title)}</title><style>{STYLE}</style><defs>{HATCH}</defs>'
        f'<rect width="{width}" height="{height}" fill="#fff"/>{"".join(parts)}</svg>\n'
    )


def shortened(lines: list[str], most: int) -> list[str]:
    """Return at most `most` of the lines; the last one says when there were more."""
    return lines if len(lines) <= most else [*lines[: most - 1], f"{lines[most - 1]} …"]


def simulation(x: float, y: float, caption: Caption, *, anchor: str = "", size: float = 20) -> str:
    """Return the word that no picture of a simulation may lack, or nothing."""
    if not caption.simulated:
        return ""
    return text(x, y, f"{WORD_OF_A_SIMULATION} · {caption.enacted}", kind="sim", anchor=anchor, size=size)
