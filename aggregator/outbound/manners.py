"""How we behave at the servers of others: robots.txt is obeyed, and a host is not asked twice in a breath. I/O."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from protego import Protego

from aggregator.errors import FeedBlocked, FeedUnreachable

DAY: Final = 86_400.0
LONGEST_PAUSE: Final = 60.0  # seconds of a Crawl-delay that are obeyed


class Manners:
    """Remembers each host's robots.txt for a day, and when it may be asked again. Threads share it."""

    def __init__(
        self,
        agent: str,
        pause: float,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._agent, self._pause, self._monotonic, self._sleep = agent, pause, monotonic, sleep
        self._lock = threading.Lock()
        self._turns: dict[str, float] = {}
        self._robots: dict[str, tuple[Protego, float]] = {}

    def ask(self, url: str, fetch: Callable[[str], bytes | None], left: float) -> None:
        """Raise FeedBlocked where the host's robots.txt forbids `url`.

        fetch: gives the robots.txt at an address, None where there is none; what it raises passes. left: seconds.
        """
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        rules = self._rules(origin)
        if rules is None:
            self.wait(url, left)
            body = fetch(f"{origin}/robots.txt")
            rules = Protego.parse((body or b"").decode("utf-8", "replace"))
            with self._lock:
                self._robots[origin] = (rules, self._monotonic() + DAY)
        if not rules.can_fetch(url, self._agent):
            raise FeedBlocked(
                f"{parts.netloc} does not let us listen: its robots.txt forbids {parts.path[:80] or '/'}."
            )

    def _rules(self, origin: str) -> Protego | None:
        with self._lock:
            rules, until = self._robots.get(origin, (None, 0.0))
        return rules if self._monotonic() < until else None

    def wait(self, url: str, left: float) -> None:
        """Wait for our turn at the host; FeedUnreachable where it does not come within `left` seconds."""
        parts = urlsplit(url)
        host, pause = parts.netloc, self._pause_of(f"{parts.scheme}://{parts.netloc}")
        with self._lock:
            now = self._monotonic()
            turn = max(now, self._turns.get(host, now))
            if turn - now >= left:
                raise FeedUnreachable(f"{host} is asked by other feeds of ours; this one found no turn in time.")
            self._turns[host] = turn + pause
        if turn > now:
            self._sleep(turn - now)

    def _pause_of(self, origin: str) -> float:
        rules = self._rules(origin)
        delay = rules.crawl_delay(self._agent) if rules else None
        return max(self._pause, min(float(delay or 0), LONGEST_PAUSE))
