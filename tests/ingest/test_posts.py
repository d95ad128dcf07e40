"""Hashtags and forums become reports, statements stay statements, and no text breaks a parser."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.errors import FeedChanged
from aggregator.model import FeedRun, Filter
from aggregator.store import reports
from ingest.parsers import NO_HINTS, PARSERS, Feed, Parsed
from ingest.parsers.markup import plain_text
from ingest.parsers.mastodon_tag import since_id
from ingest.posts import told
from ingest.runner import take
from tests.commands import Run
from tests.gazetteer import FACTS
from tests.making import SATURDAY, instance

MASTODON = Feed(name="mastodon", format="mastodon_tag", url="x")
RSS = Feed(name="forum", format="rss", url="x", provider="o2")
ITEM = "<item><title>{title}</title><guid>{guid}</guid><pubDate>Sat, 13 May 2017 09:40:00 +0200</pubDate></item>"


def status(text: str, key: str = "1", **values: Any) -> dict[str, Any]:
    return {
        "id": key, "created_at": "2017-05-13T07:40:00.000Z", "content": f"<p>{text}</p>",
        "account": {"acct": "anna", "bot": False}, "reblog": None, **values,
    }  # fmt: skip


def heard(*statuses: object, feed: Feed = MASTODON) -> Parsed:
    return told(PARSERS["mastodon_tag"](json.dumps(statuses).encode(), feed, NO_HINTS), feed, FACTS)


def rss(*items: str) -> bytes:
    return f"<?xml version='1.0'?><rss version='2.0'><channel><title>x</title>{''.join(items)}</channel></rss>".encode()


def read_rss(payload: bytes, feed: Feed = RSS) -> Parsed:
    return told(PARSERS["rss"](payload, feed, NO_HINTS), feed, FACTS)


def test_one_author_counts_once_and_an_edited_post_is_no_new_one(tmp_path: Path) -> None:
    here = instance(tmp_path, FACTS)
    run = FeedRun("mastodon", SATURDAY, SATURDAY, "ok")
    first = [status("o2 in Hamburg weg"), status("o2 Hamburg immer noch weg", "2")]
    edited = status("o2 in Hamburg-Altona weg", edited_at="2017-05-13T08:00:00Z")
    for page in (first, [edited]):
        take(here, MASTODON, PARSERS["mastodon_tag"](json.dumps(page).encode(), MASTODON, NO_HINTS), run)
    with here.store.read() as connection:
        kept = list(reports.rows(connection, Filter()))
    here.store.close()
    assert sorted(row["counted"] for row in kept) == [False, True]
    assert {(row["region"], row["place_source"]) for row in kept} == {("02000", "text")}


def test_of_a_post_that_is_no_report_nothing_is_kept() -> None:
    found = heard(status("Geburtstagsfeier bei Anna, o2 geht wieder"), status("o2 weg", "2", reblog={"id": "9"}))
    assert [item.reason for item in found.rejected] == ["repost", "not_a_report"]
    assert all(item.item is None and "Anna" not in item.detail for item in found.rejected)


def test_other_people_are_not_named_in_the_comment() -> None:
    [report] = heard(status("@berta@example.org o2 ist weg, @carl")).reports
    assert report.comment == "@… o2 ist weg, @…"


def test_a_post_about_two_providers_is_a_report_of_each_under_keys_that_stay() -> None:
    found = heard(status("o2 und Telekom ohne Netz"))
    assert [(report.provider, report.key) for report in found.reports] == [("o2", "1"), ("telekom", "1 telekom")]


def test_a_forum_of_one_provider_needs_no_name_in_its_posts() -> None:
    found = read_rss(
        rss(ITEM.format(title="Kein Netz in Kiel", guid="a"), ITEM.format(title="DSL geht wieder", guid="b"))
    )
    assert [(report.provider, report.region, report.key) for report in found.reports] == [("o2", "01002", "a")]


def test_a_saved_timeline_is_imported_as_reports(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "timeline.json"
    path.write_text(json.dumps([status("o2 in Kiel weg"), status("o2 geht wieder", "2")]), "utf-8")
    answer = run("import", "--format", "mastodon_tag", str(path))
    assert answer.status == 0
    assert "1 kept" in answer.out
    assert "not_a_report" in answer.out


def test_feeds_check_says_what_a_forum_would_bring(run: Run, tmp_path: Path) -> None:
    items = [ITEM.format(title="Kein Netz in Kiel", guid="a"), ITEM.format(title="Danke für nichts", guid="b")]
    (tmp_path / "forum.xml").write_bytes(rss(*items))
    stanza = '[[feed]]\nname = "forum"\nformat = "rss"\nurl = "forum.xml"\nprovider = "o2"\nlookback = "9999d"\n'
    (tmp_path / "feeds.toml").write_text(stanza, "utf-8")
    (tmp_path / "netzlage.toml").write_text('feeds = "feeds.toml"\n', "utf-8")
    answer = run("feeds", "check", "forum")
    assert answer.status == 0
    assert "2 items, 1 would be kept" in answer.out
    assert "districts: Kiel 1" in answer.out


def test_the_id_of_a_moment_lies_between_those_of_statuses_before_and_after() -> None:
    at = datetime(2026, 3, 17, 8, 12, tzinfo=UTC)
    assert int(since_id(at)) == int(at.timestamp() * 1000) * 65536


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (b"", "empty"),
        (b"  ", "empty"),
        (b"<!DOCTYPE html><html><body>Just a moment...</body></html>", "web page"),
        (b'{"items": []}', "no RSS or Atom"),
        (b"null", "no RSS or Atom"),
        (rss(ITEM.format(title="o2 weg", guid="a"))[:-30], "breaks off"),
        (b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'b'>]><rss version='2.0'></rss>", "entities"),
        ("<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'b'>]><rss></rss>".encode("utf-16"), "entities"),
        ("<rss version='2.0'><channel xmlns:a='b\u00a0c'><a:e/></channel></rss>".encode(), "namespace"),
        (b"<rss>" + b" " * 3_000_001 + b"</rss>", "bytes"),
        (b"<rss/>", "breaks off"),
    ],
)
def test_what_is_no_feed_is_a_feed_that_changed(payload: bytes, said: str) -> None:
    with pytest.raises(FeedChanged, match=said):
        read_rss(payload)


def test_a_feed_without_items_is_empty_and_no_error() -> None:
    assert read_rss(rss()) == Parsed()
    assert heard() == Parsed()


@pytest.mark.parametrize(
    "payload",
    [b"", b"null", b'{"error": "This method requires an authenticated user"}', b"<html>", b'[{"a": 1}]', b'[{"id"'],
)
def test_what_is_no_timeline_is_a_feed_that_changed(payload: bytes) -> None:
    with pytest.raises(FeedChanged):
        PARSERS["mastodon_tag"](payload, MASTODON, NO_HINTS)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "cp1252"])
def test_umlauts_survive_every_encoding_that_a_feed_tells(encoding: str) -> None:
    name = {"utf-8-sig": "utf-8"}.get(encoding, encoding)
    text = f'<?xml version="1.0" encoding="{name}"?><rss version="2.0"><channel>' + ITEM.format(
        title="o2 in Köln weg", guid="a"
    )
    [report] = read_rss(f"{text}</channel></rss>".encode(encoding)).reports
    assert (report.comment, report.region) == ("o2 in Köln weg", "05315")


def test_a_path_or_an_address_as_payload_is_read_as_text_and_not_opened() -> None:
    for payload in (b"/etc/hostname", b"http://127.0.0.1:9/feed"):
        with pytest.raises(FeedChanged):
            read_rss(payload)


def test_markup_becomes_text_and_scripts_are_left_out() -> None:
    html = "<p>#<span>o2</span> weg<br>hier</p><p>A &amp; B</p><script>x()</script><!-- y --> 1 < 2"
    assert plain_text(html) == "#o2 weg\nhier\nA & B\n 1 < 2"


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=300))
def test_no_content_is_too_odd_for_a_status(text: str) -> None:
    heard(status(text))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200), st.text(max_size=100))
def test_no_bytes_are_too_odd_for_a_feed(garbage: bytes, title: str) -> None:
    for payload in (
        garbage,
        rss(ITEM.format(title=title, guid=title)),
        rss().replace(b"<title>", b"<title>" + garbage),
    ):
        try:
            read_rss(payload)
        except FeedChanged:
            continue


NAMES = st.sampled_from(["id", "created_at", "content", "account", "reblog"])
ODD = st.recursive(st.none() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=2))


@given(st.dictionaries(NAMES, ODD))
def test_no_status_is_too_odd_to_be_rejected(odd: dict[str, Any]) -> None:
    heard(status("o2 weg", "1"), {**status("o2 weg", "2"), **odd})


URI = "https://social.example/users/anna/statuses/7"


def test_a_post_that_comes_through_two_instances_is_one_report(tmp_path: Path) -> None:
    here = instance(tmp_path, FACTS)
    home = status("o2 in Hamburg weg", "7", uri=URI)
    abroad = status("o2 in Hamburg weg", "99", uri=URI, account={"acct": "anna@social.example", "bot": False})
    other = Feed(name="mastodon-2", format="mastodon_tag", url="y")
    for feed, page in ((MASTODON, home), (other, abroad), (MASTODON, home), (other, abroad)):
        run = FeedRun(feed.name, SATURDAY, SATURDAY, "ok")
        take(here, feed, PARSERS["mastodon_tag"](json.dumps([page]).encode(), feed, NO_HINTS), run)
    with here.store.read() as connection:
        [kept] = reports.rows(connection, Filter())
    here.store.close()
    assert (kept["source"], kept["counted"]) == ("mastodon", True)


def test_one_author_at_two_instances_is_one_person_and_two_of_one_name_are_two(tmp_path: Path) -> None:
    here = instance(tmp_path, FACTS)
    pages = [
        status("o2 in Hamburg weg", "7", uri=URI),
        status(
            "o2 Hamburg immer noch weg", "8", uri=f"{URI}8", created_at="2017-05-13T07:50:00.000Z",
            account={"acct": "anna@social.example", "bot": False},
        ),
        status("o2 in Hamburg weg", "9", uri="https://other.example/users/anna/statuses/1"),
    ]  # fmt: skip
    for number, page in enumerate(pages):
        feed = Feed(name=f"m{number}", format="mastodon_tag", url="x")
        run = FeedRun(feed.name, SATURDAY, SATURDAY, "ok")
        take(here, feed, PARSERS["mastodon_tag"](json.dumps([page]).encode(), feed, NO_HINTS), run)
    with here.store.read() as connection:
        kept = {row["source"]: row["counted"] for row in reports.rows(connection, Filter())}
    here.store.close()
    assert kept == {"m0": True, "m1": False, "m2": True}
