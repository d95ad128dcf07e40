"""`serve` and `worker`: the site behind waitress, and the schedule that keeps its store filled. I/O."""

from __future__ import annotations

import errno
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any
from wsgiref.types import WSGIApplication

import click
import waitress

from aggregator.alert.deliver import Alerter, Tell
from aggregator.calibration import Calibrator
from aggregator.catalogue import data_folder
from aggregator.cli.channel import Channel
from aggregator.cli.common import Options, settle
from aggregator.cli.feeds import keep_sources
from aggregator.errors import NetzlageError
from aggregator.imprint import warning
from aggregator.instance import Instance
from aggregator.refresh import Detection
from aggregator.store.intake import open_intake
from aggregator.web import create_app
from aggregator.web.telling import teller
from ingest.feed import Feed, load_feeds
from ingest.scheduler import Worker

HOST = "127.0.0.1"
PORT = 8000
BIGGEST_REQUEST = 1 << 20  # bytes; the app refuses far less, with a sentence


@click.command()
@click.option("--host", default=HOST, show_default=True, help="Address to listen on.")
@click.option("--port", default=PORT, show_default=True, type=click.IntRange(0, 65535), help="Port; 0: any free one.")
@click.option("--no-worker", is_flag=True, help="Only the site: no feeds, no detection.")
@click.pass_obj
def serve(options: Options, host: str, port: int, no_worker: bool) -> None:
    """Serve the site, and unless told otherwise hear the feeds and look for clusters."""
    with _opened(options) as (instance, feeds), closing(open_intake(instance.store)) as intake:
        app = create_app(instance, cached=True, intake=intake)
        work = None if no_worker else _worker(instance, feeds, teller(app))
        settle()
        serve_app(app, host, port, proxied=bool(instance.settings.trusted_proxies), worker=work)


def warn(instance: Instance) -> None:
    """Say in one sentence what the impressum lacks."""
    sentence = warning(instance.settings)
    if sentence:
        click.echo(sentence, err=True)


@click.command()
@click.pass_obj
def worker(options: Options) -> None:
    """Hear the feeds and look for clusters, without the site, until stopped."""
    with _opened(options) as (instance, feeds), _stopped_by_signal():
        work = _worker(instance, feeds, teller(create_app(instance)))
        click.echo(f"{len(work.jobs)} jobs: {', '.join(sorted(work.jobs))}")
        settle()
        work.start()
        try:
            threading.Event().wait()
        except SystemExit:
            click.echo("Stopping.")
        finally:
            work.stop()


def _worker(instance: Instance, feeds: list[Feed], tell: Tell) -> Worker:
    alerter = Alerter(instance, tell)
    return Worker(instance, feeds, Detection(instance).refresh, calibrator=Calibrator(instance), alerter=alerter)


@contextmanager
def _opened(options: Options) -> Iterator[tuple[Instance, list[Feed]]]:
    settings = options.settings()
    feeds = load_feeds(settings.feeds or data_folder() / "feeds.toml")
    instance = options.open()
    keep_sources(instance, feeds)
    try:
        yield instance, feeds
    finally:
        instance.store.close()


def serve_app(
    app: WSGIApplication,
    host: str,
    port: int,
    *,
    proxied: bool = False,
    worker: Worker | None = None,
    say: Callable[[str], object] = click.echo,
) -> None:
    """Serve `app` until SIGTERM or Ctrl-C, with `worker` running beside it; then end the threads of both.

    proxied: X-Forwarded-* is passed on to the app. say: is given the one line with the address. Raises NetzlageError
    with one sentence where the port cannot be had.
    """
    server = _bind(app, host, port, proxied=proxied)
    with _stopped_by_signal():
        try:
            if worker is not None:
                worker.start()
            say(f"Netzlage: http://{_shown(host)}:{server.effective_port}/")
            server.run()  # returns, its threads ended, after SystemExit or KeyboardInterrupt
        except SystemExit:
            pass
        finally:
            server.close()
            if worker is not None:
                worker.stop()


def _bind(app: WSGIApplication, host: str, port: int, *, proxied: bool) -> Any:
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a line for each request that waits: under load all do
    server = waitress.create_server(
        app,
        sockets=[_door(host, port)],
        threads=16,
        connection_limit=2000,
        channel_timeout=30,
        asyncore_use_poll=True,  # select() ends at 1024 connections
        max_request_body_size=BIGGEST_REQUEST,
        clear_untrusted_proxy_headers=not proxied,
        ident="",
    )
    server.channel_class = Channel
    return server


def _door(host: str, port: int) -> socket.socket:
    """Return the socket to listen on; waitress leaves its own open when the port cannot be had."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with ExitStack() as stack:
            door = stack.enter_context(socket.socket(family, kind, protocol))
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            door.bind(address)
            stack.pop_all()
            return door
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        why = "is taken by another program" if taken else f"cannot be had ({error.strerror or error})"
        raise NetzlageError(f"Port {port} on {host} {why}; name another one with --port.") from None


def _shown(host: str) -> str:
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - shown, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


@contextmanager
def _stopped_by_signal() -> Iterator[None]:
    """Let SIGTERM and Ctrl-C end the block with SystemExit; only the main thread may say so, elsewhere nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, _leave) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave(_number: int, _frame: object) -> None:
    raise SystemExit(0)
