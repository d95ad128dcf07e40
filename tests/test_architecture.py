"""The rules of the house (layers, homes, clock, imports, lengths) hold; the tables are in tests/architecture.py."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests import architecture
from tests import architecture_checks as rules
from tests.architecture_checks import Module

ROOT = Path(__file__).resolve().parent.parent
STANDARD = frozenset(sys.stdlib_module_names)


@cache
def product() -> dict[str, Module]:
    """Return the modules of aggregator/ and ingest/ by name."""
    return {m.name: m for folder in ("aggregator", "ingest") for m in _modules(folder)}


@cache
def scripts() -> tuple[Module, ...]:
    """Return the scripts of data/ and the tests."""
    return tuple(m for folder in ("data", "tests") for m in _modules(folder))


def _modules(folder: str) -> list[Module]:
    paths = sorted(path for path in (ROOT / folder).rglob("*.py") if ".venv" not in path.parts)
    return [_module(path) for path in paths]


def _module(path: Path) -> Module:
    parts = path.relative_to(ROOT).with_suffix("").parts
    package = parts[-1] == "__init__"
    return Module.of(".".join(parts[:-1] if package else parts), path.read_text("utf-8"), package=package)


def everywhere(check: Callable[[Module], list[str]]) -> list[str]:
    return [fault for module in product().values() for fault in check(module)]


def report(faults: list[str]) -> None:
    assert not faults, "\n  " + "\n  ".join(faults)


def bad(text: str, name: str = "aggregator.detect.bad") -> Module:
    return Module.of(name, text)


# The rules, over the tree


def test_every_module_has_a_layer() -> None:
    report(everywhere(rules.unlisted))


def test_nothing_imports_from_a_higher_layer() -> None:
    report(everywhere(lambda module: rules.layer_faults(module, product())))


def test_the_core_does_not_know_the_feeds_nor_the_feeds_the_site() -> None:
    report(everywhere(rules.border_faults))


def test_packages_of_others_are_imported_at_their_home_only() -> None:
    report(everywhere(lambda module: rules.home_faults(module, STANDARD)))


def test_only_the_clock_asks_the_system_for_the_time() -> None:
    report(everywhere(rules.time_faults))


def test_no_import_is_hidden_in_a_function() -> None:
    report(everywhere(rules.hidden_imports))


def test_no_module_imports_itself_round_a_corner() -> None:
    report(rules.cycles(rules.graph(product())))


def test_no_module_keeps_state() -> None:
    report(everywhere(rules.state_faults))


def test_pure_modules_touch_nothing_outside() -> None:
    report(everywhere(rules.purity_faults))


def test_everything_is_caught_in_two_places_only() -> None:
    caught = {module.name: rules.broad_excepts(module) for module in (*product().values(), *scripts())}
    report([line for name, lines in caught.items() for line in lines[int(name in architecture.BROAD_EXCEPTS) :]])


def test_everything_public_is_documented() -> None:
    report(everywhere(rules.undocumented))


def test_scripts_and_tests_say_what_they_are() -> None:
    written = [module for module in scripts() if module.text.strip()]  # an empty __init__.py says nothing
    report([line for module in written for line in rules.undocumented(module) if line.startswith(f"{module.name} ")])


def test_files_and_functions_are_short() -> None:
    report([fault for module in (*product().values(), *scripts()) for fault in rules.too_long(module)])


def test_most_functions_are_very_short() -> None:
    lengths = [length for module in product().values() for _, length in rules.functions(module)]
    tenths = statistics.quantiles(lengths, n=10)
    assert statistics.median(lengths) <= 12, f"median {statistics.median(lengths)} lines"
    assert tenths[-1] <= 30, f"nine in ten have up to {tenths[-1]} lines"


def test_the_tables_name_no_module_twice() -> None:
    names = [name for group in architecture.LAYERS.values() for name in group]
    assert len(names) == len(set(names))


# Each rule can fail


KNOWN = {
    name: bad("", name)
    for name in (
        "aggregator.model", "aggregator.clock", "aggregator.detect.cube", "aggregator.store", "aggregator.pipeline",
        "aggregator.web", "aggregator.cli", "ingest.parsers", "ingest.runner",
    )
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("aggregator.model", "import aggregator.detect.cube"),
        ("aggregator.detect.cube", "from aggregator import store"),
        ("aggregator.detect.cube", "from aggregator.store import open_store"),
        ("aggregator.detect.cube", "from ..store import open_store"),
        ("aggregator.store.reports", "from aggregator.pipeline import accept"),
        ("aggregator.pipeline", "from aggregator.web import create_app"),
        ("aggregator.web", "from aggregator.cli import main"),
        ("ingest.parsers.rss", "from ingest.runner import run_feed"),
        ("aggregator.detect.cube", "def f():\n    import aggregator.store"),
    ],
)
def test_an_import_from_a_higher_layer_is_found(name: str, text: str) -> None:
    assert len(rules.layer_faults(bad(text, name), KNOWN)) == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("aggregator.detect.cube", "from aggregator.model import Report"),
        ("aggregator.detect.cube", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import aggregator.store"),
        ("aggregator.cli.scan", "from aggregator.web import create_app"),
    ],
)
def test_a_lower_layer_and_a_type_may_be_imported(name: str, text: str) -> None:
    assert rules.layer_faults(bad(text, name), KNOWN) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("aggregator.web.views", "from ingest.feed import load_feeds"),
        ("aggregator.pipeline", "import ingest"),
        ("ingest.runner", "from aggregator.web import create_app"),
        ("ingest.runner", "import aggregator.web.views"),
        ("ingest.runner", "from aggregator.clock import SystemClock"),
        ("aggregator.store", "import pytest"),
    ],
)
def test_a_crossed_border_is_found(name: str, text: str) -> None:
    assert len(rules.border_faults(bad(text, name))) == 1


def test_the_command_may_cross_every_border() -> None:
    text = "import ingest.runner, aggregator.web\nfrom aggregator.clock import SystemClock"
    assert rules.border_faults(bad(text, "aggregator.cli.serve")) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("aggregator.detect.cube", "import flask"),
        ("aggregator.detect.cube", "from flask_babel import gettext"),
        ("aggregator.web.views", "from sqlalchemy import select"),
        ("aggregator.cli.serve", "from apscheduler.schedulers.background import BackgroundScheduler"),
        ("ingest.runner", "import requests"),
        ("aggregator.geocoder", "import geopy.geocoders"),
        ("aggregator.places", "import some_new_package"),
    ],
)
def test_a_package_away_from_home_is_found(name: str, text: str) -> None:
    assert len(rules.home_faults(bad(text, name), STANDARD)) == 1


@pytest.mark.parametrize("home", ["aggregator.store", "aggregator.store.reports", "aggregator.store.migrations.env"])
def test_a_home_is_a_whole_package(home: str) -> None:
    assert rules.home_faults(bad("import sqlalchemy\nimport json\nimport pandas", home), STANDARD) == []


@pytest.mark.parametrize(
    "text",
    [
        "datetime.now(UTC)",
        "datetime.datetime.utcnow()",
        "date.today()",
        "time.time()",
        "from time import time",
        "from time import monotonic",
        "pd.Timestamp.now()",
        "time.monotonic()",
        "started = time.perf_counter",
    ],
)
def test_asking_the_system_for_the_time_is_found(text: str) -> None:
    assert len(rules.time_faults(bad(text))) == 1


def test_the_clock_may_ask_and_the_outbound_may_stop_the_time() -> None:
    assert rules.time_faults(bad("datetime.now(UTC); time.monotonic()", "aggregator.clock")) == []
    assert rules.time_faults(bad("time.monotonic()", "aggregator.outbound.client")) == []
    assert len(rules.time_faults(bad("time.time()", "aggregator.outbound.client"))) == 1
    assert rules.time_faults(bad("clock.now()")) == []


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n    import json",
        "class A:\n    def f(self):\n        from json import loads",
        "import_module('json')",
    ],
)
def test_a_hidden_import_is_found(text: str) -> None:
    assert len(rules.hidden_imports(bad(text))) == 1


def test_an_optional_extra_may_be_imported_late() -> None:
    assert rules.hidden_imports(bad("def f():\n    import dask  # optional extra [history]")) == []


def test_a_circle_is_found_even_when_it_is_for_types_only() -> None:
    known = {
        "a": bad("import b", "a"),
        "b": bad("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from c import d", "b"),
        "c": bad("def f():\n    import a", "c"),
        "e": bad("import a", "e"),
    }
    assert rules.cycles(rules.graph(known)) == ["a -> b -> c -> a"]


def test_a_package_may_import_its_modules() -> None:
    known = {
        "p": Module.of("p", "from p.a import f", package=True),
        "p.a": bad("from p import b", "p.a"),
        "p.b": bad(""),
    }
    assert rules.cycles(rules.graph(known)) == []


@pytest.mark.parametrize("text", ["def f():\n    global x\n    x = 1", "CACHE = {}", "seen: set[str] = set()"])
def test_state_is_found(text: str) -> None:
    assert len(rules.state_faults(bad(text))) == 1


@pytest.mark.parametrize(
    "text", ["import socket", "from os import environ", "import os.path", "open('x')", "p.read_text()"]
)
def test_an_impure_pure_module_is_found(text: str) -> None:
    assert len(rules.purity_faults(bad(text))) == 1
    assert rules.purity_faults(bad(text, "aggregator.store.bad")) == []


@pytest.mark.parametrize("what", ["except:", "except Exception:", "except (ValueError, BaseException) as e:"])
def test_a_broad_except_is_found(what: str) -> None:
    assert len(rules.broad_excepts(bad(f"try:\n    f()\n{what}\n    pass"))) == 1


def test_tidying_up_and_passing_on_is_not_catching() -> None:
    assert rules.broad_excepts(bad("try:\n    f()\nexcept BaseException:\n    close()\n    raise")) == []


def test_a_broad_suppress_is_found_and_a_narrow_one_is_not() -> None:
    assert len(rules.broad_excepts(bad("with contextlib.suppress(Exception):\n    f()"))) == 1
    assert rules.broad_excepts(bad("with suppress(OSError):\n    f()\ntry:\n    f()\nexcept OSError:\n    pass")) == []


def test_missing_docstrings_are_found() -> None:
    text = "def f(): ...\ndef _g(): ...\nclass A:\n    def m(self): ...\n    def __eq__(self, o): ..."
    assert len(rules.undocumented(bad(text))) == 4  # the module, f, A, A.m


def test_length_is_found() -> None:
    assert len(rules.too_long(bad("\n" * (architecture.MAX_LINES + 1)))) == 1
    assert len(rules.too_long(bad("def f():\n" + "    x = 1\n" * architecture.MAX_FUNCTION))) == 1


def test_a_new_module_is_told_where_to_go() -> None:
    (sentence,) = rules.unlisted(bad("", "aggregator.brand_new"))
    assert "aggregator.brand_new" in sentence
    assert "LAYERS in tests/architecture.py" in sentence
