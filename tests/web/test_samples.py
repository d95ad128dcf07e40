"""The samples of the API's page run as they stand, against a real server."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import requests

from tests.web.scene import Scene, asked

INCIDENT = "20170513-o2-mobile-02000"


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with asked(tmp_path_factory.mktemp("samples")) as made:
        yield made


@pytest.fixture(scope="module")
def document(scene: Scene) -> dict[str, Any]:
    found: dict[str, Any] = requests.get(f"{scene.url}/api/v1/openapi.json", timeout=20).json()
    return found


def samples(document: dict[str, Any], lang: str) -> list[tuple[str, str, str]]:
    return [
        (method, path, sample["source"])
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        for sample in operation["x-codeSamples"]
        if sample["lang"] == lang
    ]


def test_every_line_for_a_shell_runs_and_is_answered_as_the_document_says(
    scene: Scene, document: dict[str, Any]
) -> None:
    assert shutil.which("curl"), "install curl"
    found = samples(document, "Shell")
    assert {(method, path) for method, path, _ in found} == {
        (method, path) for path, methods in document["paths"].items() for method in methods
    }
    # An enquiry, a statement or a comment has to be there before it can be spoken of: the last is not.
    statement = ""
    for method, path, source in found:
        report = "0" * 24
        line = source.replace("TOKEN", scene.token).replace("INCIDENT", INCIDENT).replace("REPORT", report)
        line = line.replace("STATEMENT", statement)
        said = subprocess.run(f"{line} -w '\\n%{{http_code}}'", shell=True, capture_output=True, text=True, check=True,
                              encoding="utf-8", errors="replace")  # fmt: skip
        body, _, status = said.stdout.rpartition("\n")
        good = {"200", "201"} if "{report_id}" not in path else {"404"}
        assert status in good, (method, path, body)
        assert status in document["paths"][path][method]["responses"]
        if (method, path) == ("post", "/api/v1/statements"):
            statement = json.loads(body)["statement_id"]
        if path.startswith("/api/") and not path.endswith(".csv"):
            assert json.loads(body)


def test_every_line_for_python_gives_a_table(document: dict[str, Any]) -> None:
    found = samples(document, "Python")
    assert len(found) > 10
    for _, path, source in found:
        names: dict[str, Any] = {}
        exec(source, names)
        assert isinstance(names["table"], pd.DataFrame), path


def test_pandas_reads_the_address_of_the_page_as_it_is(scene: Scene) -> None:
    table = pd.read_csv(f"{scene.url}/daten/reports.csv")
    assert len(table) > 50
    assert {"report_id", "observed_at", "counted"} <= set(table)
    assert table["counted"].dtype == bool
    assert pd.to_datetime(table["observed_at"]).dt.tz is not None


def test_the_page_shows_every_sample_of_the_document(scene: Scene, document: dict[str, Any]) -> None:
    page = unescape(requests.get(f"{scene.url}/daten/api", timeout=20).text)
    for _, path, source in (*samples(document, "Shell"), *samples(document, "Python")):
        assert source in page, path


def test_a_file_says_where_its_columns_are_explained(scene: Scene) -> None:
    answer = requests.get(f"{scene.url}/daten/reports.csv", timeout=20)
    described = answer.links["describedby"]
    assert described["type"] == "application/schema+json"
    fields = requests.get(f"{scene.url}{described['url']}", timeout=20).json()["fields"]
    assert [field["name"] for field in fields] == answer.text.split("\r\n")[0].split(",")


def test_what_a_file_is_named_after_is_there(scene: Scene, tmp_path: Path) -> None:
    package = requests.get(f"{scene.url}/daten/datapackage.json", timeout=20).json()
    for resource in package["resources"]:
        answer = requests.get(resource["path"], timeout=20)
        header = answer.content.decode("utf-8-sig").split("\r\n")[0]
        assert header.split(resource["dialect"]["delimiter"]) == [f["name"] for f in resource["schema"]["fields"]]
