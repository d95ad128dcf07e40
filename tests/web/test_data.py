"""/daten: the count, the files, the dictionary."""

from __future__ import annotations

import csv
import io
import json
import re

import pandas as pd
import pytest
from flask.testing import FlaskClient

from aggregator.downloads import with_names
from aggregator.export import FORMATS, TABLES
from aggregator.export.listed import EVERY
from aggregator.web.kinds import KINDS

FILES = [(table, kind) for table, kinds in KINDS.items() for kind in kinds]


def test_the_page_counts_what_the_file_then_holds(site: FlaskClient) -> None:
    query = "provider=o2&since=2017-05-13T09:00"
    page = site.get(f"/daten?{query}").text
    found = re.search(r"([\d.]+) Meldungen passen dazu", page)
    assert found
    assert "reports.csv?provider=o2" in page
    rows = list(csv.DictReader(io.StringIO(site.get(f"/daten/reports.csv?{query}").text)))
    assert len(rows) == int(found[1].replace(".", "")) > 50
    assert {row["provider"] for row in rows} == {"o2"}


@pytest.mark.parametrize(("table", "kind"), FILES)
def test_each_file_comes_says_that_it_is_simulated_and_has_the_columns_of_the_dictionary(
    site: FlaskClient, table: str, kind: str
) -> None:
    suffix = FORMATS[kind].suffix
    answer = site.get(f"/daten/{table}{suffix}?since=2017-05-13T09:00")
    assert answer.status_code == 200
    assert f'filename="netzlage-{table}-SIMULATION{suffix}"' in answer.headers["Content-Disposition"]
    names = [column.name for column in TABLES[table]]
    if kind == "excel":
        named = [column.name for column in with_names(TABLES[table])]
        assert answer.text.removeprefix("\ufeff").split("\r\n")[0].split(";") == named
    elif kind == "csv":
        assert answer.text.split("\r\n")[0].split(",") == names
    elif kind == "parquet":
        assert list(pd.read_parquet(io.BytesIO(answer.data))) == names
    else:
        features = json.loads(answer.data)["features"]
        assert all(list(feature["properties"]) == names for feature in features)


def test_every_column_is_explained(site: FlaskClient) -> None:
    page = site.get("/daten").text
    for columns in EVERY.values():
        for column in columns:
            assert f"<code>{column.name}</code>" in page


def test_a_bad_filter_is_told_beside_its_field_and_kept(site: FlaskClient) -> None:
    answer = site.get("/daten?since=bald&region=Atlantis")
    assert answer.status_code == 422
    assert 'id="fehler-since"' in answer.text
    assert 'id="fehler-region"' in answer.text
    assert 'value="Atlantis"' in answer.text
    assert "passen dazu" not in answer.text


@pytest.mark.parametrize("name", ["reports.xls", "persons.csv", "statements.geojson"])
def test_a_file_that_is_not_offered_is_not_there(site: FlaskClient, name: str) -> None:
    assert site.get(f"/daten/{name}").status_code == 404
