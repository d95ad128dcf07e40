"""The feeds file: what is refused, and how it says so."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from aggregator.catalogue import data_folder
from aggregator.errors import SettingsError
from ingest.feed import Feed, load_feeds, parse_feeds

GOOD = '[[feed]]\nname = "a"\nformat = "json_records"\nurl = "https://example.org/x"\n'


def test_the_shipped_file_can_be_read_and_hears_nobody_unasked() -> None:
    feeds = load_feeds(data_folder() / "feeds.toml", {})
    assert len(feeds) >= 3
    assert not any(feed.enabled for feed in feeds)


def test_the_shipped_file_explains_every_key() -> None:
    text = (data_folder() / "feeds.toml").read_text("utf-8").split("[[feed]]")[0]
    for key in Feed.__slots__:
        assert key == "secret" or re.search(rf"\b{key}\b", text), key


def test_a_stanza_becomes_a_feed() -> None:
    stanza = GOOD + 'every = "90s"\ntoken = "T"\ncovers = ["o2"]\n[feed.fields]\nlat = "pos[lon,lat]"\n'
    [feed] = parse_feeds(stanza, {"T": "s3"})
    assert (feed.every, feed.covers, feed.secret) == (timedelta(seconds=90), ("o2",), "s3")
    assert "s3" not in repr(feed)


def test_a_relative_path_starts_from_the_folder_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "feeds.toml").write_text(GOOD.replace("https://example.org/x", "here.json"))
    assert load_feeds(tmp_path / "feeds.toml", {})[0].url == str(tmp_path / "here.json")


MISTAKES = {
    'evry = "1m"': 'Feed "a": unknown key evry; did you mean every?',
    'every = "bald"': "Feed \"a\": every = 'bald' must be a time",
    'every = "0s"': "must be a time",
    'kind = "rumours"': "kind = 'rumours' must be one of reports, statements, signals",
    'kind = "signals"': "does not go with format json_records",
    'allow_private = "yes"': "allow_private = 'yes' must be true or false",
    "max_bytes = -1": "max_bytes = -1 must be a whole number",
    'covers = "o2"': "covers = 'o2' must be a list",
    'tz = "Mars/Base"': "tz = 'Mars/Base' must be a time zone",
    'date_format = "DD.MM.YYYY"': "date_format = 'DD.MM.YYYY' must be",
    'encoding = "utf-9"': "encoding = 'utf-9' must be an encoding",
    'republish = "all"': "must be one of none, counts, rows",
    '[feed.fields]\nwhen = "x"': "fields.when is not a name of ours",
    '[feed.fields]\nlat = "pos[x,y]"': "must hold lat between its brackets",
    "[feed.fields]\nlat = 1": "fields = {'lat': 1} must be a table of texts",
    GOOD: 'Feed "a" stands twice',
    "[other]": "may hold only",
    "???": "is not valid TOML",
}


@pytest.mark.parametrize("line", MISTAKES)
def test_a_mistake_names_stanza_and_key(line: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(MISTAKES[line])):
        parse_feeds(GOOD + line + "\n", {})


@pytest.mark.parametrize("key", ["name", "format", "url"])
def test_what_a_stanza_needs(key: str) -> None:
    text = re.sub(rf"(?m)^{key} = .*\n", "", GOOD)
    with pytest.raises(SettingsError, match=f"{key} is missing"):
        parse_feeds(text, {})


def test_an_unknown_format_names_the_known() -> None:
    with pytest.raises(SettingsError, match="known are cloudflare_outages, csv_table, "):
        parse_feeds(GOOD.replace("json_records", "xml"), {})


def test_a_missing_file_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="check the setting feeds"):
        load_feeds(tmp_path / "none.toml", {})


def test_a_token_in_the_file_is_refused_and_not_repeated() -> None:
    stanza = '[[feed]]\nname = "a"\nformat = "json_records"\nurl = "https://x.example/"\ntoken = "s3cr3t-abc"\n'
    with pytest.raises(SettingsError, match="token must be the name of an environment variable") as caught:
        parse_feeds(stanza, {})
    assert "s3cr3t" not in str(caught.value)
