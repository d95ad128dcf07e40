"""`demo`: a weekend replayed on this machine alone: feed server, real ingestion, detection, site. I/O."""

from __future__ import annotations

import logging
import signal
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Final

import click

from aggregator.catalogue import data_folder
from aggregator.cli.common import Options, progress, settle
from aggregator.cli.serve import serve_app, warn
from aggregator.cli.stanzas import keep_sources
from aggregator.clock import BERLIN, Clock, SimulatedClock
from aggregator.detect.calibrate import Calibration
from aggregator.errors import DataError, SettingsError
from aggregator.instance import Instance
from aggregator.refresh import Detection
from aggregator.store import calibrations
from aggregator.store.intake import open_intake
from aggregator.web import create_app
from ingest.demo import DemoApi, FeedServer
from ingest.earlier import bring_in
from ingest.events import Events
from ingest.feed import Feed, parse_feeds
from ingest.replay import catch_up, steps, world_of
from ingest.scenario import Scenario, read_scenario
from ingest.scheduler import Worker

FASTEST: Final = 3600


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address of the site.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Port of the site.")
@click.option(
    "--speed",
    default=60.0,
    show_default=True,
    type=click.FloatRange(0.1, FASTEST),
    help="Times the pace of life, once the page is there.",
)
@click.option(
    "--scenario",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Another weekend (default: the shipped one of May 2017).",
)
@click.pass_obj
def demo(options: Options, host: str, port: int, speed: float, file: Path | None) -> None:
    """Replay O2's weekend of May 2017 (a simulation) through local feeds, and show the site.

    Needs no network, starts in a fresh folder and removes it at its end.
    """
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # a run left out at high speed is no news
    _try_port(host, port)
    path = file or data_folder() / "scenarios" / "may_2017.toml"
    scenario = load_scenario(path)
    before = load_scenario(found(path.parent, scenario.earlier)) if scenario.earlier else None
    with _ending_cleanly(), ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="netzlage-demo-")))
        clock = SimulatedClock((before or scenario).start)
        database, feeds_file = f"sqlite:///{home / 'demo.sqlite'}", home / "feeds.toml"
        instance = options.open(clock, home=str(home), database=database, feeds=str(feeds_file))
        stack.callback(instance.store.close)
        world, refresh = world_of(instance.catalogue), Detection(instance).refresh
        settle()
        if before is not None:
            _shown(bring_in(instance, clock, Events(before, world), refresh), "The months before", len(steps(before)))
            clock.set(scenario.start)
        server = stack.enter_context(FeedServer(DemoApi(Events(scenario, world), clock)))
        feeds_file.write_text(server.stanzas(), "utf-8")
        feeds = parse_feeds(server.stanzas(), server.environ)
        keep_sources(instance, feeds)
        _keep_calibration(instance, scenario, path)
        _catch_up(instance, clock, feeds, refresh, scenario)
        app = create_app(instance, cached=True, intake=stack.enter_context(closing(open_intake(instance.store))))
        worker = Worker(instance, feeds, refresh, speed=speed)
        clock.run(speed)
        warn(instance)
        serve_app(app, host, port, worker=worker, say=_saying(clock, speed))


def found(folder: Path, name: str) -> Path:
    """Return the path of a scenario file: beside the one that names it, else the shipped one."""
    return folder / name if (folder / name).exists() else data_folder() / "scenarios" / name


def _keep_calibration(instance: Instance, scenario: Scenario, path: Path) -> None:
    """Take the thresholds that come with the scenario: made from its quiet weeks, which takes minutes."""
    made = path.with_suffix(".calibration.json")
    if made.exists():
        with instance.store.write() as connection:
            calibrations.save(connection, scenario.start, Calibration.from_json(made.read_text("utf-8")))


def _saying(clock: Clock, speed: float) -> Callable[[str], None]:
    def say(line: str) -> None:
        shown = f"{clock.now().astimezone(BERLIN):%d.%m.%Y %H:%M}"
        click.echo(f"{line} SIMULATION of {shown}, {speed:g} times as fast as life; Ctrl-C ends it.")

    return say


def load_scenario(path: Path) -> Scenario:
    """Read a scenario file. Raises DataError with its name and what is wrong."""
    try:
        return read_scenario(path.read_text("utf-8-sig"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"Scenario {path} cannot be read ({error}).") from None


def _catch_up(
    instance: Instance, clock: SimulatedClock, feeds: list[Feed], refresh: Callable[[], object], scenario: Scenario
) -> None:
    plan = steps(scenario)
    _shown(catch_up(instance, clock, feeds, refresh, plan), "Four quiet weeks", len(plan))
    clock.set(scenario.show)


def _shown(work: Iterator[datetime], label: str, number: int) -> None:
    """Do the work, with a bar."""
    with progress(work, label, number) as bar:
        for _ in bar:
            pass


def _try_port(host: str, port: int) -> None:
    """Refuse a port that is taken before the work begins, not after it."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as door:
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            door.bind(address)
    except OSError as error:
        said = error.strerror or str(error)
        raise SettingsError(f"Port {port} on {host} cannot be had ({said}); name another one with --port.") from None


@contextmanager
def _ending_cleanly() -> Iterator[None]:
    """Make SIGTERM end the demo as Ctrl-C does, so that its folder is removed."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
