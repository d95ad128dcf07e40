"""Every column that leaves the house: its name, its type, what it means. The data dictionary is made of this. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["text", "time", "number", "integer", "truth", "list"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: text, time (UTC), number, integer, truth (true or false) or list (of texts); any may be empty."""

    name: str
    kind: Kind
    de: str
    en: str


PROVIDER = Column("provider", "text", "Anbieter (Kennung)", "provider (id)")
SERVICE = Column("service", "text", "Dienst (Kennung)", "service (id)")
REGION = Column(
    "region",
    "text",
    "Kreis (AGS, fünf Stellen); leer: nicht verortet, zählt nur für das ganze Land",
    "district (AGS, five digits); empty: not located, counts for the nation only",
)
REGION_NAME = Column("region_name", "text", "Name des Kreises", "name of the district")
BUCKET = Column("bucket", "time", "Beginn der fünf Minuten (UTC)", "start of the five minutes (UTC)")
BLIND = Column(
    "blind",
    "truth",
    "Wahr: Weniger als die Hälfte der üblichen Quellen dieses Anbieters wurde gehört; die Zahl sagt dann wenig",
    "true: less than half of the usual sources of this provider was listening; the count then says little",
)
SIMULATED = Column(
    "simulated",
    "truth",
    "Wahr: SIMULATION, keine echten Meldungen",
    "true: SIMULATION, not real reports",
)

# A single report leaves the house with its district and its five minutes: nobody is to be found by it.
REPORTS: Final = (
    Column("report_id", "text", "Kennung der Meldung (Hashwert)", "id of the report (a hash)"),
    Column("source", "text", "Quelle: Feed, form, api oder import", "source: feed, form, api or import"),
    PROVIDER,
    SERVICE,
    Column("symptom", "text", "Was nicht geht, wie die Quelle es nennt", "what fails, as the source calls it"),
    REGION,
    Column(
        "place_source",
        "text",
        "Woher der Ort stammt: plz, place, area_code, coords, ip (geschätzt) oder text",
        "how the place is known: plz, place, area_code, coords, ip (estimated) or text",
    ),
    Column(
        "observed_at", "time", "Zeit der Meldung, auf fünf Minuten (UTC)", "when it was reported, to five minutes (UTC)"
    ),
    Column(
        "began_at",
        "time",
        "Seit wann es laut Meldung besteht, auf fünf Minuten (UTC)",
        "since when, as the report says, to five minutes (UTC)",
    ),
    Column(
        "ended_at",
        "time",
        "Seit wann es wieder geht, auf fünf Minuten (UTC); leer: nichts bekannt",
        "since when it works again, to five minutes (UTC); empty: nothing known",
    ),
    Column(
        "received_at",
        "time",
        "Wann wir davon wussten, auf fünf Minuten (UTC)",
        "when we knew of it, to five minutes (UTC)",
    ),
    Column(
        "counted",
        "truth",
        "Wahr: gezählt; dieselbe Person zählt je Anbieter und Dienst einmal in sechs Stunden",
        "true: counted; the same person counts once per provider and service in six hours",
    ),
    SIMULATED,
)

CUBE: Final = (
    PROVIDER,
    Column("service", "text", "Dienst (Kennung); leer in blinden Zeilen", "service (id); empty in blind rows"),
    REGION,
    BUCKET,
    Column("source", "text", "Quelle; leer in blinden Zeilen", "source; empty in blind rows"),
    Column(
        "count",
        "integer",
        "Gezählte Meldungen; leer: niemand hörte zu, also keine Null. Was fehlt und nicht blind ist, ist 0",
        "counted reports; empty: nobody was listening, which is not zero. What is missing and not blind is 0",
    ),
    Column(
        "expected",
        "number",
        "Übliche Meldungen aller Quellen dieser Zelle zusammen, mal dem gehörten Anteil; leer: blind oder kein Modell",
        "usual reports of all sources of this cell together, times the share heard; empty: blind or no model",
    ),
    Column("variance", "number", "Streuung der Zahl um das Übliche (Varianz)", "variance of the count"),
    BLIND,
    Column(
        "model",
        "text",
        "Fassung der Methode, nach deren Modell dieses Tages expected und variance gelten; leer: keines",
        "version of the method whose model of that day expected and variance are from; empty: none",
    ),
    SIMULATED,
)

