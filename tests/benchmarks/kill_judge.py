"""What a store holds after hard kills, against what was acknowledged: for `kill`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sized
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from aggregator.model import Filter
from aggregator.normalise import id_of_key
from aggregator.once import ONCE_IN
from aggregator.store import Store, cube, incidents
from aggregator.store.schema import hotspots, incident_versions, seen, ticks, transitions
from aggregator.store.schema import reports as reports_table


def judge(store: Store, sent: Collection[str], acknowledged: Collection[str], wrong: Sized) -> dict[str, object]:
    """Count what the store holds against what was acknowledged; each value but the first five has to be 0 or ok."""
    with store.read() as connection:
        columns = ["report_id", "reporter", "provider", "service", "observed_at", "counted"]
        rows = connection.execute(select(*(reports_table.c[name] for name in columns))).all()
        ids = Counter(row.report_id for row in rows)
        mine = {id_of_key("api", uid): uid for uid in sent}
        stored = {uid for report_id, uid in mine.items() if report_id in ids}
        cells = int(cube.frame(connection, Filter())["count"].sum())
        claimed = set(connection.execute(select(seen.c.report_id)).scalars())
        found: dict[str, object] = {
            "sent": len(sent), "acknowledged": len(acknowledged), "stored": sum(ids.values()),
            "of the feed": connection.execute(
                select(func.count()).select_from(reports_table).where(reports_table.c.source == "steady")
            ).scalar_one(),
            "incidents": len(incidents.find(connection, Filter())),
            "acknowledged and lost": len(set(acknowledged) - stored),
            "stored twice": sum(number - 1 for number in ids.values()),
            "told to be known and never sent": len(wrong),
            "cube minus counted reports": cells - sum(row.counted for row in rows),
            "seen without a report, or the other way": len(claimed ^ set(ids)),
            "counted twice in six hours": _counted_twice(rows),
            "incidents that contradict themselves": _torn(connection),
        }  # fmt: skip
        if store.is_sqlite:
            found["PRAGMA integrity_check"] = connection.exec_driver_sql("PRAGMA integrity_check").scalar_one()
            found["PRAGMA foreign_key_check"] = len(connection.exec_driver_sql("PRAGMA foreign_key_check").all())
    return found


def _counted_twice(rows: Any) -> int:
    times: dict[tuple[str, str, str], list[datetime]] = {}
    for row in rows:
        if row.counted and row.reporter:
            times.setdefault((row.reporter, row.provider, row.service), []).append(row.observed_at)
    pairs = (pair for some in times.values() for pair in zip(sorted(some), sorted(some)[1:], strict=False))
    return sum(later - earlier < ONCE_IN for earlier, later in pairs)


def _torn(connection: Any) -> int:
    """Count incidents whose last version or last change of state is not what they are now, and looks without a tick."""
    wrong = 0
    for incident in incidents.find(connection, Filter()):
        c, v = transitions.c, incident_versions.c
        states = connection.execute(
            select(c.state).where(c.incident_id == incident.incident_id).order_by(c.at, c.id)
        ).scalars()
        last = connection.execute(select(func.max(v.updated_at)).where(v.incident_id == incident.incident_id)).scalar()
        wrong += (list(states) or [""])[-1] != incident.state or last != incident.updated_at
    orphans = select(func.count()).select_from(hotspots).where(hotspots.c.at.not_in(select(ticks.c.at)))
    return int(wrong + connection.execute(orphans).scalar_one())
