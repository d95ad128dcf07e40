"""`serve`: the site behind waitress, and beside it the worker that keeps its store filled. I/O."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Protocol
from wsgiref.types import WSGIApplication

import click

from aggregator.cli import logs
from aggregator.cli.common import Options, give_back, settle, stay_small
from aggregator.cli.crew import Crew
from aggregator.cli.server import Server
from aggregator.cli.stanzas import feeds_of, keep_sources
from aggregator.cli.stopping import stopped_by_signal
from aggregator.imprint import warning
from aggregator.instance import Instance
from aggregator.store.intake import open_intake
from aggregator.web import create_app
from ingest.feed import Feed

HOST = "127.0.0.1"
PORT = 8000


@click.command()
@click.option("--host", default=HOST, show_default=True, help="Address to listen on.")
@click.option("--port", default=PORT, show_default=True, type=click.IntRange(0, 65535), help="Port; 0: any free one.")
@click.option("--no-worker", is_flag=True, help="Only the site: no feeds, no detection.")
@click.pass_obj
def serve(options: Options, host: str, port: int, no_worker: bool) -> None:
    """Serve the site, and unless told otherwise hear the feeds and look for clusters."""
    with running(options) as (instance, _), closing(open_intake(instance.store)) as intake:
        app = create_app(instance, cached=True, intake=intake)
        settle()
        stay_small()
        proxied = bool(instance.settings.trusted_proxies)
        crew = None if no_worker else Crew(options)
        looks = [give_back, crew.look] if crew else [give_back]
        serve_app(app, host, port, proxied=proxied, worker=crew, looks=looks)


def warn(instance: Instance) -> None:
    """Say in one sentence what the impressum lacks."""
    sentence = warning(instance.settings)
    if sentence:
        click.echo(sentence, err=True)


@contextmanager
def running(options: Options) -> Iterator[tuple[Instance, list[Feed]]]:
    """Give the instance and its feeds to a process that runs for weeks, with a log; its store is closed at the end."""
    settings = options.settings()
    logs.set_up(settings, debug=logging.getLogger().level == logging.DEBUG)
    known = feeds_of(settings)
    instance = options.open()
    keep_sources(instance, known)
    try:
        yield instance, known
    finally:
        instance.store.close()


class Beside(Protocol):
    """What runs beside the site: begins with it, and ends what it has in hand after it."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """End."""


def serve_app(
    app: WSGIApplication,
    host: str,
    port: int,
    *,
    proxied: bool = False,
    worker: Beside | None = None,
    looks: Sequence[Callable[[], object]] = (),
    say: Callable[[str], object] = click.echo,
) -> None:
    """Serve `app` until SIGTERM or Ctrl-C, with `worker` running beside it; then let both end what they have in hand.

    proxied: X-Forwarded-* is passed on to the app. looks: are called every few seconds. say: is given the one line with
    the address. Raises NetzlageError with one sentence where the port cannot be had.
    """
    server = Server(app, host, port, proxied=proxied)
    with stopped_by_signal() as stop:
        try:
            if worker is not None:
                worker.start()
            say(f"Netzlage: http://{_shown(host)}:{server.port}/")
            server.run(stop, looks)
        finally:
            server.close()
            if worker is not None:
                worker.stop()


def _shown(host: str) -> str:
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - shown, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