COVERAGE: Final = (
    PROVIDER,
    BUCKET,
    Column(
        "share",
        "number",
        "Welcher Teil der üblichen Quellen dieses Anbieters gehört wurde, 0 bis 1",
        "which part of the usual sources of this provider was listening, 0 to 1",
    ),
    BLIND,
    SIMULATED,
)

INCIDENTS: Final = (
    Column("incident_id", "text", "Kennung des Vorfalls, bleibt gleich", "id of the incident, never changes"),
    Column("provider", "text", "Anbieter; all: über alle Anbieter", "provider; all: over all providers"),
    Column("service", "text", "Dienst; all: über alle Dienste", "service; all: over all services"),
    Column("providers", "list", "Beteiligte Anbieter", "providers that take part"),
    Column(
        "pattern",
        "text",
        "Muster: ein oder mehrere Anbieter, regional oder bundesweit",
        "one or several providers, regional or national",
    ),
    Column("scope", "text", "Reichweite: local, regional, national", "scope: local, regional, national"),
    Column("regions", "list", "Kreise (AGS); leer: bundesweit", "districts (AGS); empty: national"),
    Column("onset", "time", "Wahrscheinlichster Beginn (UTC)", "most likely onset (UTC)"),
    Column("onset_earliest", "time", "Frühester Beginn (UTC)", "earliest onset (UTC)"),
    Column("onset_latest", "time", "Spätester Beginn (UTC)", "latest onset (UTC)"),
    Column("first_alarm_at", "time", "Zeit des ersten Hinweises (UTC)", "time of the first alarm (UTC)"),
    Column("updated_at", "time", "Stand (UTC)", "as it stood at (UTC)"),
    Column("ended_at", "time", "Ende (UTC); leer: dauert an", "end (UTC); empty: goes on"),
    Column(
        "state",
        "text",
        "Zustand: suspected auffällig, strong stark auffällig, easing klingt ab, over beendet, withdrawn zurückgezogen",
        "state: suspected, strong, easing, over, withdrawn",
    ),
    Column("reports", "integer", "Meldungen seit Beginn", "reports since the onset"),
    Column("expected", "number", "Übliche Meldungen in dieser Zeit", "reports usual in that time"),
    Column(
        "relative_risk",
        "number",
        "Meldungen durch übliche Meldungen; leer: weniger als eine üblich",
        "reports over usual reports; empty: less than one is usual",
    ),
    Column("score", "number", "Höchste Wertung (Methodik)", "highest score (see the method)"),
    Column(
        "recurrence_weeks",
        "number",
        "Durch Zufall einmal in so vielen Wochen; leer: noch nicht geeicht",
        "by chance once in so many weeks; empty: not calibrated yet",
    ),
    Column(
        "peak_ratio",
        "number",
        "Meldungen durch übliche im Fenster der höchsten Wertung, auch der nach der Veröffentlichung",
        "reports over usual ones in the window of the highest score, those after publication too",
    ),
    Column("cold", "truth", "Wahr: noch keine Vergleichsbasis", "true: no basis for comparison yet"),
    Column(
        "calibrated",
        "truth",
        "Wahr: recurrence_weeks ist am Üblichen dieser Netzlage gemessen; falsch: nach einer mitgelieferten Tabelle",
        "true: recurrence_weeks was measured on the baseline of this Netzlage; false: by a table that came with it",
    ),
    Column("sources", "list", "Quellen der Meldungen, die häufigste zuerst", "sources of the reports, the most first"),
    Column(
        "corrections",
        "list",
        "Berichtigungen, neueste zuerst: Zeit (UTC), withdraw (zurückgezogen) oder note (Nachtrag), Text",
        "corrections, newest first: time (UTC), withdraw or note, text",
    ),
    SIMULATED,
)

