"""Who reported and from which address block -> keyed hashes that hold for a day. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from aggregator.cleaning import address_network

SIZE: Final = 12  # bytes of a hash
FORGOTTEN: Final = "-"  # stands where a reporter stood whose time is over; nothing says whether two of them are one


@dataclass(frozen=True, slots=True)
class Persons:
    """Hashes persons. key: of the day; former: of the day before, None once that is thrown away."""

    key: bytes
    former: bytes | None = None

    def reporter(self, name: str) -> str:
        """Return what stands for `name` today, "" for nobody."""
        return _hash(self.key, "reporter", name) if name else ""

    def formerly(self, name: str) -> str:
        """Return what stood for `name` the day before, "" where nobody can tell any more."""
        return _hash(self.former, "reporter", name) if name and self.former else ""

    def block(self, address: str, day: int) -> str:
        """Return what stands for the block (/20, IPv6: /40) of `address` on `day` (ordinal, UTC); "": it is none.

        So wide, because who rents a few hundred addresses mostly gets them side by side; no wider, because the lines of
        a town lie in several.
        A block has another name each day from the beginning, so that numbers can take the place of a day's names
        without a block being torn apart: a look back sees the same before and after.
        """
        block = address_network(address)
        return _hash(self.key, "block", f"{day} {block}") if block else ""


def _hash(key: bytes, kind: str, text: str) -> str:
    data = text.encode("utf-8", "surrogatepass")
    return blake2b(data, digest_size=SIZE, key=blake2b(key, digest_size=32).digest(), person=kind.encode()).hexdigest()
