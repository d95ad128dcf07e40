"""The tables and kinds of columns in words for readers. Pure but for the reader's language."""

from __future__ import annotations

from typing import Final

from flask_babel import lazy_gettext

NAMES: Final = {
    "reports": (lazy_gettext("Meldungen"), lazy_gettext("Jede Meldung einzeln, ohne Angaben zur Person.")),
    "cube": (lazy_gettext("Zählung"), lazy_gettext("Meldungen je Anbieter, Dienst, Kreis und fünf Minuten.")),
    "incidents": (lazy_gettext("Vorfälle"), lazy_gettext("Auffällige Häufungen mit Beginn, Ort und Wertung.")),
    "statements": (lazy_gettext("Aussagen"), lazy_gettext("Was Anbieter sagen oder gesagt haben sollen.")),
    "coverage": (
        lazy_gettext("Abdeckung"),
        lazy_gettext("Welcher Teil der üblichen Quellen eines Anbieters gehört wurde."),
    ),
}
LISTED: Final = {  # only in the API
    "hotspots": lazy_gettext("Auffällige Orte der letzten Auswertung"),
    "providers": lazy_gettext("Anbieter"),
    "services": lazy_gettext("Dienste"),
    "regions": lazy_gettext("Kreise und Länder"),
    "feeds": lazy_gettext("Quellen und ihr letzter Abruf"),
    "record": lazy_gettext("Bilanz"),
}
TYPES: Final = {
    "text": lazy_gettext("Text"),
    "time": lazy_gettext("Zeit"),
    "number": lazy_gettext("Zahl"),
    "integer": lazy_gettext("ganze Zahl"),
    "truth": lazy_gettext("wahr oder falsch"),
    "list": lazy_gettext("Liste"),
}
FILES: Final = {"csv": "CSV", "excel": lazy_gettext("für Excel"), "parquet": "Parquet", "geojson": "GeoJSON"}
