"""A `netzlage` command run inside the test's process, and what it left behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import click
import pytest


class Answer(NamedTuple):
    """What a command left behind."""

    status: object
    out: str
    err: str


Run = Callable[..., Answer]


def commands_of(group: click.Group) -> dict[str, click.Command]:
    """Return the commands of a group by name, loaded."""
    context = click.Context(group)
    found = {name: group.get_command(context, name) for name in group.list_commands(context)}
    return {name: command for name, command in found.items() if command}


def runner(capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs `netzlage` with the words that it is given."""
    from aggregator.cli import main  # noqa: PLC0415 - late: a broken command must not stop the tests of all else

    def call(*words: str) -> Answer:
        with pytest.raises(SystemExit) as left:
            main(list(words))
        return Answer(left.value.code, *capsys.readouterr())

    return call


def assert_one_line(answer: Answer, status: int) -> None:
    """Hold the answer against the contract of errors: its status and one line on standard error."""
    assert answer.status == status
    assert answer.err.endswith("\n")
    assert answer.err.count("\n") == 1
    assert len(answer.err) > 10
    assert "Traceback" not in answer.err
