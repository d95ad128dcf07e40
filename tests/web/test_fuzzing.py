"""No answer of the API is undocumented, whatever is asked; the long run is tests/benchmarks/api.py."""

from __future__ import annotations

import pytest

from aggregator.web import openapi
from aggregator.web.lists import LISTS
from tests.web.fuzzing import fuzz


def test_schemathesis_finds_nothing_wrong_with_any_operation() -> None:
    found = fuzz("--phases", "fuzzing", "--max-examples", "4", "--seed", "1")
    assert found.good, found.said
    assert found.operations > 3 * len(LISTS)
    assert found.cases > 2 * found.operations


def test_it_would_find_a_document_that_is_not_true(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openapi, "_next", lambda: {"X-Missing": {"required": True, "schema": {"type": "string"}}})
    found = fuzz("--phases", "fuzzing", "--max-examples", "1", "--seed", "1", "--include-path", "/api/v1/services")
    assert not found.good
    assert "X-Missing" in found.said
