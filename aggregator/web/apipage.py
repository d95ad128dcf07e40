"""/daten/api: the OpenAPI document as a page, its samples ready to be copied. I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template

from aggregator.web.api import document_of_this

blueprint = Blueprint("apipage", __name__)


@dataclass(frozen=True, slots=True)
class Operation:
    """One way to call an address: the statuses it answers, and lines that call it."""

    method: str
    path: str
    summary: str
    answers: Sequence[str]
    samples: Sequence[Mapping[str, str]]


@blueprint.get("/daten/api")
def show() -> str:
    """Show every address with its samples."""
    document = document_of_this()
    operations = list(_operations(document))
    return render_template(
        "api.html",
        groups=[
            ("lists", [one for one in operations if one.path.startswith("/api/") and one.method == "get"]),
            ("files", [one for one in operations if one.path.startswith("/daten/")]),
            ("writing", [one for one in operations if one.method == "post"]),
        ],
        parameters=list(document["components"]["parameters"].values()),
    )


def _operations(document: Mapping[str, Any]) -> Iterator[Operation]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield Operation(
                method,
                path,
                operation["summary"],
                list(operation["responses"]),
                operation["x-codeSamples"],
            )
