"""What the tests of alerts share: a Netzlage that is no simulation, a receiver with faults, a mail server."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from aggregator.alert.deliver import Alerter
from aggregator.alert.means import means_of
from aggregator.clock import SimulatedClock, SystemClock
from aggregator.instance import Instance
from aggregator.model import State, Transition
from aggregator.notices import Subscription
from aggregator.outbound.client import Outbound
from aggregator.settings import load_settings
from aggregator.store import incidents, open_store, subscriptions
from aggregator.web import create_app
from aggregator.web.telling import teller
from tests import stores
from tests.gazetteer import FACTS
from tests.making import at, incident
from tests.servers import send, serving
from tests.store.test_outbox import subscriber

NOW = at(12)
HAMBURG = "20170513-o2-mobile-02000"
SITE = "https://netzlage.example"


class LifeClock(SimulatedClock):
    """A clock that is set by hand, and says that its time is the world's."""

    simulated = False


def netzlage(folder: Path, now: datetime = NOW, **settings: str) -> Instance:
    """Return an instance on the store in `folder`; now: where its clock stands."""
    environ = {"NETZLAGE_BASE_URL": SITE, **{f"NETZLAGE_{name.upper()}": value for name, value in settings.items()}}
    store = open_store(stores.address(folder))
    return Instance(load_settings(None, environ), LifeClock(now), FACTS, store, b"key of the tests")


def alerter(instance: Instance, **values: Any) -> Alerter:
    """Return a worker's alerter that may reach this machine and does without chance."""
    means = means_of(instance, Outbound(allowed=lambda address: address == "127.0.0.1", pause=0))
    return Alerter(instance, teller(create_app(instance)), **{"means": means, "chance": lambda: 0.5, **values})


def happens(instance: Instance, state: State = "strong", minutes: float = 10, incident_id: str = HAMBURG) -> None:
    """Let the incident in Hamburg change its state so many minutes after Saturday 09:40."""
    ended = at(minutes) if state == "over" else None
    one = incident(incident_id, state=state, updated_at=at(minutes), reports=30, ended_at=ended)
    with instance.store.write() as connection:
        incidents.save(connection, [one], [Transition(incident_id, at(minutes), state, 30, 0.5, 15.5)])


def now_of_life(instance: Instance) -> Instance:
    """Return the instance with the system's time, for several processes that share it."""
    return replace(instance, clock=SystemClock())


def happened(instance: Instance, state: State = "strong", number: int = 0) -> None:
    """Let an incident change its state just now, as the `number`-th of its changes."""
    now = instance.clock.now().replace(microsecond=number)
    one = incident(HAMBURG, state=state, onset=now, updated_at=now, ended_at=now if state == "over" else None)
    with instance.store.write() as connection:
        incidents.save(connection, [one], [Transition(HAMBURG, now, state, 30, 0.5, 15.5)])


def subscribe(instance: Instance, *given: Subscription) -> None:
    """Keep subscriptions."""
    with instance.store.write() as connection:
        for one in given:
            subscriptions.add(connection, one)


def webhook(url: str, name: str = "s1", **values: Any) -> Subscription:
    """Return the subscription of a webhook."""
    return subscriber(name, **{"target": f"{url}/{name}", **values})


def letter(name: str = "e1", **values: Any) -> Subscription:
    """Return the confirmed subscription of anna@example.org."""
    return subscriber(name, **{"channel": "email", "target": "anna@example.org", **values})


def later(instance: Instance, minutes: float) -> None:
    """Put the clock to so many minutes after Saturday 09:40."""
    assert isinstance(instance.clock, SimulatedClock)
    instance.clock.set(at(minutes))


@dataclass
class Receiver:
    """A webhook's server: remembers what arrives, and answers what `fault` says for the n-th request of an id."""

    fault: Callable[[BaseHTTPRequestHandler, int], bool] = lambda handler, number: False
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)
    taken: Counter[str] = field(default_factory=Counter)  # answered with 200
    lock: Any = field(default_factory=threading.Lock)

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length", "0")))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        name = headers.get("webhook-id", "")
        with self.lock:
            self.got.append((handler.path, headers, body))
            self.seen[name] += 1
            number = self.seen[name]
        if not self.fault(handler, number):
            with self.lock:
                self.taken[name] += 1
            send(handler, b"ok")

    def bodies(self) -> list[Any]:
        return [json.loads(body) for _, _, body in self.got]


@contextmanager
def receiving(receiver: Receiver) -> Iterator[str]:
    with serving(receiver) as url:
        yield url


@dataclass
class Postbox:
    """A mail server's mailbox; `answers`: what it says to RCPT or DATA, by the number of the attempt."""

    recipients: list[str] = field(default_factory=list)
    senders: list[str] = field(default_factory=list)
    messages: list[EmailMessage] = field(default_factory=list)
    rcpt: list[str] = field(default_factory=list)
    data: list[str] = field(default_factory=list)

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:
        if self.rcpt:
            return self.rcpt.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.data:
            return self.data.pop(0)
        assert isinstance(envelope.content, bytes)
        message = BytesParser(policy=default).parsebytes(envelope.content)
        assert isinstance(message, EmailMessage)
        self.messages.append(message)
        self.recipients += envelope.rcpt_tos
        self.senders.append(envelope.mail_from or "")
        return "250 taken"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as door:
        return int(door.getsockname()[1])


@contextmanager
def posting(box: Postbox, **values: Any) -> Iterator[str]:
    """Run a real SMTP server that puts mail into `box`; gives the smtp_url."""
    server = Controller(box, hostname="127.0.0.1", port=free_port(), **values)
    server.start()
    try:
        yield f"smtp://127.0.0.1:{server.port}"
    finally:
        server.stop()


@contextmanager
def saying(*lines: bytes, pause: float = 0.0, drip: bool = False) -> Iterator[str]:
    """Run a server that says `lines` one after another, each after it is asked, then hangs up; gives the smtp_url."""
    door = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def talk(line: socket.socket) -> None:
        with line:
            for number, said in enumerate(lines):
                if number:
                    line.recv(65536)
                for piece in [bytes([one]) for one in said] if drip else [said]:
                    line.sendall(piece)
                    ended.wait(pause if drip else 0)
            ended.wait(pause)

    def listen() -> None:
        while not ended.is_set():
            try:
                line, _ = door.accept()
            except OSError:
                return
            threading.Thread(target=_quietly, args=(talk, line), daemon=True).start()

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    try:
        yield f"smtp://127.0.0.1:{door.getsockname()[1]}"
    finally:
        ended.set()
        door.shutdown(socket.SHUT_RDWR)
        door.close()
        thread.join()


def _quietly(talk: Callable[[socket.socket], None], line: socket.socket) -> None:
    try:
        talk(line)
    except OSError:
        return


def wait_for(done: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until something is done; fails when it takes too long."""
    limit = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < limit, "it takes too long"
        time.sleep(0.05)
