"""What a request brought back, and which answers are no content. Files are answers too. I/O."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from aggregator.errors import FeedBlocked, FeedError, FeedUnreachable

BLOCKED: Final = frozenset({401, 403, 429})
CHALLENGE: Final = re.compile(
    r"429 rate limited|just a moment|attention required|access denied|captcha|too many requests", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status 200 to 299, or 304 with an empty body. `url` is the last one after redirects."""

    status: int
    headers: Mapping[str, str]  # names in small letters
    body: bytes
    url: str
    etag: str = ""
    last_modified: str = ""

    @property
    def not_modified(self) -> bool:
        """True where the server says that nothing has changed since the ETag or date that was sent."""
        return self.status == 304


class TokenRefused(FeedBlocked):
    """401: the token is wrong or has run out; a new one may be asked for once."""


def refuse(status: int, headers: Mapping[str, str], body: bytes, host: str) -> None:
    """Raise FeedBlocked or FeedUnreachable for an answer that is not content, whatever its status claims.

    headers: names in any case; of a refusal its Retry-After goes along.
    """
    if status in BLOCKED:
        kind = TokenRefused if status == 401 else FeedBlocked
        raise _later(kind(f"{host} does not let us listen: it answers {status}{_said(body)}."), headers)
    if status != 304 and not 200 <= status < 300:
        raise _later(FeedUnreachable(f"{host} answers {status}{_said(body)}."), headers)
    start = body[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start[:1] not in {b"{", b"["}:  # JSON may quote such words
        found = CHALLENGE.search(start.decode("utf-8", "replace"))
        if found and (start[:1] == b"<" or len(body) < 512):
            raise FeedBlocked(f'{host} does not let us listen: its answer is a page that says "{found[0]}".')


def _later(error: FeedError, headers: Mapping[str, str]) -> FeedError:
    """Give the error the seconds of Retry-After: a number, or a date by the server's own clock (its Date)."""
    said = headers.get("Retry-After", "").strip()
    if said.isdecimal() and len(said) < 8:
        error.retry_after = float(said)
    elif said:
        with contextlib.suppress(ValueError, TypeError):
            span = parsedate_to_datetime(said) - parsedate_to_datetime(headers.get("Date", ""))
            error.retry_after = max(0.0, span.total_seconds())
    return error


def _said(body: bytes) -> str:
    """Return what the error's body says in its `message`, as the end of a sentence."""
    found = re.search(rb'"message"\s*:\s*"([^"\\]{1,120})"', body[:4096])
    return f' ("{found[1].decode("utf-8", "replace").rstrip(".")}")' if found else ""


def is_file(url: str) -> bool:
    """Say whether `url` is a path or a file: URL (a single letter before the colon is a drive)."""
    return urlsplit(url).scheme == "file" or len(urlsplit(url).scheme) < 2


def read_file(url: str, headers: Mapping[str, str], max_bytes: int) -> Answer:
    """Read a path or file: URL as if it were fetched; its size and date of change serve as ETag."""
    path = Path(unquote(urlsplit(url).path)) if urlsplit(url).scheme == "file" else Path(url).expanduser()
    try:
        with path.open("rb") as file:
            status = path.stat()
            etag = f'"{status.st_size}-{status.st_mtime_ns}"'
            if headers.get("If-None-Match") == etag:
                return Answer(304, {}, b"", url, etag=etag)
            body = file.read(max_bytes + 1)
    except OSError as error:
        raise FeedUnreachable(f"{path} cannot be read: {error.strerror or error}.") from None
    if len(body) > max_bytes:
        raise FeedUnreachable(f"{path} has more than {max_bytes:,} bytes; nothing of it was taken.")
    return Answer(200, {}, body, url, etag=etag)
