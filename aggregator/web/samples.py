"""How each address of the API is called: lines for a shell and for Python that run as they stand. Pure."""

from __future__ import annotations

import json
import re
from typing import Any, Final

BODIES: Final[dict[str, dict[str, Any]]] = {
    "/api/v1/reports": {"provider": "o2", "service": "mobile", "observed_at": "{day}T00:00", "plz": "20095",
                        "uid": "an-example"},
    "/api/v1/statements": {"provider": "o2", "quote": "Uns ist keine Störung bekannt.", "stance": "denied",
                           "channel": "official"},
    "/api/v1/statements/{statement_id}/withdrawal": {"text": "Das war der falsche Anbieter."},
    "/api/v1/enquiries": {"incident_id": "INCIDENT"},
    "/api/v1/incidents/{incident_id}/corrections": {"kind": "note", "text": "Der Anbieter hat geantwortet."},
    "/api/v1/comments/{report_id}": {"shown": False},
}  # fmt: skip
WITH_TOKEN: Final = " -H 'Authorization: Bearer TOKEN'"  # noqa: S105 - a word that stands for one
FOR_MODERATORS: Final = "/api/v1/comments"
OPEN: Final = "/api/v1/reports"  # may be sent to without a token


def sample(base_url: str, method: str, path: str, day: str) -> list[dict[str, str]]:
    """Return the samples of an operation. TOKEN, INCIDENT, REPORT, STATEMENT stand for what only the reader knows."""
    address = f"{base_url}{re.sub('{([a-z]+)_id}', lambda hole: hole[1].upper(), path)}"
    if method == "post":
        return [_shell(_post(address, path, day))]
    if path == FOR_MODERATORS:
        return [_shell(f"curl -s '{address}'{WITH_TOKEN}")]
    asked = "" if path.endswith((".json", "/health")) else _asked(path)
    lines = [_shell(f"curl -s '{address}{asked}'")]
    python = _python(f"{address}{asked}")
    return [*lines, {"lang": "Python", "source": python}] if python else lines


def _shell(source: str) -> dict[str, str]:
    return {"lang": "Shell", "source": source}


def _asked(path: str) -> str:
    return "?provider=o2&limit=5" if path.startswith("/api/") else "?provider=o2"


def _post(address: str, path: str, day: str) -> str:
    body = json.dumps(BODIES[path], ensure_ascii=False).replace("{day}", day)
    token = "" if path == OPEN else WITH_TOKEN
    return f"curl -s '{address}'{token} -H 'Content-Type: application/json' -d '{body}'"


def _python(address: str) -> str:
    path = address.partition("?")[0]
    if path.endswith("-excel.csv"):
        return ""
    if path.endswith(".csv"):
        return f'import pandas as pd\ntable = pd.read_csv("{address}", dtype={{"region": "str"}})'
    if path.endswith(".parquet"):
        return f'import pandas as pd\ntable = pd.read_parquet("{address}")'
    return ""
