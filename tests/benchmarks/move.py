"""A store in use moves from SQLite to PostgreSQL: `python -m tests.benchmarks.move [--reports N] [--kills K]`.

The store holds N reports of 30 days, an eighth with a comment, and 2,000 rows in every other table. It moves twice: at
a stretch, timed; and while another process stores 20 reports a second, killed with SIGKILL K times in the middle of a
step and continued. After each: the rows of every table, the sum of the cube, a checksum of every table and the
incidents of both databases against each other, and every report that was acknowledged meanwhile. The rival of the time:
COPY of the same rows, ready as text, into an empty database of the same schema.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Connection, Table, text

from aggregator.errors import StoreError
from aggregator.store import Store, open_store, partitions, reports
from aggregator.store.copying import move, rows
from aggregator.store.moved import FILLING
from tests.making import report
from tests.postgres import Server
from tests.store import filling

BEGIN = 1_780_000_000_000_000  # microseconds: the first report
MONTH = 30 * 86_400_000_000
FILL = """
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < :number - 1)
INSERT INTO reports (observed_at, report_id, source, reporter, block, provider, service, symptom, region, plz,
                     place_source, lat, lon, began_at, received_at, counted)
SELECT :begin + i * :gap, printf('%016x-%d', i * 7919 % 1000003 * 4294967311, i), 'form', printf('%024x', i * 104729),
       printf('~%012d', i % 9999), 'provider' || (i % 40), 'service' || (i % 9), '', printf('%05d', 1000 + i % 400),
       printf('%05d', 10000 + i % 8000), 'plz', NULL, NULL, :begin + i * :gap - 60000000, :begin + i * :gap, i % 20 > 0
FROM n
"""
REST = (
    "INSERT INTO seen SELECT report_id FROM reports",
    "INSERT INTO comments SELECT report_id, 'seit heute frueh geht hier gar nichts mehr ' || observed_at FROM reports"
    " WHERE observed_at / :gap % 8 = 0",
    "INSERT INTO cube SELECT region, observed_at - observed_at % 300000000, provider, service, source, count(*)"
    " FROM reports WHERE counted GROUP BY 1, 2, 3, 4, 5",
)
MADE = {"reports", "seen", "comments", "cube"}
OTHERS = 2000
MOVE = [sys.executable, "-c", "from aggregator.cli import main; main()", "migrate-store"]
WRITER = [sys.executable, "-m", "tests.benchmarks.move", "--write"]


def make(url: str, number: int) -> None:
    """Fill a store past the door."""
    store = open_store(url)
    values = {"number": number, "begin": BEGIN, "gap": MONTH // number}
    with store.write() as connection:
        for statement in (FILL, *REST):
            connection.execute(text(statement), {k: v for k, v in values.items() if f":{k}" in statement})
        filling.fill(connection, (table for table in rows.TABLES if table.name not in MADE), range(OTHERS))
    store.close()


def write(url: str) -> None:
    """Store reports until the database has moved, and print the id of each one that was acknowledged."""
    store = open_store(url)
    for number in count():
        name = f"live-{os.getpid()}-{number}"
        try:
            with store.write() as connection:
                reports.add(connection, [report(name, number / 60, reporter=name, comment=f"live {number}")])
        except StoreError as error:
            print(f"told: {error}", flush=True)
            return
        print(name, flush=True)
        time.sleep(0.05)


def differences(old: Store, new: Store) -> list[str]:
    """Return the tables that differ in number or checksum, and the sum of the cube and the incidents if these do."""
    with old.read() as one, new.read() as other:
        found = [t.name for t in rows.TABLES if told(one, t) != told(other, t)]
        found += ["sums"] if rows.sums(one) != rows.sums(other) else []
        query = text("SELECT incident_id, state, reports, expected, score FROM incidents ORDER BY incident_id")
        return found + (["incidents"] if one.execute(query).all() != other.execute(query).all() else [])


def told(connection: Connection, table: Table) -> tuple[int, str]:
    """Return number and checksum of the rows of `table`."""
    return rows.count(connection, table), rows.checksum(connection, table, lambda _more: None)


def rival(server: Server, filled: str) -> float:
    """Return the seconds that COPY needs for the same rows, ready as text, in one transaction."""
    url = server.fresh("rival")
    with psycopg.connect(plain(filled)) as source:
        days = source.execute("SELECT DISTINCT date_trunc('day', received_at) FROM reports").fetchall()
        ready = [(table.name, _ready(source, table.name)) for table in rows.TABLES]
    store = open_store(url)
    with store.write() as connection:
        partitions.make(connection, [day for (day,) in days])
    store.close()
    start = time.monotonic()
    with psycopg.connect(plain(url)) as target:
        for name, pieces in ready:
            with target.cursor().copy(f"COPY {name} FROM STDIN") as copy:
                for piece in pieces:
                    copy.write(piece)
    return time.monotonic() - start


def _ready(source: psycopg.Connection[Any], name: str) -> list[bytes]:
    with source.cursor().copy(f"COPY (SELECT * FROM {name}) TO STDOUT") as copy:
        return [bytes(piece) for piece in copy]


def plain(url: str) -> str:
    """Return a URL as PostgreSQL's own programs write it."""
    return url.replace("+psycopg", "")


