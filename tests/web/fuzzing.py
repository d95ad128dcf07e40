"""schemathesis over the real server: every check, every operation of the document; how many cases, what they found."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.web.scene import asked

HERE = Path(__file__).parent
ROOT = HERE.parent.parent


@dataclass(frozen=True, slots=True)
class Found:
    """Cases that were sent, operations that they were sent to, and all that the program said; good: nothing wrong."""

    cases: int
    operations: int
    good: bool
    said: str


def fuzz(*options: str) -> Found:
    """Run schemathesis with `options` against a fresh site."""
    with tempfile.TemporaryDirectory() as folder, asked(Path(folder)) as scene:
        command = [
            sys.executable, "-m", "schemathesis.cli", "--config-file", str(HERE / "schemathesis.toml"), "run",
            f"{scene.url}/api/v1/openapi.json", "--checks", "all", "--header", f"Authorization: Bearer {scene.token}",
            "--continue-on-failure", "--no-shrink", "--warnings", "off", *options,
        ]  # fmt: skip
        hooks = {"SCHEMATHESIS_HOOKS": "tests.web.schemathesis_hooks", "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env={**os.environ, **hooks},
                              check=False)  # fmt: skip
    said = done.stdout + done.stderr
    return Found(_number(r"(\d+) generated", said), _number(r"Tested: (\d+)", said), done.returncode == 0, said)


def _number(pattern: str, text: str) -> int:
    found = re.search(pattern, text)
    return int(found[1]) if found else 0
