"""Posts -> raw reports: what free text says of a fault, with the stanza's constants for what it does not. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from aggregator.model import RawReport, Rejected
from ingest.parsers import Feed, Parsed
from ingest.parsers.base import Post
from ingest.text import Reader, Reading
from ingest.text.reader import Facts

UNSAID: Final = "other"  # the service of a post that does not say which
LONGEST: Final = 2000
MENTION: Final = re.compile(r"@\w[\w.-]*(?:@[\w.-]+)?")  # other people, who report nothing


def told(parsed: Parsed, feed: Feed, facts: Facts) -> Parsed:
    """Return `parsed` with a raw report for each fault that its posts tell, and the other posts rejected.

    Nothing of a rejected post is kept: it is a person's words about something else.
    """
    if not parsed.posts:
        return parsed
    reader = Reader(facts)
    about = facts.provider_id(feed.provider) or ""
    found = Parsed(list(parsed.reports), list(parsed.rejected), parsed.statements, parsed.signals)
    for post in parsed.posts:
        reading = reader.read(post.text, post.posted_at, about=about)
        for item in _reports(post, reading, feed):
            if isinstance(item, RawReport):
                found.reports.append(item)
            else:
                found.rejected.append(item)
    return found


def _reports(post: Post, reading: Reading, feed: Feed) -> Iterator[RawReport | Rejected]:
    """Yield one report for each provider that is at fault, or why there is none."""
    if not reading.is_report:
        sure = f"{100 * reading.confidence:.0f} %"
        yield Rejected("not_a_report", f"It tells no fault of one's own and of now (sure to {sure}).", where=post.where)
        return
    if not reading.providers:
        yield Rejected("unknown_provider", "It tells a fault, but names no provider.", "provider", post.where)
        return
    for number, provider in enumerate(reading.providers):
        # The first keeps the post's own key, so that it stays the same report when another provider is read out of it.
        key = f"{post.key} {provider.value}" if number and post.key else post.key
        yield _placed(_report(post, reading, feed, provider.value, key), post, reading)


def _report(post: Post, reading: Reading, feed: Feed, provider: str, key: str) -> RawReport:
    return RawReport(
        source=feed.name,
        provider=provider,
        service=reading.service.value or feed.service or UNSAID,
        symptom=reading.symptom or feed.symptom,
        key=key,
        observed_at=post.posted_at,
        began_at=reading.began_at,
        reporter=post.reporter,
        comment=MENTION.sub("@…", post.text[:LONGEST]),
        where=post.where,
        network=post.network,
    )


def _placed(raw: RawReport, post: Post, reading: Reading) -> RawReport:
    """Put it where the post's own coordinates say, else where its text does."""
    if post.lat is not None and post.lon is not None:
        return replace(raw, lat=post.lat, lon=post.lon)
    if reading.place is None:
        return raw
    if reading.place.plz:
        return replace(raw, plz=reading.place.plz)
    return replace(raw, region=reading.place.region, place_source=reading.place.source)
