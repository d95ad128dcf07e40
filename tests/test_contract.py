"""The `netzlage` command keeps its contract: names, exit status, help, and errors of one line on standard error."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from aggregator.cli import netzlage
from aggregator.errors import StoreError
from tests.commands import Run, assert_one_line, commands_of

CONTRACT = {
    "demo", "serve", "worker", "feeds list", "feeds check", "feeds run", "feeds quarantine list",
    "feeds quarantine take", "import", "refresh", "replay", "detect", "calibrate", "verify", "incident withdraw",
    "incident note", "incident judge", "scan", "export", "history build", "history replay", "backup",
    "restore", "doctor", "subscription add", "subscription list", "subscription remove", "subscription log",
    "statement add", "statement ask", "statement list", "statement withdraw",
    "token add", "token list", "token revoke", "comments list", "comments hide",
    "comments show", "migrate-store",
}  # fmt: skip
THERE = {
    "demo", "serve", "feeds list", "feeds check", "feeds run", "import", "refresh", "replay", "detect", "scan",
    "export", "doctor", "verify", "incident withdraw", "incident note", "incident judge", "statement add",
    "token add", "token list", "token revoke", "subscription add", "subscription list", "subscription remove",
    "comments list", "comments hide", "comments show",
    "subscription log", "backup", "restore", "migrate-store", "history build", "history replay",
}  # fmt: skip


def _walk(command: click.Command, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield words
    if isinstance(command, click.Group):
        for name, child in commands_of(command).items():
            yield from _walk(child, (*words, name))


def _leaves(command: click.Command, words: tuple[str, ...] = ()) -> Iterator[str]:
    if not isinstance(command, click.Group):
        yield " ".join(words)
        return
    for name, child in commands_of(command).items():
        yield from _leaves(child, (*words, name))


COMMANDS = sorted(_walk(netzlage))


def raising(monkeypatch: pytest.MonkeyPatch, problem: BaseException) -> None:
    """Add a command `boom` that meets a problem."""

    def meet() -> None:
        raise problem

    monkeypatch.setitem(netzlage.commands, "boom", click.Command("boom", callback=meet))


def test_every_command_is_named_by_the_contract() -> None:
    assert set(_leaves(netzlage)) <= CONTRACT


def test_every_command_of_this_version_is_there() -> None:
    assert set(_leaves(netzlage)) >= THERE


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_is_given(words: tuple[str, ...], option: str, run: Run) -> None:
    answer = run(*words, option)
    assert (answer.status, answer.err) == (0, "")
    assert answer.out.startswith(f"Usage: {' '.join(('netzlage', *words))}")


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_and_option_is_explained(words: tuple[str, ...]) -> None:
    command: click.Command = netzlage
    for word in words:
        assert isinstance(command, click.Group)
        command = commands_of(command)[word]
    assert command.help
    assert [p.name for p in command.params if isinstance(p, click.Option) and not p.help] == []


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_an_unknown_option_is_wrong_use(words: tuple[str, ...], run: Run) -> None:
    answer = run(*words, "--no-such-option")
    assert_one_line(answer, 2)
    assert "--no-such-option" in answer.err
    assert "--help`" in answer.err
    assert answer.out == ""


def test_an_unknown_command_is_wrong_use(run: Run) -> None:
    assert_one_line(run("conquer"), 2)


@pytest.mark.parametrize("words", [w for w in COMMANDS if not w or w in {("feeds",), ("incident",), ("history",)}])
def test_a_group_without_command_shows_its_help_and_is_wrong_use(words: tuple[str, ...], run: Run) -> None:
    answer = run(*words)
    assert_one_line(answer, 2)
    assert "Commands:" in answer.out


def test_the_version_is_told(run: Run) -> None:
    assert run("--version")[:2] == (0, "netzlage, version 0.1.0\n")


@pytest.mark.parametrize("command", ["refresh", "doctor"])
def test_a_settings_mistake_stops_the_start_with_name_and_mend(
    command: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NETZLAGE_RATE_LIMITS", "perhaps")
    answer = run(command)
    assert_one_line(answer, 1)
    assert "rate_limits" in answer.err
    assert 'must be "on" or "off"' in answer.err
    assert answer.out == ""


def test_a_settings_file_that_is_not_there_is_an_error(run: Run) -> None:
    answer = run("--config", "absent.toml", "doctor")
    assert_one_line(answer, 1)
    assert "absent.toml" in answer.err


@pytest.mark.parametrize(
    ("problem", "status", "said"),
    [
        (StoreError("It is\nlocked."), 1, "It is locked.\n"),
        (click.UsageError("Not\nso."), 2, "Not so. See `netzlage boom --help`.\n"),
        (click.BadParameter("no.", param_hint="-o"), 2, "Invalid value for -o: no. See `netzlage boom --help`.\n"),
        (click.ClickException("No."), 1, "No.\n"),
        (click.FileError("a.csv", "is gone"), 1, "Could not open file 'a.csv': is gone\n"),
        (FileNotFoundError(2, "No such file or directory", "a.csv"), 1, "a.csv: No such file or directory.\n"),
        (OSError("odd"), 1, "The system says: odd.\n"),
        (click.Abort(), 1, "Stopped.\n"),
    ],
)  # fmt: skip
def test_a_problem_is_one_sentence(
    problem: Exception, status: int, said: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    raising(monkeypatch, problem)
    assert run("boom") == (status, "", said)


def test_ctrl_c_is_no_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    raising(monkeypatch, KeyboardInterrupt())
    answer = run("boom")
    assert (answer.status, answer.err.strip()) == (1, "Stopped.")


def test_a_mistake_of_ours_is_one_sentence_too(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    raising(monkeypatch, ZeroDivisionError("by\nnothing"))
    answer = run("boom")
    assert_one_line(answer, 1)
    assert "ZeroDivisionError: by nothing" in answer.err


def test_what_a_command_returns_is_no_error(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(netzlage.commands, "fine", click.Command("fine", callback=lambda: "some value"))
    assert run("fine") == (0, "", "")


def _script(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_a_reader_that_goes_away_hears_no_complaint() -> None:
    code = (
        "import click\nfrom aggregator.cli import main, netzlage\n"
        "def talk():\n    for n in range(50_000): click.echo(f'line {n}')\n"
        "netzlage.add_command(click.Command('talk', callback=talk))\nmain(['talk'])"
    )
    with subprocess.Popen(_script(code), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "line 0\n"
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1


def test_debug_shows_where_it_went_wrong() -> None:
    code = (
        "import click\nfrom aggregator.cli import main, netzlage\n"
        "netzlage.add_command(click.Command('boom', callback=lambda: 1 / 0))\nmain(['--debug', 'boom'])"
    )
    done = subprocess.run(_script(code), capture_output=True, text=True, check=False, env=dict(os.environ))
    assert done.returncode == 1
    assert "Traceback" in done.stderr
