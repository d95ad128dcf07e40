"""The columns of the lists that only the API has, and every table and list by name: what may be asked for. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from aggregator.export.columns import PROVIDER, RECORD, REGION, SERVICE, SIMULATED, TABLES, Column


def _text(name: str, de: str, en: str) -> Column:
    return Column(name, "text", de, en)


PROVIDERS: Final = (
    _text("id", "Kennung", "id"),
    _text("name", "Name", "name"),
    Column("services", "list", "Dienste, die er anbietet", "services that it sells"),
    Column("footprint", "list", "Anfänge der AGS, wo er anbietet; leer: überall", "where it sells (AGS); empty: all"),
    Column("asns", "list", "Autonome Systeme", "autonomous systems"),
    _text("website", "Website", "website"),
    _text("fault_line", "Störungsnummer", "fault line"),
    _text("press_contact", "Pressestelle", "press contact"),
    Column("listed", "truth", "Wahr: im Verzeichnis", "true: in the catalogue"),
    Column("fictitious", "truth", "Wahr: erfunden", "true: invented"),
    SIMULATED,
)
SERVICES: Final = (
    _text("id", "Kennung", "id"),
    _text("name_de", "Name", "German name"),
    _text("name_en", "Name (englisch)", "English name"),
    Column("symptoms", "list", "Kennungen der Symptome", "ids of the symptoms"),
    SIMULATED,
)
REGIONS: Final = (
    _text("region", "AGS: Kreis fünf Stellen, Land zwei", "AGS: district five digits, Land two"),
    _text("name", "Name", "name"),
    _text("parent", "Land; leer: ist selbst eines", "Land; empty: is one itself"),
    Column("lat", "number", "Geografische Breite der Mitte", "latitude of its middle"),
    Column("lon", "number", "Geografische Länge der Mitte", "longitude of its middle"),
    Column("population", "integer", "Einwohner", "population"),
    SIMULATED,
)
FEEDS: Final = (
    _text("source", "Quelle", "source"),
    _text("kind", "Art", "kind"),
    _text("outcome", "Ergebnis des letzten Abrufs", "outcome of the last run"),
    Column("started_at", "time", "Beginn des letzten Abrufs (UTC)", "start of the last run (UTC)"),
    Column("finished_at", "time", "Ende des letzten Abrufs (UTC)", "end of the last run (UTC)"),
    Column("last_ok", "time", "Zuletzt gehört (UTC)", "last heard (UTC)"),
    Column("listened_until", "time", "Gehört bis (UTC)", "listened until (UTC)"),
    Column("fetched", "integer", "Geholt", "fetched"),
    Column("kept", "integer", "Behalten", "kept"),
    Column("duplicate", "integer", "Schon bekannt", "known already"),
    Column("rejected", "integer", "Abgelehnt", "rejected"),
    SIMULATED,
)
HOTSPOTS: Final = (
    Column("at", "time", "Zeit der Auswertung (UTC)", "time of the look (UTC)"),
    PROVIDER,
    SERVICE,
    replace(REGION, name="zone"),
    _text("zone_name", "Name", "name"),
    Column("regions", "list", "Kreise (AGS); leer: bundesweit", "districts (AGS); empty: national"),
    Column("start", "time", "Beginn (UTC)", "start (UTC)"),
    Column("end", "time", "Ende (UTC)", "end (UTC)"),
    Column("observed", "integer", "Meldungen", "reports"),
    Column("expected", "number", "Übliche Meldungen", "reports usual in that time"),
    Column("score", "number", "Wertung", "score"),
    SIMULATED,
)

EVERY: Final[Mapping[str, tuple[Column, ...]]] = {
    **TABLES,
    "hotspots": HOTSPOTS,
    "providers": PROVIDERS,
    "services": SERVICES,
    "regions": REGIONS,
    "feeds": FEEDS,
    "record": RECORD,
}
