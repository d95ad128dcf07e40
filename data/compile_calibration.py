"""Replay the shipped scenario's quiet weeks and calibrate on their baseline: scenarios/may_2017.calibration.json.

`python data/compile_calibration.py` takes minutes of one core; the same scenario gives the same file.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from aggregator.catalogue import data_folder
from aggregator.clock import SimulatedClock
from aggregator.detect.nullweeks import calibrate_baseline
from aggregator.detect.tick import Learned
from aggregator.instance import open_instance
from aggregator.refresh import Detection
from aggregator.settings import load_settings
from ingest.demo import DemoApi, FeedServer
from ingest.events import Events
from ingest.feed import parse_feeds
from ingest.replay import catch_up, steps, world_of
from ingest.scenario import read_scenario

WEEKS = 16  # a little more than "strong" promises


def learned_at_the_show(path: Path, home: Path) -> Learned:
    """Return what the demo has learned on the day of its show."""
    scenario = read_scenario(path.read_text("utf-8"), path.name)
    clock = SimulatedClock(scenario.start)
    settings = load_settings(None, {}, overrides={"home": str(home), "database": f"sqlite:///{home / 'demo.sqlite'}"})
    instance = open_instance(settings, clock)
    detection = Detection(instance)
    with FeedServer(DemoApi(Events(scenario, world_of(instance.catalogue)), clock)) as server:
        feeds = parse_feeds(server.stanzas(), server.environ)
        for _ in catch_up(instance, clock, feeds, detection.refresh, steps(scenario)):
            pass
    with instance.store.read() as connection:
        learned = detection.learned(connection, scenario.show)
    instance.store.close()
    return learned


def main() -> None:
    """Write the file beside the scenario."""
    path = data_folder() / "scenarios" / "may_2017.toml"
    with tempfile.TemporaryDirectory() as folder:
        learned = learned_at_the_show(path, Path(folder))
        made = calibrate_baseline(learned.prepared, WEEKS, lambda done: print(f"{done} null weeks", flush=True))
    path.with_suffix(".calibration.json").write_text(made.to_json() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
