"""The README is true: its tables are the code's, its commands one line each, its paths there, its words CI's."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from aggregator.cli import netzlage
from aggregator.settings import TABLE
from tests.commands import commands_of

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def table_after(mark: str) -> list[str]:
    """Return the body rows of the table that follows `<!-- mark -->`."""
    lines = README.partition(f"<!-- {mark} -->\n")[2].splitlines()
    rows = [line for line in lines[: lines.index("")] if line.startswith("|")]
    return rows[2:]


def leaves(command: click.Command, words: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for name, child in sorted(commands_of(command).items()):
            yield from leaves(child, (*words, name))
    else:
        yield " ".join(words), command


def first_sentence(text: str | None) -> str:
    return " ".join((text or "").partition("\n\n")[0].split()).partition(". ")[0].rstrip(".")


def line_marked(mark: str) -> str:
    found = re.search(rf"^# {mark}\n(.+)\n```$", README, re.MULTILINE)
    assert found, f"README has no single command marked # {mark}"
    return found[1]


def test_the_table_of_commands_is_the_programs() -> None:
    expected = [f"| `{name}` | {first_sentence(command.help)} |" for name, command in leaves(netzlage)]
    assert table_after("commands") == expected, "the table should be:\n" + "\n".join(expected)


def test_the_table_of_settings_is_the_programs() -> None:
    words = {"True": "on", "False": "off"}
    expected = [f"| `{row.name}` | {words.get(str(row.default), row.default)} | {row.help} |" for row in TABLE]
    assert table_after("settings") == expected, "the table should be:\n" + "\n".join(expected)


def test_each_of_the_two_commands_makes_its_own_environment() -> None:
    start = "python3 -m venv .venv && .venv/bin/pip install "
    assert line_marked("demo") == start + ". && .venv/bin/netzlage demo"
    assert line_marked("tests") == start + '-e ".[dev]" && .venv/bin/pytest'


def test_ci_runs_the_test_command_of_the_readme() -> None:
    """`.ci/run readme-command` prints the line that it would run."""
    done = subprocess.run([ROOT / ".ci/run", "readme-command"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == line_marked("tests")


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_links_and_pictures_are_there(target: str) -> None:
    assert (ROOT / target).exists()


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:aggregator|ingest|data|tests)/[^`]*)`", README))))
def test_paths_that_are_named_are_there(path: str) -> None:
    assert (ROOT / path).exists()


def block_of(kind: str) -> str:
    """Return the only block of that language in the README."""
    [found] = re.findall(rf"^```{kind}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    return str(found)


def test_the_unit_is_one_that_systemd_takes(tmp_path: Path) -> None:
    unit = tmp_path / "netzlage-site.service"
    program = shutil.which("true") or "/bin/true"
    unit.write_text(block_of("ini").replace("/opt/netzlage/bin/netzlage", program), "utf-8")
    known = configparser.ConfigParser(interpolation=None)
    known.read(unit)
    assert known["Service"]["ExecStart"].split()[1:] == ["serve", "--no-worker"]
    names = {pair.partition("=")[0] for pair in known["Service"]["Environment"].split()}
    settings = {f"NETZLAGE_{row.name.upper()}" for row in TABLE}
    assert names - settings == {"MALLOC_ARENA_MAX"}
    if shutil.which("systemd-analyze"):
        done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
        wrong = [line for line in done.stderr.splitlines() if unit.name in line and "netzlage" in line]
        assert not [line for line in wrong if "Unknown" in line or "Failed to parse" in line], done.stderr


def test_the_proxy_hands_on_what_the_site_believes_and_keeps_the_figures() -> None:
    snippet = block_of("nginx")
    for header in ("Host", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-For"):
        assert f"proxy_set_header {header} $" in snippet
    assert "location = /metrics { deny all; }" in snippet
    assert snippet.count("{") == snippet.count("}")
    lines = [line.strip() for line in snippet.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    assert all(line.endswith((";", "{", "}")) for line in lines)
