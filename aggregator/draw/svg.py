"""What the pictures share: escaped text, the frame of a picture that stands alone, its colours. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from html import escape
from typing import Final

WORD_OF_A_SIMULATION: Final = "SIMULATION"
SHORT_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "June", "July", "Aug", "Sept", "Oct", "Nov", "Dec")

NUMBER: Final = re.compile(r"(\d\.?) (?=\w)")

# Widths of Roboto in ems, of what is not about 0.57 (0.68 for capitals).
NARROW: Final[Mapping[str, float]] = {
    **dict.fromkeys("ijl|'", 0.25), **dict.fromkeys(" .,:;!", 0.26), **dict.fromkeys("ftrI()[]-/", 0.35),
    **dict.fromkeys("szckxyv", 0.52), **dict.fromkeys("mwMW—", 0.88),
}  # fmt: skip

# The light colours of static/netzlage.css: a picture that is passed on has no style sheet beside it.
STYLE: Final = """
text{font-family:Roboto,'Segoe UI','Helvetica Neue',Arial,'DejaVu Sans',sans-serif;fill:#1c1b19}
.g{fill:#625f58}.h{font-weight:700}.sim{font-weight:700;fill:#8a2c07}
.few{fill:#f3f1ea}.nothing{fill:#d9dfd6}.suspected{fill:#eba13d}.strong{fill:#b4330b}.blind{fill:url(#hatch)}
.kreis{stroke:#fff;stroke-width:7}.land{fill:none;stroke:#9c978b;stroke-width:12}
.ganz .kreis{stroke:#b4330b}.ganz .suspected{stroke:#eba13d}.ganz .land{stroke:#fff}
.hb{fill:#fcfbf8}.hl{stroke:#b9b4a7;stroke-width:34}.key{stroke:#9c978b}
.band{fill:#dcdfd8}.bars{fill:#b4330b}.suspected .bars{fill:#c9761a}.usual .bars{fill:#7d786c}.deaf{fill:#efece4}
.ax{stroke:#9c978b}.grid{stroke:#dedad0}.on{stroke:#1c1b19;stroke-dasharray:5 4}.sure{fill:#1c1b19;fill-opacity:.1}
.w{stroke:#1d5c88;stroke-width:2}.wt{fill:#1d5c88}.ort{font-weight:700}.hof{fill:#fff;stroke:#fff;stroke-width:5;stroke-linejoin:round}.weit{font-weight:700;stroke-width:60}.ax,.grid,.on,.w{vector-effect:non-scaling-stroke}
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


@dataclass(frozen=True, slots=True)
class Format:
    """A size of picture in pixels, and the sizes of type that are read in it."""

    width: int
    height: int
    title: float
    text: float
    small: float
    margin: float


FORMATS: Final[Mapping[str, Format]] = {
    "16x9": Format(1200, 675, 31, 19, 16.5, 40),
    "quadrat": Format(1200, 1200, 42, 25, 21, 48),
}


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


def measure(words: str, size: float) -> float:
    """Return about how wide the words are: by Roboto, with room for the typefaces of others."""
    return sum(NARROW.get(letter, 0.68 if letter.isupper() else 0.57) for letter in words) * size * 1.06


def fitted(words: str, width: float, size: float) -> list[str]:
    """Break a sentence into lines of at most `width`; a number stays with its word, a longer word is broken too."""
    lines: list[str] = []
    for word in _pieces(NUMBER.sub("\\1\u00a0", words).split(" "), width, size):
        if lines and measure(f"{lines[-1]} {word}", size) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return [line.replace("\u00a0", " ") for line in lines]


def balanced(words: str, width: float, size: float) -> list[str]:
    """Break a title into as few lines as `fitted` does, of about the same length: no word is left alone."""
    lines = fitted(words, width, size)
    for share in (0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95):
        narrower = fitted(words, width * share, size)
        if len(narrower) == len(lines):
            return narrower
    return lines


def _pieces(words: Iterable[str], width: float, size: float) -> Iterator[str]:
    for word in words:
        rest = word
        while measure(rest, size) > width and len(rest) > 1:
            most = next(n for n in range(len(rest) - 1, 0, -1) if n == 1 or measure(rest[:n], size) <= width)
            yield rest[:most]
            rest = rest[most:]
        yield rest


def clipped(words: str, width: float, size: float) -> str:
    """Return the words, shortened at their end so that they are no wider than `width`."""
    if measure(words, size) <= width:
        return words
    most = next((n for n in range(len(words), 0, -1) if measure(words[:n], size) <= width - size), 1)
    return f"{words[:most].rstrip()} …"


@dataclass(frozen=True, slots=True)
class Column:
    """Lines of text one below the other, and where the next one would begin."""

    parts: list[str]
    y: float


def column(
    x: float, y: float, words: str, *, width: float, size: float, kind: str = "", most: int = 99, lead: float = 1.25
) -> Column:
    """Set the words in lines of `width` from the top `y` on; of more than `most` lines the last says so."""
    lines = shortened((balanced if kind == "h" else fitted)(words, width, size), most)
    parts = [text(x, y + size + lead * size * i, line, kind=kind, size=size) for i, line in enumerate(lines)]
    return Column(parts, y + lead * size * len(lines))


def picture(form: Format, caption: Caption, parts: Iterable[str]) -> str:
    """Return a whole SVG document: white ground, style, title for those who cannot see it, and `parts`."""
    title = ". ".join(filter(None, (caption.correction, caption.title, caption.subtitle)))
    if caption.simulated:
        title = f"{WORD_OF_A_SIMULATION}: {title}"
    width, height = form.width, form.height
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        f' role="img"><title>{escape(title)}</title><style>{STYLE}</style><defs>{HATCH}</defs>'
        f'<rect width="{width}" height="{height}" fill="#fff"/>{"".join(parts)}</svg>\n'
    )


def shortened(lines: list[str], most: int) -> list[str]:
    """Return at most `most` of the lines; the last one says when there were more."""
    return lines if len(lines) <= most else [*lines[: most - 1], f"{lines[most - 1]} …"]


def head(caption: Caption, form: Format, *, x: float, width: float) -> Column:
    """Set what was corrected, the title and the subtitle, from the top of the picture on."""
    parts, y = [], form.margin * 0.8
    if caption.correction:
        corrected = column(x, y, caption.correction, width=width, size=form.text, kind="h", most=4)
        parts, y = corrected.parts, corrected.y + form.text * 0.6
    size = form.title * (0.8 if caption.correction else 1)
    titled = column(x, y, caption.title, width=width, size=size, kind="h", most=8, lead=1.2)
    under = column(x, titled.y + form.text * 0.4, caption.subtitle, width=width, size=form.text, kind="g", most=4)
    return Column([*parts, *titled.parts, *under.parts], under.y)


def foot(caption: Caption, form: Format, *, x: float, width: float) -> Column:
    """Set the word of a simulation, what the picture does not say, and its source, down to the bottom; y: its top."""
    lines = [*fitted(caption.note, width, form.small), *fitted(caption.source, width, form.small)]
    lead = form.small * 1.3
    last = form.height - form.margin * 0.8
    top = last - lead * (len(lines) - 1)
    parts = [text(x, top + lead * i, line, kind="g", size=form.small) for i, line in enumerate(lines)]
    if not caption.simulated:
        return Column(parts, top - form.small)
    mark = simulation(x, top - 1.5 * lead, caption, size=form.text)
    return Column([mark, *parts], top - 1.5 * lead - form.text)


def simulation(x: float, y: float, caption: Caption, *, size: float) -> str:
    """Return the word that no picture of a simulation may lack, or nothing."""
    if not caption.simulated:
        return ""
    return text(x, y, f"{WORD_OF_A_SIMULATION} · {caption.enacted}", kind="sim", size=size)
