"""`serve` and `worker`: the site behind waitress, and the schedule that keeps its store filled. I/O."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from wsgiref.types import WSGIApplication

import click

from aggregator.alert.deliver import Alerter, Tell
from aggregator.calibration import Calibrator
from aggregator.catalogue import data_folder
from aggregator.cli import logs
from aggregator.cli.common import Options, settle
from aggregator.cli.feeds import keep_sources
from aggregator.cli.server import Server
from aggregator.cli.stopping import stopped_by_signal
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
    with _opened(options) as (instance, feeds), stopped_by_signal() as stop:
        work = _worker(instance, feeds, teller(create_app(instance)))
        click.echo(f"{len(work.jobs)} jobs: {', '.join(sorted(work.jobs))}")
        settle()
        work.start()
        try:
            stop.wait()
            click.echo("Stopping.")
        finally:
            work.stop()


def _worker(instance: Instance, feeds: list[Feed], tell: Tell) -> Worker:
    alerter = Alerter(instance, tell)
    return Worker(instance, feeds, Detection(instance).refresh, calibrator=Calibrator(instance), alerter=alerter)


@contextmanager
def _opened(options: Options) -> Iterator[tuple[Instance, list[Feed]]]:
    settings = options.settings()
    logs.set_up(settings, debug=logging.getLogger().level == logging.DEBUG)
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
    """Serve `app` until SIGTERM or Ctrl-C, with `worker` running beside it; then let both end what they have in hand.

    proxied: X-Forwarded-* is passed on to the app. say: is given the one line with the address. Raises NetzlageError
    with one sentence where the port cannot be had.
    """
    server = Server(app, host, port, proxied=proxied)
    with stopped_by_signal() as stop:
        try:
            if worker is not None:
                worker.start()
            say(f"Netzlage: http://{_shown(host)}:{server.port}/")
            server.run(stop)
        finally:
            server.close()
            if worker is not None:
                worker.stop()


def _shown(host: str) -> str:
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - shown, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
