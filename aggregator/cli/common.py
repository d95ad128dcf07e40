"""What the commands share: opening an instance, and a bar for long work. I/O."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from aggregator.clock import Clock, SystemClock
from aggregator.instance import Instance, open_instance
from aggregator.settings import Settings, load_settings

M_MMAP_THRESHOLD: Final = -3  # of glibc's malloc.h
M_ARENA_MAX: Final = -8
ARENAS: Final = 1
LARGE: Final = 128 << 10  # bytes


@dataclass(frozen=True, slots=True)
class Options:
    """The options before the command's name."""

    config: Path | None

    def settings(self, **overrides: Any) -> Settings:
        """Read the settings; `overrides` come before the environment."""
        return load_settings(self.config, os.environ, overrides=overrides)

    def open(self, clock: Clock | None = None, **overrides: Any) -> Instance:
        """Open the instance that the settings describe, on the system's clock unless another is given.

        Its store is closed at the end of the command.
        """
        instance = open_instance(self.settings(**overrides), clock or SystemClock())
        click.get_current_context().call_on_close(instance.store.close)
        return instance

    @contextmanager
    def opened(self) -> Iterator[Instance]:
        """Give the instance that the settings describe, its store closed at the end of the block."""
        instance = self.open()
        try:
            yield instance
        finally:
            instance.store.close()


def settle() -> None:
    """Take everything loaded so far out of the garbage collector's walks, for a process that runs for weeks.

    Facts, routes and templates stay as long as it does. To walk them took a tenth of a second each time, in the middle
    of a page or of a detection pass.
    """
    gc.collect()
    gc.freeze()
    _share_memory()
    give_back()


def _share_memory() -> None:
    """Let the threads share what was freed; else glibc keeps a heap for each, of which the others get nothing."""
    _set(M_ARENA_MAX, ARENAS)


def stay_small() -> None:
    """Let large blocks lie by themselves, gone when they are freed; else glibc makes room for more such in its heap.

    For a site, whose large blocks are answers; to sums over arrays it would be a brake.
    """
    _set(M_MMAP_THRESHOLD, LARGE)


def _set(option: int, value: int) -> None:
    with suppress(AttributeError, OSError, TypeError):  # another C library, another system
        ctypes.CDLL(None).mallopt(option, value)


def give_back() -> None:
    """Give what was freed back to the system, where it lies between what is in use, too: glibc itself does not."""
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def progress(items: Iterable[Any], label: str, length: int | None = None) -> Any:
    """Return a context manager over `items` that draws a bar on standard error if that is a terminal."""
    hidden = not sys.stderr.isatty()
    return click.progressbar(items, length=length, label=label, file=sys.stderr, hidden=hidden)