STATEMENTS: Final = (
    Column("statement_id", "text", "Kennung der Aussage", "id of the statement"),
    PROVIDER,
    Column("service", "text", "Dienst; all: keiner genannt", "service; all: names none"),
    Column("said_at", "time", "Zeit der Aussage (UTC)", "when it was said (UTC)"),
    Column("quote", "text", "Wortlaut oder Wiedergabe", "the words, or what they said"),
    Column(
        "stance",
        "text",
        "Haltung: acknowledged, partly_acknowledged, denied, resolved, unclear",
        "stance: acknowledged, partly_acknowledged, denied, resolved, unclear",
    ),
    Column(
        "channel",
        "text",
        "Weg: official, hotline_secondhand, press, social",
        "channel: official, hotline_secondhand, press, social",
    ),
    Column("source", "text", "Quelle", "source"),
    Column("link", "text", "Fundstelle", "where it is found"),
    Column("own_words", "truth", "Wahr: nacherzählt, nicht zitiert", "true: retold, not quoted"),
    Column("assumed_time", "truth", "Wahr: Uhrzeit angenommen", "true: the hour is assumed"),
    Column("received_at", "time", "Wann wir davon wussten (UTC)", "when we knew of it (UTC)"),
    Column("expected_end", "time", "Bis wann es laut Aussage dauern soll (UTC)", "until when it is to last (UTC)"),
    Column("incident_id", "text", "Vorfall; leer: ergibt sich aus Anbieter und Zeit", "incident; empty: by its time"),
    Column("enquiry_id", "text", "Anfrage, auf die sie antwortet", "enquiry that it answers"),
    Column(
        "taken_back",
        "text",
        "Wann (UTC) und warum sie zurückgenommen wurde; leer: gilt",
        "when (UTC) and why it was taken back; empty: it holds",
    ),
    SIMULATED,
)

# The public record; /bilanz in a file.
RECORD: Final = (
    Column(
        "kind",
        "text",
        "alarm, oder missed: vom Anbieter bestätigte Störung ohne Alarm",
        "alarm, or missed: an outage that the provider confirmed and no alarm stood for",
    ),
    Column("incident_id", "text", "Kennung des Vorfalls; leer: missed", "id of the incident; empty: missed"),
    PROVIDER,
    SERVICE,
    Column("regions", "list", "Kreise (AGS); leer: bundesweit", "districts (AGS); empty: national"),
    Column("first_alarm_at", "time", "Zeit des ersten Hinweises (UTC)", "time of the first alarm (UTC)"),
    Column("ended_at", "time", "Ende (UTC); leer: dauert an", "end (UTC); empty: goes on"),
    Column("state", "text", "Zustand", "state"),
    Column("recurrence_weeks", "number", "Durch Zufall einmal in so vielen Wochen", "by chance once in so many weeks"),
    Column(
        "outcome",
        "text",
        "Ausgang: acknowledged, independent_signal, not_an_outage, manipulation, unresolved",
        "outcome: acknowledged, independent_signal, not_an_outage, manipulation, unresolved",
    ),
    Column("ground", "text", "Worauf er steht: statement, signal, person, none", "ground: statement, signal, person"),
    Column("evidence", "text", "Beleg im Wortlaut", "the evidence in words"),
    Column("evidence_at", "time", "Zeit des Belegs (UTC)", "time of the evidence (UTC)"),
    Column("evidence_link", "text", "Fundstelle", "where it is found"),
    SIMULATED,
)

TABLES: Final[Mapping[str, tuple[Column, ...]]] = {
    "reports": REPORTS,
    "cube": CUBE,
    "coverage": COVERAGE,
    "incidents": INCIDENTS,
    "statements": STATEMENTS,
}
