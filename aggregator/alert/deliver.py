"""One pass: new changes -> deliveries -> claimed, sent, marked. Several workers may do so at once. I/O."""

from __future__ import annotations

import random
import secrets
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from typing import Final
from zlib import crc32

from aggregator.alert.channels import CHANNELS
from aggregator.alert.means import DEADLINE, Means, means_of
from aggregator.instance import Instance
from aggregator.notices import Attempt, Delivery, Notice, Sent, Status
from aggregator.store import incidents, outbox, subscriptions
from aggregator.store.outbox import Mark

EVERY: Final = timedelta(seconds=5)  # how often a worker looks
TIDY: Final = timedelta(hours=1)
LEASE: Final = timedelta(minutes=2)
MARGIN: Final = timedelta(seconds=DEADLINE + 15)  # of a claim that must be left: to send, and to write that down
PASS: Final = timedelta(seconds=60)  # after which a pass takes no more; the next goes on
CHANGES: Final = 100  # that one pass spreads
BATCH: Final = 64
HANDS: Final = 8
LATE: Final = timedelta(hours=24)  # nobody is told of what is older
FIRST: Final = timedelta(seconds=15)
FACTOR: Final = 4.0
LONGEST_WISH: Final = timedelta(hours=6)  # of a Retry-After
FAILING: Final = 5  # deliveries given up one after another end a subscription

Tell = Callable[[Delivery], Notice | None]


def pause(attempts: int, chance: float) -> timedelta:
    """Return how long to wait after so many attempts: 15 seconds, then each time four times as long, give or take.

    Eight attempts take about a day. chance: 0 to 1, makes it a quarter shorter to a quarter longer.
    """
    return FIRST * FACTOR ** (attempts - 1) * (0.75 + 0.5 * chance)


class Alerter:
    """Tells what is to be told. tell: makes the words of a delivery, None: there is nothing to say any more.

    lease: how long a claim holds; it must be longer than MARGIN. chance: 0 to 1, of the pauses.
    """

    def __init__(
        self,
        instance: Instance,
        tell: Tell,
        *,
        means: Means | None = None,
        lease: timedelta = LEASE,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._instance, self._tell, self._lease, self._chance = instance, tell, lease, chance
        self._means = means or means_of(instance)
        self._worker = secrets.token_hex(8)
        self._stopped = threading.Event()
        self._tidied: datetime | None = None

    def run(self) -> int:
        """Make one pass, and tidy once an hour; return how many deliveries were tried. Raises StoreError."""
        store, clock = self._instance.store, self._instance.clock
        began = clock.now()
        if self._is_untidy(began):
            self.tidy()
        with store.read() as connection:
            if not outbox.has_work(connection, began):
                return 0
        self._spread(began)
        tried = 0
        while not self._stopped.is_set() and clock.now() - began <= PASS:
            with store.write() as connection:
                batch = outbox.claim(connection, self._worker, clock.now(), self._lease, BATCH)
            found = self._send_all(batch)
            tried += len(found)
            if not any(sent.ok for sent in found):  # nothing left, or nothing gets through: the next pass goes on
                break
        return tried

    def is_wanted(self) -> bool:
        """Say whether a pass would do anything; reads only. Raises StoreError."""
        now = self._instance.clock.now()
        if self._is_untidy(now):
            return True
        with self._instance.store.read() as connection:
            return outbox.has_work(connection, now)

    def _is_untidy(self, now: datetime) -> bool:
        return self._tidied is None or now - self._tidied >= TIDY

    def stop(self) -> None:
        """Let the pass end after the messages that are on their way."""
        self._stopped.set()

    def tidy(self) -> None:
        """Forget what is not needed any more. Raises StoreError."""
        now = self._instance.clock.now()
        with self._instance.store.write() as connection:
            subscriptions.forget(connection, now)
            outbox.forget(connection, now)
        self._tidied = now

    def _spread(self, now: datetime) -> None:
        store = self._instance.store
        with store.read() as connection:
            found = outbox.unspread(connection, CHANGES)
        for change in found:
            with store.write() as connection:
                late = now - change.at > LATE
                incident = None if late else incidents.get(connection, change.incident_id, change.at)
                outbox.spread(connection, change, incident, now)

    def _send_all(self, batch: Sequence[Delivery]) -> list[Sent]:
        """Send a batch, what goes the same way one after the other: order is kept, and one dead end blocks one hand."""
        ways: dict[str, list[Delivery]] = {}
        for delivery in batch:
            ways.setdefault(_way(delivery), []).append(delivery)
        with ThreadPoolExecutor(HANDS, thread_name_prefix="alert") as hands:
            futures = [hands.submit(self._send_in_turn, some) for some in ways.values()]
            wait(futures)
        return [sent for future in futures for sent in future.result()]

    def _send_in_turn(self, some: Iterable[Delivery]) -> list[Sent]:
        found: list[Sent] = []
        until: datetime | None = None
        for delivery in some:
            now = self._instance.clock.now()
            short = delivery.claimed_until - now < min(MARGIN, self._lease / 2)
            if until or short or self._stopped.is_set():
                self._mark(delivery, Mark("waiting", now, until or now, tried=False))
                continue
            sent = self._send(delivery, now)
            found.append(sent)
            next_at = self._write_down(delivery, sent, now)
            until = next_at if sent.down else None
        return found

    def _send(self, delivery: Delivery, now: datetime) -> Sent:
        notice = self._tell(delivery)
        if notice is None:
            return Sent(False, 0, "there is nothing to tell any more", final=True)
        return CHANNELS[delivery.subscription.channel](self._means, delivery, notice, now)

    def _write_down(self, delivery: Delivery, sent: Sent, began: datetime) -> datetime:
        """Mark a delivery and add to the log; return when it may be tried again."""
        now, whose = self._instance.clock.now(), delivery.subscription
        wish = min(timedelta(seconds=sent.retry_after), LONGEST_WISH)
        next_at = now + max(pause(delivery.attempts, self._chance()), wish)
        ended = sent.final or delivery.attempts >= outbox.TRIES or next_at - delivery.queued_at > 2 * LATE
        status: Status = "delivered" if sent.ok else "given_up" if ended else "waiting"
        seconds = (now - began).total_seconds()
        with self._instance.store.write() as connection:
            outbox.mark(connection, delivery, self._worker, Mark(status, now, next_at))
            line = Attempt(whose.subscription_id, delivery.change_id, began, seconds, sent.code, sent.detail)
            outbox.log(connection, line)
            if sent.gone:
                subscriptions.end(connection, whose.subscription_id, now, "gone")
            elif status == "given_up" and outbox.given_up_in_a_row(connection, whose.subscription_id) >= FAILING:
                subscriptions.end(connection, whose.subscription_id, now, "failing")
        return next_at

    def _mark(self, delivery: Delivery, found: Mark) -> None:
        with self._instance.store.write() as connection:
            outbox.mark(connection, delivery, self._worker, found)


def _way(delivery: Delivery) -> str:
    """Return what deliveries that must not overtake each other have in common; all mail goes over one server."""
    whose = delivery.subscription
    number = crc32(whose.subscription_id.encode()) % (HANDS // 2)
    return f"email {number}" if whose.channel == "email" else whose.target
