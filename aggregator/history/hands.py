"""Who does the work: this process, more of this machine, or a Dask cluster by its address. The home of Dask. I/O."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from multiprocessing import forkserver
from types import ModuleType
from typing import Any, Final, Protocol

from aggregator.errors import DataError, SettingsError

PATIENCE: Final = 10  # seconds for a scheduler to answer
LOST: Final = "a process that was at work for us is gone; what is done is kept: run the same command again to go on."
# Processes here are copies of one that has loaded Dask, keep memory that they need again, and have one thread.
COPIED: Final = sys.platform != "win32"
OF_COPIES: Final = {
    "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
    "PYTHONHASHSEED": "6640",  # any, but the same in all
}  # fmt: skip
LOCAL: Final = {
    "distributed.worker.multiprocessing-method": "forkserver" if COPIED else "spawn",
    "distributed.nanny.pre-spawn-environ": OF_COPIES,
    "distributed.worker.profile.enabled": False,
    # What it measures of itself many times a second took more of the handing process than handing out.
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "60s",
    "distributed.worker.memory.monitor-interval": "1s",
}


class Hands(Protocol):
    """Does work now or later. `width`: how many pieces at once; a handle that `submit` gave may be an argument."""

    width: int

    def submit(self, work: Callable[..., Any], *given: Any, first: int = 0, at: int = 0) -> Any:
        """Return a handle of `work(*given)`. first: the lower the sooner; at: whose turn it is."""

    def results(self, handles: Sequence[Any]) -> list[Any]:
        """Return what the handles stand for, in their order. Raises what the work has raised."""

    def share(self, value: Any) -> Any:
        """Return a handle of a value that all need."""


class Alone:
    """This process: everything is done when it is asked for."""

    width: int = 1

    def submit(self, work: Callable[..., Any], *given: Any, first: int = 0, at: int = 0) -> Any:
        """Do the work."""
        del first, at
        return work(*given)

    def results(self, handles: Sequence[Any]) -> list[Any]:
        """Return the values."""
        return list(handles)

    def share(self, value: Any) -> Any:
        """Return the value."""
        return value


class Many:
    """The workers of a Dask cluster."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._workers = sorted(client.scheduler_info(n_workers=-1)["workers"])
        self.width = len(self._workers)

    def submit(self, work: Callable[..., Any], *given: Any, first: int = 0, at: int = 0) -> Any:
        """Hand the work to the worker whose turn it is, or to another that is free."""
        turn = self._workers[at % self.width]
        return self._client.submit(work, *given, pure=False, priority=-first, workers=[turn], allow_other_workers=True)

    def results(self, handles: Sequence[Any]) -> list[Any]:
        """Wait for the handles and fetch what they stand for."""
        return list(self._client.gather(list(handles)))

    def share(self, value: Any) -> Any:
        """Send the value to all workers once."""
        return self._client.scatter(value, broadcast=True)


@contextmanager
def hands(processes: int, scheduler: str = "", *, work: str = "aggregator.history.replay") -> Iterator[Hands]:
    """Give whoever does the work: one process is this one, more are started here unless a scheduler has them.

    work: the module of what they will be given. SettingsError: Dask is not installed, or nobody answers at the address.
    """
    if processes == 1 and not scheduler:
        yield Alone()
        return
    if not scheduler:
        _load_ahead(work)
    try:
        import dask.config  # noqa: PLC0415 # optional extra: history
        from distributed import Client, LocalCluster  # noqa: PLC0415 # optional extra: history
        from distributed.client import FutureCancelledError  # noqa: PLC0415 # optional extra: history
        from distributed.scheduler import KilledWorker  # noqa: PLC0415 # optional extra: history
    except ImportError:
        raise SettingsError("Several processes need Dask; install it with `pip install 'netzlage[history]'`.") from None
    for name in ("distributed", "asyncio"):  # at Ctrl-C they tell of each thing that was not finished
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    with (
        dask.config.set(LOCAL),
        _cluster(LocalCluster, processes, scheduler) as cluster,
        _client(Client, cluster) as client,
    ):
        try:
            yield Many(client)
        except (KilledWorker, FutureCancelledError, ConnectionError, TimeoutError):
            raise DataError(LOST) from None


def _load_ahead(work: str) -> None:
    """Have the process of which the others will be copies load what they need while this one loads Dask."""
    if COPIED:
        os.environ.update(OF_COPIES)  # as Dask does
        forkserver.set_forkserver_preload(["distributed", work])
        forkserver.ensure_running()


@contextmanager
def _cluster(local: Any, processes: int, scheduler: str) -> Iterator[Any]:
    if scheduler:
        yield scheduler
        return
    with ExitStack() as open_until_the_end:
        with _nothing_to_import():
            cluster = open_until_the_end.enter_context(
                local(
                    n_workers=processes,
                    host="127.0.0.1",
                    threads_per_worker=1,
                    processes=True,
                    dashboard_address="127.0.0.1:0",  # never a port that others may have
                    silence_logs=logging.CRITICAL,
                )
            )
        yield cluster


@contextmanager
def _nothing_to_import() -> Iterator[None]:
    """Start processes that import what they are given to do; else each would first import the whole program."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextmanager
def _client(client: Any, at: Any) -> Iterator[Any]:
    try:
        found = client(at, timeout=PATIENCE, set_as_default=True)
    except (OSError, TimeoutError, ValueError) as error:
        raise SettingsError(f"No Dask scheduler answers at {at} ({error}); start one with `dask scheduler`.") from None
    with found:
        found.wait_for_workers(1, timeout=PATIENCE)
        yield found
