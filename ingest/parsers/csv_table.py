"""A CSV table with a header -> raw reports, by the stanza's field map (our name = their column). Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

from aggregator.errors import FeedChanged
from ingest.parsers import read
from ingest.parsers.base import Feed, Hints, Parsed
from ingest.parsers.fields import parse_items

LONGEST_HEAD = 50_000  # characters
DELIMITERS = ";,\t|"


def parse(payload: bytes, feed: Feed, hints: Hints) -> Parsed:
    """Read a table; a blank line is skipped. Raises FeedChanged where there is no header or a mapped column is gone.

    Without a field map the columns are ours by name.
    """
    text = read.text_of(payload, feed.encoding)
    if text.lstrip()[:1] == "<":
        raise FeedChanged("The answer is a web page (HTML or XML) where a CSV table was expected.")
    head = text.split("\n", 1)[0]
    if len(head) > LONGEST_HEAD:
        raise FeedChanged("The answer is one long line where a CSV table with a header was expected.")
    if not head.strip():
        raise FeedChanged("The answer is empty where a CSV table with a header was expected.")
    read.bounded(text.count("\n"), text.count("\n") + text.count(max(DELIMITERS, key=head.count)))
    delimiter = feed.delimiter or max(DELIMITERS, key=head.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    columns = [name.strip() for name in reader.fieldnames or ()]
    reader.fieldnames = columns
    for name, column in feed.fields.items():
        if column.partition("[")[0] not in columns:
            raise FeedChanged(f'The table has no column "{column}" (our {name}); it has {", ".join(columns)[:200]}.')
    rows = list(_rows(reader))
    return parse_items([row for row, _ in rows], feed, [line for _, line in rows])


def _rows(reader: csv.DictReader[str]) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Yield each row and its line; one that is too short keeps what it has, the rest is then missing."""
    try:
        for row in reader:
            yield {name: value for name, value in row.items() if isinstance(value, str)}, f"line {reader.line_num}"
    except csv.Error as error:
        raise FeedChanged(f"The table cannot be read at line {reader.line_num} ({error}).") from None
