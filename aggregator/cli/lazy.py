"""A group that loads a command when it is asked for: none waits for, and holds in memory, what the others need. I/O."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click


class LazyGroup(click.Group):
    """A group of commands. homes: by name, where each is: "module:attribute"."""

    def __init__(self, *given: Any, homes: Mapping[str, str], **more: Any) -> None:
        super().__init__(*given, **more)
        self._homes = homes

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all, loaded or not."""
        return sorted({*self._homes, *self.commands})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, loaded if need be; None: there is none of that name."""
        if cmd_name not in self.commands and cmd_name in self._homes:
            module, _, attribute = self._homes[cmd_name].partition(":")
            self.add_command(getattr(import_module(module), attribute), cmd_name)
        return super().get_command(ctx, cmd_name)
