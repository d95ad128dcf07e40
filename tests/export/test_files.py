"""Files that leave the house, compared whole: CSV and GeoJSON by their text, Parquet by schema and rows."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aggregator.catalogue import load_catalogue
from aggregator.downloads import download, with_names
from aggregator.export import FORMATS, TABLES
from aggregator.export.table import write_csv
from aggregator.feedmodel import Source
from aggregator.instance import Instance
from aggregator.model import FeedRun, Filter, Statement
from aggregator.record import Retraction
from aggregator.store import incidents, reports, runs, sources, statements
from tests.making import at, incident, instance, report


@pytest.fixture
def netzlage(tmp_path: Path) -> Iterator[Instance]:
    """Give an instance, its clock simulated: two located reports, one nowhere, twelve minutes of fifteen heard."""
    made = instance(tmp_path, load_catalogue())
    with made.store.write() as connection:
        sources.keep(connection, [Source("feed", republish="rows")])
        reports.add(
            connection,
            [
                report("a1", 0, reporter="p", block="b", symptom="=cmd()", comment="geheim"),
                report("b2", 1.5, reporter="p", began_at=at(-60), region="09162", plz="80331", lat=48.1, lon=11.5),
                report("c3", 11, region="", plz="", lat=None, lon=None, place_source="", service="portal"),
            ],
        )
        runs.add(connection, FeedRun("feed", at(0), at(7), "ok", listened_from=at(0), listened_until=at(7)))
        runs.add(connection, FeedRun("feed", at(10), at(15), "ok", listened_from=at(10), listened_until=at(15)))
        incidents.save(connection, [incident(regions=("02000", "09162"))], [])
        said = Statement("s1", "o2", "all", at(0), 'Kein "Hinweis", \n kein Grund', "denied", "official", "feed")
        statements.add(connection, [said])
    yield made
    made.store.close()


def text(netzlage: Instance, table: str, kind: str = "csv", f: Filter | None = None) -> str:
    return b"".join(download(netzlage, table, kind, f or Filter())).decode("utf-8")


def test_reports_as_csv(netzlage: Instance) -> None:
    assert text(netzlage, "reports") == (
        "report_id,source,provider,service,symptom,region,place_source,"
        "observed_at,began_at,ended_at,received_at,counted,simulated\r\n"
        "a1,feed,o2,mobile,'=cmd(),02000,plz,2017-05-13T07:40:00Z,,,2017-05-13T07:40:00Z,true,true\r\n"
        "b2,feed,o2,mobile,,09162,plz,2017-05-13T07:40:00Z,2017-05-13T06:40:00Z,,2017-05-13T07:40:00Z,false,true\r\n"
        "c3,feed,o2,portal,,,,2017-05-13T07:50:00Z,,,2017-05-13T07:50:00Z,true,true\r\n"
    )


def test_the_cube_as_csv_has_an_empty_count_where_nobody_listened(netzlage: Instance) -> None:
    assert text(netzlage, "cube") == (
        "provider,service,region,bucket,source,count,expected,variance,blind,model,simulated\r\n"
        "o2,mobile,02000,2017-05-13T07:40:00Z,feed,1,,,false,,true\r\n"
        "o2,portal,,2017-05-13T07:50:00Z,feed,1,,,false,,true\r\n"
        "o2,,,2017-05-13T07:45:00Z,,,,,true,,true\r\n"
    )


def test_coverage_as_csv(netzlage: Instance) -> None:
    assert text(netzlage, "coverage") == (
        "provider,bucket,share,blind,simulated\r\n"
        "o2,2017-05-13T07:40:00Z,1,false,true\r\n"
        "o2,2017-05-13T07:45:00Z,0.4,true,true\r\n"
        "o2,2017-05-13T07:50:00Z,1,false,true\r\n"
    )


def test_statements_as_csv(netzlage: Instance) -> None:
    assert text(netzlage, "statements") == (
        "statement_id,provider,service,said_at,quote,stance,channel,source,link,own_words,assumed_time,"
        "received_at,expected_end,incident_id,enquiry_id,taken_back,simulated\r\n"
        's1,o2,all,2017-05-13T07:40:00Z,"Kein ""Hinweis"", \n kein Grund",denied,official,feed,'
        ",false,false,,,,,,true\r\n"
    )


def test_a_statement_that_was_taken_back_is_given_on_with_the_reason(netzlage: Instance) -> None:
    with netzlage.store.write() as connection:
        statements.take_back(connection, Retraction("s1", at(30), "Verwechselt.", "x"))
    (row,) = csv.DictReader(io.StringIO(text(netzlage, "statements")))
    assert row["taken_back"] == "2017-05-13T08:10:00Z: Verwechselt."
    (before,) = csv.DictReader(io.StringIO(text(netzlage, "statements", f=Filter(as_of=at(29)))))
    assert before["taken_back"] == ""


def test_incidents_as_csv_have_every_column(netzlage: Instance) -> None:
    (row,) = csv.DictReader(io.StringIO(text(netzlage, "incidents")))
    assert list(row) == [column.name for column in TABLES["incidents"]]
    assert row["regions"] == "02000 09162"
    assert (row["onset_earliest"], row["ended_at"], row["relative_risk"]) == ("2017-05-13T07:38:00Z", "", "")


def test_for_excel_there_are_semicolons_decimal_commas_german_time_and_names_of_districts(netzlage: Instance) -> None:
    assert text(netzlage, "reports", "excel") == (
        "\ufeffreport_id;source;provider;service;symptom;region;region_name;place_source;"
        "observed_at;began_at;ended_at;received_at;counted;simulated\r\n"
        "a1;feed;o2;mobile;'=cmd();02000;Hamburg;plz;2017-05-13 09:40:00;;;2017-05-13 09:40:00;WAHR;WAHR\r\n"
        "b2;feed;o2;mobile;;09162;München;plz;2017-05-13 09:40:00;2017-05-13 08:40:00;;2017-05-13 09:40:00;"
        "FALSCH;WAHR\r\n"
        "c3;feed;o2;portal;;;;;2017-05-13 09:50:00;;;2017-05-13 09:50:00;WAHR;WAHR\r\n"
    )
    assert text(netzlage, "coverage", "excel").splitlines()[2] == "o2;2017-05-13 09:45:00;0,4;WAHR;WAHR"


def test_reports_as_geojson(netzlage: Instance) -> None:
    found = json.loads(text(netzlage, "reports", "geojson"))
    assert found["type"] == "FeatureCollection"
    hamburg = netzlage.catalogue.regions["02000"]
    drawn = [feature["geometry"] for feature in found["features"]]
    assert drawn[0] == {"type": "Point", "coordinates": [hamburg.lon, hamburg.lat]}  # the district's middle
    assert drawn[2] is None
    assert found["features"][0]["properties"] == {
        "report_id": "a1", "source": "feed", "provider": "o2", "service": "mobile", "symptom": "=cmd()",
        "region": "02000", "place_source": "plz",
        "observed_at": "2017-05-13T07:40:00Z", "began_at": None, "ended_at": None,
        "received_at": "2017-05-13T07:40:00Z", "counted": True, "simulated": True,
    }  # fmt: skip


def test_an_incident_is_drawn_at_the_middles_of_its_districts(netzlage: Instance) -> None:
    (feature,) = json.loads(text(netzlage, "incidents", "geojson"))["features"]
    assert feature["geometry"]["type"] == "MultiPoint"
    assert len(feature["geometry"]["coordinates"]) == 2
    assert feature["properties"]["regions"] == ["02000", "09162"]


@pytest.mark.parametrize("table", TABLES)
def test_parquet_holds_the_same_rows_with_types(netzlage: Instance, table: str) -> None:
    data = b"".join(download(netzlage, table, "parquet", Filter()))
    found = pq.read_table(pa.BufferReader(data))
    assert found.schema.names == [column.name for column in TABLES[table]]
    rows = list(csv.DictReader(io.StringIO(text(netzlage, table))))
    assert found.num_rows == len(rows)
    again = b"".join(write_csv(found.to_pylist(), TABLES[table])).decode("utf-8")
    assert again == text(netzlage, table)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("table", TABLES)
def test_an_empty_table_is_a_whole_file(tmp_path: Path, table: str, kind: str) -> None:
    made = instance(tmp_path, load_catalogue())
    data = b"".join(download(made, table, kind, Filter()))
    made.store.close()
    if kind == "geojson":
        assert json.loads(data)["features"] == []
    elif kind == "parquet":
        assert pq.read_table(pa.BufferReader(data)).num_rows == 0
    elif kind == "excel":
        assert data.decode() == "\ufeff" + ";".join(column.name for column in with_names(TABLES[table])) + "\r\n"
    else:
        assert data.decode() == ",".join(column.name for column in TABLES[table]) + "\r\n"


def test_nothing_that_names_a_person_leaves_the_house(netzlage: Instance) -> None:
    for kind in ("csv", "geojson"):
        for table in TABLES:
            assert "geheim" not in text(netzlage, table, kind)
    assert not {"reporter", "block", "comment"} & {column.name for columns in TABLES.values() for column in columns}


def test_filters_hold_for_every_table(netzlage: Instance) -> None:
    assert text(netzlage, "reports", f=Filter(region="09")).count("\r\n") == 2
    assert text(netzlage, "cube", f=Filter(service="portal", since=at(10))).count("\r\n") == 2
    assert text(netzlage, "coverage", f=Filter(until=at(5))).count("\r\n") == 2
    assert text(netzlage, "reports", f=Filter(provider="telekom")).count("\r\n") == 1
    assert text(netzlage, "incidents", f=Filter(as_of=at(5))).count("\r\n") == 1


def test_every_column_is_explained_in_both_languages() -> None:
    for columns in TABLES.values():
        assert columns[-1].name == "simulated"
        assert all(column.de and column.en for column in columns)
        assert len({column.name for column in columns}) == len(columns)


@pytest.mark.parametrize(("republish", "rows", "counted"), [("rows", 3, 3), ("counts", 0, 3), ("none", 0, 0)])
def test_what_a_source_lets_us_give_on_holds_for_the_export_too(
    netzlage: Instance, republish: Any, rows: int, counted: int
) -> None:
    with netzlage.store.write() as connection:
        sources.keep(connection, [Source("feed", republish=republish)])
    assert len(list(csv.DictReader(io.StringIO(text(netzlage, "reports"))))) == rows
    cells = csv.DictReader(io.StringIO(text(netzlage, "cube")))
    assert sum(int(row["count"]) for row in cells if row["count"]) == (2 if counted else 0)


def test_of_a_source_whose_stanza_is_gone_the_last_word_holds_and_of_one_never_described_nothing(
    netzlage: Instance,
) -> None:
    with netzlage.store.write() as connection:
        sources.keep(connection, [])
        reports.add(connection, [report("d4", 0, source="other"), report("e5", 0, source="form")])
    given = csv.DictReader(io.StringIO(text(netzlage, "reports")))
    assert {row["source"] for row in given} == {"feed", "form"}
