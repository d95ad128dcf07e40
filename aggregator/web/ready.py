"""/daten/tage: closed days as ready files, with their checksums. I/O."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from datetime import date
from itertools import groupby
from typing import Final

from flask import Blueprint, Response, abort, make_response, render_template, request, send_file
from flask_babel import format_date, format_decimal

from aggregator.dayfiles import folder_of
from aggregator.export import FORMATS
from aggregator.history.folder import DayFile, known
from aggregator.web.answers import described
from aggregator.web.desk import instance
from aggregator.web.tables import NAMES

PACKED: Final = "application/gzip"
FOREVER: Final = "public, max-age=31536000, immutable"  # asked for by its checksum: another file has another address
LONG: Final = "public, max-age=3600"
SUMS: Final = "SHA256SUMS"
blueprint = Blueprint("ready", __name__)


@blueprint.get("/daten/tage")
def listed() -> str:
    """List the closed days, the newest first."""
    return render_template("tage.html", days=by_day(), names=NAMES, sums=f"/daten/tage/{SUMS}")


def by_day(most: int | None = None) -> list[tuple[date, list[DayFile]]]:
    """Return the ready files of each day, the newest day first; most: of so many days."""
    files = known(folder_of(instance())).values()
    days = [(date.fromisoformat(day), list(some)) for day, some in groupby(files, key=lambda file: file.day)]
    return days[:most]


@blueprint.app_template_filter("ready")
def address(file: DayFile) -> str:
    """Return the address of just this version of a file."""
    return f"/daten/tage/{file.name}?v={file.sha256[:12]}"


@blueprint.app_template_filter("day")
def day_in_words(day: date) -> str:
    """Return a day as the reader writes it, with the day of the week."""
    return str(format_date(day, "full"))


@blueprint.app_template_filter("bytes")
def size_in_words(size: int) -> str:
    """Return a size in kilobytes or megabytes."""
    if size < 1_000_000:
        return f"{format_decimal(max(1, round(size / 1000)))} kB"
    return f"{format_decimal(round(size / 1_000_000, 1))} MB"


@blueprint.get(f"/daten/tage/{SUMS}")
def sums() -> Response:
    """Answer the checksums as `sha256sum -c` reads them."""
    lines = [f"{file.sha256}  {file.name}\n" for file in known(folder_of(instance())).values()]
    return make_response("".join(lines), 200, {"Content-Type": "text/plain; charset=utf-8"})


@blueprint.get("/daten/tage/<name>")
def take(name: str) -> Response:
    """Send a ready file; it may be asked for in parts, and comes with its checksum."""
    folder = folder_of(instance())
    file = known(folder).get(name)
    if file is None or not (folder / name).is_file():
        abort(404)
    media = PACKED if file.kind == "csv" else FORMATS[file.kind].media_type
    response = send_file(folder / name, mimetype=media, as_attachment=True, download_name=f"netzlage-{_marked(name)}",
                         etag=file.sha256)  # fmt: skip
    response.headers.update(_told(file))
    return response


def _marked(name: str) -> str:
    return f"SIMULATION-{name}" if instance().clock.simulated else name


def _told(file: DayFile) -> Mapping[str, str]:
    exact = request.args.get("v", "") == file.sha256[:12]
    return {
        "Cache-Control": FOREVER if exact else LONG,
        "Repr-Digest": f"sha-256=:{b64encode(bytes.fromhex(file.sha256)).decode()}:",
        "Link": described(file.table),
    }
