"""The one place that sets logging up: sentences for people, or a line of JSON an event for programs. I/O."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, Final

from aggregator.settings import Settings
from aggregator.web.meter import request_id

SAID: Final = ("route", "method", "status", "seconds")  # what a line may say beside its words
TEXT: Final = "%(levelname)s %(name)s: %(message)s"


class AsJson(logging.Formatter):
    """An event as one line: time (UTC), level, logger, message, and where there are such request, route, exception."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        said: dict[str, Any] = {"time": at, "level": record.levelname.lower(), "logger": record.name,
                                "message": record.getMessage()}  # fmt: skip
        if request_id.get():
            said["request"] = request_id.get()
        said |= {name: getattr(record, name) for name in SAID if hasattr(record, name)}
        if record.exc_info:
            said["exception"] = self.formatException(record.exc_info)
        return json.dumps(said, ensure_ascii=False)


def set_up(settings: Settings, *, debug: bool = False) -> None:
    """Log to standard error as the settings say; debug: everything, whatever they say."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(AsJson() if settings.log_format == "json" else logging.Formatter(TEXT))
    logging.basicConfig(level="DEBUG" if debug else settings.log_level.upper(), handlers=[handler], force=True)
