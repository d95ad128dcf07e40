"""The house rules as tables: which module is in which layer, where each package of others is at home."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

# Each layer may import its own and those above it in this table. "name.*" is a package with all that is in it.
# A new module: put its name into the lowest layer (nearest to the top of this table) that it can do with.
LAYERS: Final[Mapping[str, tuple[str, ...]]] = {
    "words": (
        "aggregator",
        "aggregator.model",
        "aggregator.feedmodel",
        "aggregator.frames",
        "aggregator.record",
        "aggregator.notices",
        "aggregator.errors",
        "aggregator.clock",
        "ingest",
    ),
    "pure": (
        "aggregator.areacodes",
        "aggregator.importing",
        "aggregator.exported",
        "aggregator.cleaning",
        "aggregator.normalise",
        "aggregator.once",
        "aggregator.persons",
        "aggregator.places",
        "aggregator.placenames",
        "aggregator.points",
        "aggregator.verdict",
        "aggregator.redact",
        "aggregator.spelling",
        "aggregator.detect.*",
        "aggregator.draw.*",
        "aggregator.export.*",
        "ingest.parsers.*",
        "ingest.posts",
        "ingest.text.*",
        "ingest.resolve",
        "aggregator.outbound.pace",
        "ingest.judge",
        "ingest.kept",
        "ingest.scenario",
        "ingest.events",
    ),
    "I/O": (
        "aggregator.settings",
        "aggregator.catalogue",
        "aggregator.factfiles",
        "aggregator.geocode",
        "aggregator.store.*",
        "aggregator.health",
        "aggregator.outbound.*",
        "aggregator.alert.*",
        "aggregator.imprint",
        "aggregator.instance",
        "aggregator.keyring",
        "aggregator.calibration",
        "aggregator.tables",
        "aggregator.witnesses",
        "aggregator.reportfile",
    ),
    "joins": (
        "aggregator.whereabouts",
        "aggregator.pipeline",
        "aggregator.refresh",
        "aggregator.freeze",
        "aggregator.proofs",
        "aggregator.retention",
        "aggregator.balance",
        "aggregator.backups",
        "aggregator.history.*",
        "aggregator.downloads",
        "aggregator.dayfiles",
        "aggregator.words",
    ),
    "outer": (
        "aggregator.web.*",
        "ingest.feed",
        "ingest.again",
        "ingest.asking",
        "ingest.downdetector",
        "ingest.earlier",
        "ingest.fetch",
        "ingest.mastodon",
        "ingest.paged",
        "ingest.runner",
        "ingest.replay",
        "ingest.scheduler",
        "ingest.steadfast",
        "ingest.demo",
    ),
    "commands": ("aggregator.cli.*",),
}

# Where a package of others may be imported; () = everywhere. A new dependency gets its line here.
HOMES: Final[Mapping[str, tuple[str, ...]]] = {
    "alembic": ("aggregator.store.*",),
    "apscheduler": ("ingest.scheduler", "ingest.steadfast"),
    "babel": ("aggregator.web.*",),
    "brotli": ("aggregator.web.cache",),
    "click": ("aggregator.cli.*",),
    "dask": ("aggregator.history.*",),
    "distributed": ("aggregator.history.*",),
    "defusedxml": ("ingest.parsers.*",),
    "feedparser": ("ingest.parsers.rss",),
    "flask": ("aggregator.web.*",),
    "flask_limiter": ("aggregator.web.limits",),
    "limits": ("aggregator.web.limits", "aggregator.web.shared", "aggregator.web.steady"),
    "flask_babel": ("aggregator.web.*",),
    "geopy": ("aggregator.geocode",),
    "holidays": ("aggregator.detect.*",),
    "jinja2": ("aggregator.web.*",),
    "markupsafe": ("aggregator.web.*",),
    "numpy": (),
    "pandas": (),
    "prometheus_client": ("aggregator.web.*",),
    "platformdirs": ("aggregator.settings",),
    "pyarrow": ("aggregator.export.*", "aggregator.history.*"),
    "rapidfuzz": ("aggregator.placenames",),
    "protego": ("aggregator.outbound.manners",),
    "redis": ("aggregator.web.shared",),
    "requests": ("aggregator.outbound.client", "aggregator.outbound.guarded"),
    "resvg_py": ("aggregator.draw.*",),
    "markdown": ("aggregator.web.texts",),
    "scipy": ("aggregator.detect.*",),
    "shapely": ("aggregator.places", "aggregator.catalogue", "aggregator.factfiles"),
    "sqlalchemy": ("aggregator.store.*",),
    "urllib3": ("aggregator.outbound.client", "aggregator.outbound.guarded"),
    "waitress": ("aggregator.cli.*",),
    "werkzeug": ("aggregator.web.*",),
}

BROAD_EXCEPTS: Final = ("ingest.runner", "aggregator.cli")  # the feed shell and the command's last resort: one each
LOADS: Final = "aggregator.cli.lazy"  # a command when it is asked for, by its name
CLOCK: Final = "aggregator.clock"
STOPWATCHES: Final = (
    CLOCK,
    "aggregator.cli.channel",
    "aggregator.cli.crew",
    "aggregator.cli.server",
    "aggregator.outbound.client",
    "aggregator.outbound.guard",
    "aggregator.outbound.manners",
    "aggregator.store.intake",
    "aggregator.store.knock",
    "aggregator.web.cache",
    "aggregator.web.meter",
    "aggregator.web.shared",
    "aggregator.web.steady",
    "ingest.scheduler",
)  # may measure how long something took
TIME_CALLS: Final = {
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
    "Timestamp": {"now", "utcnow", "today"},
    "time": {"time", "time_ns", "localtime", "gmtime", "ctime"},
}
STOPWATCH_CALLS: Final = {"monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns"}
NOT_PURE: Final = {
    "os", "socket", "ssl", "sqlite3", "subprocess", "shutil", "tempfile", "urllib.request", "http.client",
    "http.server", "threading", "multiprocessing", "random", "secrets",
}  # fmt: skip
FILE_CALLS: Final = {"open", "read_text", "read_bytes", "write_text", "write_bytes", "mkdir", "unlink"}
MAX_LINES: Final = 320
MAX_FUNCTION: Final = 50
LISTS: Final = ("aggregator.store.migrations.*",)  # a schema is a list, not a thought: its functions may be long
