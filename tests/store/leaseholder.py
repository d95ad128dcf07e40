"""A process that takes a job and writes in its name, for tests that kill it, pause it or cut it off.

python -m tests.store.leaseholder URL SECONDS [within]

Says "mine" when it has the job; then, for each line that it is given, writes and says what became of that. within: it
stays inside of the transaction of its first writing until the next line.
"""

from __future__ import annotations

import sys
from datetime import timedelta

from aggregator.errors import StoreError
from aggregator.store import Store, meta, open_store
from aggregator.store.holder import Holder

JOB = "job"
NAME = "written by"


def main() -> None:
    """Do as told."""
    store = open_store(sys.argv[1])
    with Holder(store, timedelta(seconds=float(sys.argv[2]))) as holder, holder.doing(JOB) as ours:
        print("mine" if ours else "not mine", flush=True)
        if "within" in sys.argv:
            print(write(store, within=True), flush=True)
        for _ in sys.stdin:
            print(write(store), flush=True)
    store.close()


def write(store: Store, *, within: bool = False) -> str:
    """Write in the name of the job and return what became of it."""
    try:
        with store.write() as connection:
            meta.put(connection, NAME, "the first")
            if within:
                print("inside", flush=True)
                sys.stdin.readline()
    except StoreError as error:
        return type(error).__name__
    return "written"


if __name__ == "__main__":
    main()
