"""How waitress speaks to a reader: the connection stays open after a 304 too. I/O."""

from __future__ import annotations

from typing import Final

from waitress.channel import HTTPChannel
from waitress.task import WSGITask

BODILESS: Final = ("204", "304")  # may have no Content-Length, and need none: they end with their headers


class Task(WSGITask):  # type: ignore[misc]
    """Answers one request. Its parent closes the connection after any answer without a Content-Length."""

    def set_close_on_finish(self) -> None:
        """Close after this answer, unless it has no body anyway and the reader wants to go on."""
        asked = self.request.headers.get("CONNECTION", "").lower()
        if self.version != "1.1" or asked == "close" or not str(getattr(self, "status", "")).startswith(BODILESS):
            super().set_close_on_finish()


class Channel(HTTPChannel):  # type: ignore[misc]
    """One connection, its requests answered by `Task`."""

    task_class = Task
