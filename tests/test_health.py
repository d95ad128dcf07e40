"""Health of a feed: what is heard and cannot be used is not well."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aggregator.feedmodel import Source
from aggregator.health import Health, health
from aggregator.instance import Instance
from aggregator.model import FeedRun
from aggregator.store import runs
from aggregator.web import create_app
from tests.gazetteer import FACTS
from tests.making import at, instance

RUN = FeedRun("feed", at(0), at(1), "ok", listened_from=at(-5), listened_until=at(0))


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Instance]:
    made = instance(tmp_path, FACTS, now=at(2))
    yield made
    made.store.close()


def told(instance: Instance, form: str = "json_records", **values: Any) -> Health:
    with instance.store.write() as connection:
        runs.add(connection, replace(RUN, **values))
    with instance.store.read() as connection:
        [found] = health(connection, at(2), [Source("feed", format=form)])
    return found


@pytest.mark.parametrize(
    ("form", "values", "light"),
    [
        ("json_records", {"fetched": 5, "rejected": {"bad_time": 5}}, "yellow"),
        ("json_records", {"fetched": 5, "rejected": {"unknown_provider": 5}}, "yellow"),
        ("json_records", {"fetched": 5, "kept": 1, "rejected": {"bad_time": 4}}, "green"),
        ("json_records", {"fetched": 5, "duplicate": 1, "rejected": {"bad_time": 4}}, "green"),
        ("json_records", {}, "green"),  # it was heard, and there was nothing
        ("json_records", {"fetched": 2, "rejected": {"planned_work": 2}}, "green"),
        ("mastodon_tag", {"fetched": 5, "rejected": {"not_a_report": 3, "repost": 1, "unknown_provider": 1}}, "green"),
        ("rss", {"fetched": 5, "rejected": {"not_a_report": 4, "bad_time": 1}}, "green"),
        ("rss", {"fetched": 5, "rejected": {"bad_time": 5}}, "yellow"),
    ],
)
def test_a_feed_of_which_nothing_can_be_used_is_not_green(
    here: Instance, form: str, values: dict[str, Any], light: str
) -> None:
    found = told(here, form, **values)
    assert found.light == light
    assert found.unusable == (light == "yellow")


def test_the_page_of_sources_says_so(here: Instance) -> None:
    told(here, fetched=5, rejected={"bad_time": 5})
    page = create_app(here).test_client().get("/quellen").text
    assert "Nichts von dem, was sie zuletzt sagte, ließ sich verwerten." in page
