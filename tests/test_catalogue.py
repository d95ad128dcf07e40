"""The facts are loaded, checked, and found under the names that people use."""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path

import pytest

from aggregator.catalogue import Catalogue, data_folder, load_catalogue
from aggregator.errors import DataError

FACTS = load_catalogue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of data/ to spoil."""
    return Path(shutil.copytree(data_folder(), tmp_path / "data", ignore=shutil.ignore_patterns("*.py", "__pycache__")))


def spoil(folder: Path, name: str, old: str, new: str) -> None:
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{name} has no {old!r}: the test is out of date"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def complaint(folder: Path) -> str:
    with pytest.raises(DataError) as raised:
        load_catalogue(folder)
    return str(raised.value)


@pytest.mark.parametrize(
    ("text", "provider"),
    [
        ("o2", "o2"),
        ("O2", "o2"),
        ("O₂", "o2"),
        ("#o2down", "o2"),
        ("Telefónica", "o2"),
        ("Telefonica Deutschland", "o2"),
        ("1&1", "1und1"),
        ("1 & 1", "1und1"),
        ("1und1", "1und1"),
        ("PŸUR", "pyur"),
        ("Pyur", "pyur"),
        ("wilhelm.tel", "wilhelm-tel"),
        ("Wilhelm Tel", "wilhelm-tel"),
        ("M-net", "m-net"),
        ("mnet", "m-net"),
        ("TELEKOM", "telekom"),
        ("Kabel Deutschland", "vodafone"),
        ("Syna GmbH", "syna"),
        ("Rheinfunk", "rheinfunk"),
    ],
)
def test_a_provider_is_known_by_the_names_people_use(text: str, provider: str) -> None:
    assert FACTS.provider_id(text) == provider


@pytest.mark.parametrize(
    ("text", "service"),
    [
        ("DSL", "fixed_internet"),
        ("Kabel", "fixed_internet"),
        ("Glasfaser", "fixed_internet"),
        ("internet", "fixed_internet"),
        ("fixed_internet", "fixed_internet"),
        ("mobile phone", "mobile"),
        ("Mobilfunk", "mobile"),
        ("kein netz", "mobile"),
        ("Kundenportal", "portal"),
        ("E-Mail", "email"),
        ("email", "email"),
        ("Stromausfall", "power"),
        ("TV", "tv"),
        ("Sonstiges", "other"),
    ],
)
def test_a_service_is_known_by_the_names_people_use(text: str, service: str) -> None:
    assert FACTS.service_id(text) == service


@pytest.mark.parametrize("text", ["", "   ", "§$%", "Telekomm AG & Söhne", "all"])
def test_an_unknown_name_is_nobodys(text: str) -> None:
    assert FACTS.provider_id(text) is None
    assert FACTS.service_id(text) is None


def test_an_unlisted_provider_carries_its_id() -> None:
    stranger = FACTS.provider("stadt-leipzig")
    assert (stranger.id, stranger.name, stranger.listed) == ("stadt-leipzig", "stadt-leipzig", False)
    assert FACTS.provider("o2").listed


@pytest.mark.parametrize(
    ("key", "name"), [("02000", "Hamburg"), ("09", "Bayern"), ("", "Deutschland"), ("de", "Deutschland"), ("xx", "xx")]
)
def test_a_region_has_a_name_for_readers(key: str, name: str) -> None:
    assert FACTS.region_name(key) == name


def test_a_good_copy_of_the_folder_is_loaded(folder: Path) -> None:
    assert isinstance(load_catalogue(folder), Catalogue)


def test_loading_is_quick() -> None:
    """About 0.2 s on the machine it was written on; the bound leaves room for a busy one."""
    started = time.perf_counter()
    load_catalogue()
    assert time.perf_counter() - started < 1.5


@pytest.mark.parametrize(
    "name",
    [
        "regions.csv",
        "laender.csv",
        "neighbours.csv",
        "polygons.csv",
        "places.csv",
        "shapes.json",
        "odbl/plz.csv",
        "odbl/plz_names.csv",
        "services.toml",
        "providers.toml",
        "SOURCES.md",
    ],
)
def test_a_missing_file_and_a_half_written_one_are_named(folder: Path, name: str) -> None:
    path = folder / name
    whole = path.read_bytes()
    path.unlink()
    assert path.name in complaint(folder)
    path.write_bytes(whole[: len(whole) // 3].rstrip() + b'"')
    assert path.name in complaint(folder)
    path.write_bytes(b"\xff\xfe" + whole)
    assert path.name in complaint(folder)


@pytest.mark.parametrize(
    ("name", "change", "line", "word"),
    [
        ("regions.csv", ("Flensburg,01,54", "Flensburg,01,north"), 2, "north"),
        ("regions.csv", ("region,name", "district,name"), 1, "columns"),
        ("neighbours.csv", ("01001,01059", "01001,99999"), 2, "99999"),
        ("places.csv", ("Berlin,52.5244", "Berlin,x,52.5244"), 2, "columns"),
        ("odbl/plz.csv", ("01067,51.0603,13.7178,14612", "01067,51.0603,13.7178,1"), 2, "'1'"),
        ("polygons.csv", ("POLYGON ((", "POLYGON ((z"), 2, "ParseException"),
        ("providers.toml", ('id = "o2"', 'id = "o2'), None, "line"),
        ("providers.toml", ('services = ["tv", "portal"]', 'services = ["pigeon"]'), None, "pigeon"),
        ("providers.toml", ("share = 0.15", "share = 1.5"), None, "share"),
        ("providers.toml", ("share = 0.15", 'share = "most"'), None, "number"),
        ("providers.toml", ("share = 0.15", "share = 0.25"), None, "add up"),
        ("providers.toml", ("share = 0.15", "shaer = 0.15"), None, "shaer"),
        ("providers.toml", ('footprint = ["05315"]', 'footprint = ["55"]'), None, "55"),
        ("providers.toml", ('id = "congstar"', 'id = "o2"'), None, "twice"),
        ("providers.toml", ('id = "congstar"', 'id = "Cong Star"'), None, "small letters"),
        ("providers.toml", ('"#congstar"', '"#o2"'), None, "belongs to"),
        ("providers.toml", ('name = "congstar"\n', ""), None, "name is missing"),
        ("services.toml", ('["Kein Strom", "No power"]', '["Kein Strom"]'), None, "symptom"),
        ("services.toml", ('"Blackout"', '"DSL"'), None, "belongs to"),
    ],
)
def test_a_bad_value_is_named_with_file_line_and_mend(
    folder: Path, name: str, change: tuple[str, str], line: int | None, word: str
) -> None:
    spoil(folder, name, *change)
    text = complaint(folder)
    assert text.startswith(Path(name).name)
    assert word in text
    assert text.count("\n") == 0
    if line:
        assert f"line {line}:" in text


def test_an_error_in_a_row_of_a_provider_leads_to_its_line(folder: Path) -> None:
    spoil(folder, "providers.toml", "share = 0.15", "share = 1.5")
    lines = (folder / "providers.toml").read_text(encoding="utf-8").splitlines()
    named = re.search(r"line (\d+)", complaint(folder))
    assert named
    assert lines[int(named[1]) - 1] == 'id = "o2"'


def test_a_district_without_a_shape_is_named(folder: Path) -> None:
    spoil(folder, "shapes.json", '"02000"', '"02001"')
    assert "02000" in complaint(folder)


def test_a_district_without_a_polygon_is_noticed(folder: Path) -> None:
    path = folder / "polygons.csv"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[:-1]), encoding="utf-8")
    assert "399 polygons for 400 districts" in complaint(folder)