def at_a_stretch(server: Server, source: str) -> tuple[str, float, list[str]]:
    """Move without a kill; return where to, the seconds, and what differs."""
    url = server.empty("stretch")
    start = time.monotonic()
    subprocess.run([*MOVE, source, url], check=True)
    seconds = time.monotonic() - start
    return url, seconds, compared(source, url)


def compared(source: str, target: str) -> list[str]:
    """Return what differs, once it has moved."""
    old, new = open_store(source, moving=True), open_store(target)
    try:
        return differences(old, new)
    finally:
        old.close()
        new.close()


def killed(server: Server, source: str, kills: int, chance: random.Random) -> tuple[int, int, list[str]]:
    """Move while another process writes, killed again and again; return kills, acknowledged reports, differences."""
    url, done = server.fresh("killed"), 0
    writer = subprocess.Popen([*WRITER, source], stdout=subprocess.PIPE, text=True)
    for _ in range(kills):
        mover = subprocess.Popen([*MOVE, source, url])
        if after_some_steps(server, mover, chance):
            done += 1
            print(f"  killed at {progress(server)}", flush=True)
    subprocess.run([*MOVE, source, url], check=True)
    said = writer.communicate(timeout=60)[0].splitlines()
    kept = {name for name in said if name.startswith("live-")}
    wrong = compared(source, url) + lost(url, kept)
    if not any("has moved to" in line for line in said):
        wrong.append("the writer was not told")
    return done, len(kept), wrong


def after_some_steps(server: Server, mover: subprocess.Popen[bytes], chance: random.Random) -> bool:
    """Kill `mover` in the middle of a step, after one to four that it noted; say whether it was still there to kill."""
    wanted, seen = chance.randint(1, 4), {progress(server)}
    while mover.poll() is None and len(seen) <= wanted:
        time.sleep(0.02)  # nothing tells when it notes a step
        seen.add(progress(server))
    time.sleep(chance.uniform(0, 0.5))
    mover.send_signal(signal.SIGKILL)
    return mover.wait() == -signal.SIGKILL


def progress(server: Server) -> str:
    """Return how far the move is: tables done, key in the next one, changes seen."""
    said = server.ask(f"SELECT value FROM meta WHERE name = '{FILLING}'", "killed")
    if not said:
        return "nothing yet, or its end"
    values = json.loads(str(said[0][0]))
    return f"{len(values['done'])} tables, {values['last']} in the next, {values['seen']} changes"


def lost(url: str, kept: set[str]) -> list[str]:
    """Return which acknowledged reports are not there, or are there that nobody was told of."""
    with psycopg.connect(plain(url)) as target:
        there = {row[0] for row in target.execute("SELECT report_id FROM reports WHERE report_id LIKE 'live-%'")}
    return [f"{len(there ^ kept)} reports lost or of nobody"] if there != kept else []


def main() -> None:
    """Move twice and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reports", type=int, default=1_000_000)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", metavar="URL", help="be the other process")
    chosen = parser.parse_args()
    if chosen.write:
        write(chosen.write)
        return
    with tempfile.TemporaryDirectory() as folder, Server({}) as server:
        source = f"sqlite:///{Path(folder) / 'netzlage.sqlite'}"
        make(source, chosen.reports)
        target, seconds, wrong = at_a_stretch(server, source)
        ready = rival(server, target)
        for name in ("rival", "stretch"):
            server.drop(name)
        move.give_up(source)
        kills, kept, also_wrong = killed(server, source, chosen.kills, random.Random(chosen.seed))
    print("| | reports | seconds | differences |\n|---|---|---|---|")
    print(f"| at a stretch, compared | {chosen.reports:,} | {seconds:.1f} | {', '.join(wrong) or 'none'} |")
    print(f"| COPY of the same rows, ready | {chosen.reports:,} | {ready:.1f} (1 : {seconds / ready:.1f}) | |")
    print(f"| killed {kills} times, {kept:,} reports meanwhile | | | {', '.join(also_wrong) or 'none'} |")
    sys.exit(bool(wrong or also_wrong))


if __name__ == "__main__":
    main()
