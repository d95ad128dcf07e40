"""Text from outside made fit to keep: cleaned, quoted, made an id; an address made its block. Pure."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from aggregator.spelling import fold

# Control characters, directions of writing that could hide text, halves of surrogate pairs.
CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")

OCTETS: Final = {str(number): number for number in range(256)}


def clean(text: str, limit: int) -> str:
    """Return `text` without control characters and outer blanks, at most `limit` characters of it."""
    if not text.isprintable():
        text = CONTROL.sub(" ", text)
    return text.strip()[:limit]


def quoted(text: str) -> str:
    """Return `text` in quotes, short enough for a sentence."""
    text = clean(text, 41)
    return f'"{text if len(text) <= 40 else text[:39] + "…"}"'


def slug(name: str) -> str:
    """Return an id made of `name`: small letters, digits and hyphens."""
    words = re.split(r"[\s/_.,()-]+", name.replace("&", " und "))
    return "-".join(filter(None, (re.sub("[^a-z0-9]", "", fold(word)) for word in words)))[:60].strip("-")


def address_block(address: str) -> str:
    """Return the /24 (IPv6: /48) that `address` lies in, as text, or "" where it is no address."""
    return _network(address, 24, 48)


def address_network(address: str) -> str:
    """Return the /20 (IPv6: /40) that `address` lies in: somebody's servers, a gateway, some of a provider's lines."""
    return _network(address, 20, 40)


def address_line(address: str) -> str:
    """Return what one line of a household or phone has: the IPv4 address, or the /64 of an IPv6 one; "" of none."""
    return _network(address, 32, 64)


def _network(address: str, bits4: int, bits6: int) -> str:
    number = _number(address)
    if number is None:
        return _any_network(address, bits4, bits6)
    n = number >> 32 - bits4 << 32 - bits4
    return f"{n >> 24}.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}/{bits4}"


def _number(address: str) -> int | None:
    """Return a usual IPv4 address as a number; `ipaddress` takes five times as long, and each report asks thrice."""
    try:
        first, second, third, fourth = map(OCTETS.__getitem__, address.split("."))
    except (KeyError, ValueError):
        return None
    return first << 24 | second << 16 | third << 8 | fourth


def _any_network(address: str, bits4: int, bits6: int) -> str:
    try:
        parsed: IPv4Address | IPv6Address = ip_address(address.strip())
    except ValueError:
        return ""
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    bits = bits4 if parsed.version == 4 else bits6
    apart = parsed.max_prefixlen - bits
    return f"{type(parsed)(int(parsed) >> apart << apart)}/{bits}"
