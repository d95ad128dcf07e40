"""Logs: sentences, or a line of JSON an event, under the id of its request."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from aggregator.cli.logs import set_up
from aggregator.instance import Instance
from aggregator.settings import load_settings
from aggregator.web import create_app
from tests.fuzzing import opened

Err = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Instance]:
    with opened(tmp_path) as made:
        yield made.instance


def start(**environ: str) -> None:
    set_up(load_settings(None, {f"NETZLAGE_{name.upper()}": value for name, value in environ.items()}))


def test_an_event_is_one_line_of_json_with_its_exception(capsys: Err) -> None:
    start(log_format="json")
    try:
        raise ValueError("two\nlines")
    except ValueError:
        logging.getLogger("netzlage.x").exception("It failed: %s", "ä\n")
    [line] = capsys.readouterr().err.splitlines()
    said = json.loads(line)
    assert (said["level"], said["logger"], said["message"]) == ("error", "netzlage.x", "It failed: ä\n")
    assert said["time"].endswith("Z")
    assert "ValueError: two" in said["exception"]
    assert "request" not in said


def test_requests_are_logged_by_route_under_an_id_and_without_who_or_what_was_asked(
    here: Instance, capsys: Err
) -> None:
    start(log_format="json", log_level="info")
    site = create_app(here).test_client()
    site.get(
        "/melden?place=Erika+Mustermann", headers={"User-Agent": "Erika"}, environ_base={"REMOTE_ADDR": "192.0.2.7"}
    )
    site.get("/vorfall/Erika-Mustermann")
    text = capsys.readouterr().err
    lines = [json.loads(line) for line in text.splitlines()]
    asked = [line for line in lines if line["logger"] == "netzlage.web.requests"]
    assert [(line["route"], line["method"], line["status"]) for line in asked] == [
        ("/melden", "GET", 200), ("/vorfall/<incident_id>", "GET", 404),
    ]  # fmt: skip
    assert len({line["request"] for line in asked}) == 2
    assert "Erika" not in text
    assert "192.0.2.7" not in text


def test_requests_are_not_logged_unless_asked_for(here: Instance, capsys: Err) -> None:
    start()
    create_app(here).test_client().get("/")
    logging.getLogger("netzlage").warning("Something.")
    assert capsys.readouterr().err == "WARNING netzlage: Something.\n"
