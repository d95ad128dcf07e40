"""The wheel holds the product whole (facts, templates, migrations too) and nothing else."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """Build the wheel once, without network: hatchling is one of the development packages."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (path,) = folder.glob("*.whl")
    return zipfile.ZipFile(path)


@pytest.fixture(scope="module")
def metadata(wheel: zipfile.ZipFile) -> Message:
    return Parser().parsestr(wheel.read("netzlage-0.1.0.dist-info/METADATA").decode())


def product_files(*folders: str) -> set[str]:
    """Return the files of the product as git knows them, those not added yet included, ignored ones not."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *folders]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    return {name for name in listed if name and (ROOT / name).is_file()}


def inside(wheel: zipfile.ZipFile, folder: str) -> set[str]:
    return {name for name in wheel.namelist() if name.startswith(folder) and not name.endswith("/")}


def test_the_code_is_inside_with_templates_static_files_pages_and_migrations(wheel: zipfile.ZipFile) -> None:
    packed = (inside(wheel, "aggregator/") - inside(wheel, "aggregator/data/")) | inside(wheel, "ingest/")
    assert packed == product_files("aggregator", "ingest")
    for kind in ("aggregator/store/migrations/", "aggregator/web/templates/", "aggregator/web/static/"):
        assert inside(wheel, kind), f"nothing of {kind} in the wheel"


def test_the_facts_are_inside_the_package_and_no_cache_of_the_compile_scripts(wheel: zipfile.ZipFile) -> None:
    facts = {f"aggregator/{name}" for name in product_files("data")}
    assert inside(wheel, "aggregator/data/") == facts
    assert "aggregator/data/SOURCES.md" in facts


def test_nothing_else_is_inside(wheel: zipfile.ZipFile) -> None:
    assert {name.split("/")[0] for name in wheel.namelist()} == {"aggregator", "ingest", "netzlage-0.1.0.dist-info"}


def test_the_wheel_is_small(wheel: zipfile.ZipFile) -> None:
    assert sum(item.compress_size for item in wheel.infolist()) < 5_000_000


def test_the_command_and_the_licence_come_along(wheel: zipfile.ZipFile) -> None:
    info = "netzlage-0.1.0.dist-info"
    assert wheel.read(f"{info}/entry_points.txt").decode() == "[console_scripts]\nnetzlage = aggregator.cli:main\n"
    assert wheel.read(f"{info}/licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()


def test_what_only_developers_need_is_not_required(metadata: Message) -> None:
    required = [line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line]
    names = {line.split(">")[0].split("<")[0].split("=")[0].strip().lower() for line in required}
    assert {"flask", "sqlalchemy", "pandas", "click"} <= names
    assert names.isdisjoint({"pytest", "mypy", "ruff", "hypothesis", "playwright", "hatchling"})
    assert metadata["Requires-Python"] == ">=3.11"
