"""The contract's import columns, as CSV, NDJSON or the fields of an API call -> raw reports. Pure."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from aggregator.errors import DataError
from aggregator.exported import Exported, is_export, reader
from aggregator.model import RawReport, Rejected

NEEDED: Final = ("provider", "service", "observed_at")
PLACE: Final = ("plz", "place", "region")  # one of these, or both coordinates
COORDINATES: Final = ("lat", "lon")
OPTIONAL: Final = ("symptom", "reporter", "received_at", "began_at", "ended_at", "report_id", "comment")
COLUMNS: Final = (*NEEDED, *PLACE, *COORDINATES, *OPTIONAL)
FIELD_OF: Final[Mapping[str, str]] = {name: "key" if name == "report_id" else name for name in COLUMNS}
FIELDS: Final = (*FIELD_OF.items(), ("uid", "key"))  # of a call to the API
NO_TEXT: Final = (list, dict, bool)

DELIMITERS: Final = ",;\t|"
NOT_UTF8: Final = "\udc80"  # what surrogateescape makes of a byte that is no UTF-8
TRUE: Final = frozenset({"true", "wahr"})  # the latter in a file for Excel
LONGEST_LINE: Final = 100_000  # bytes: more is not a report

Item = RawReport | Rejected | Exported


def read_csv(lines: Iterable[bytes], source: str = "import") -> Iterator[Item]:
    """Yield the rows of a CSV file, given line by line as bytes; a bad row is a Rejected with its line.

    UTF-8, with or without byte-order mark; comma, semicolon, tab or | as the header has them. Unknown columns are
    passed over. Rows of our own export keep their id, their source and whether they count. Raises DataError where the
    header lacks a needed column or the first bytes are not text.
    """
    texts = iter(decoded(lines))
    header = next(texts, "")
    delimiter = max(DELIMITERS, key=header.count)
    names = _names(header, delimiter)
    check_columns(names)
    rows = csv.reader(texts, delimiter=delimiter, skipinitialspace=True, strict=True)
    make = _maker(names, source)
    while True:
        before = rows.line_num + 2  # the header is line 1
        try:
            row = next(rows, None)
        except csv.Error as error:
            yield _bad_row(f"cannot be read ({error}); close its quotation marks", before)
            continue
        if row is None:
            return
        if row:
            yield _checked(row, len(names), before) or make(row, before)


def _names(header: str, delimiter: str) -> list[str]:
    """Return the names of the columns; DataError where the first line is no row of CSV."""
    try:
        return [name.strip().lower() for name in next(csv.reader([header], delimiter=delimiter), [])]
    except csv.Error as error:
        raise DataError(f"The header cannot be read ({error}); save the file as CSV with usual ends of line.") from None


def _maker(names: Sequence[str], source: str) -> Callable[[Sequence[str], int], Item]:
    """Return what turns a row of the columns `names` into an item."""
    wanted = [(FIELD_OF[name], index) for index, name in enumerate(names) if name in FIELD_OF]
    simulated = names.index("simulated") if "simulated" in names else None
    exported = reader(names) if is_export(names) else None

    def make(row: Sequence[str], line: int) -> Item:
        if simulated is not None and row[simulated].strip().lower() in TRUE:
            return _simulated(line)
        if exported:
            return exported(row, f"line {line}")
        values: dict[str, Any] = {field: row[index] for field, index in wanted}
        return RawReport(source, where=f"line {line}", **values)

    return make


def _checked(row: Sequence[str], width: int, line: int) -> Rejected | None:
    if len(row) != width:
        why = "the file looks cut off there" if len(row) < width else "put quotation marks round text with commas"
        return _bad_row(f"has {len(row)} of {width} columns; {why}", line)
    try:
        "".join(row).encode("utf-8")  # fails on the lone surrogates that stand for bytes that are no UTF-8
    except UnicodeEncodeError:
        return Rejected("bad_encoding", f"Line {line} is not UTF-8; save the file as UTF-8.", where=f"line {line}")
    return None


def _bad_row(what: str, line: int) -> Rejected:
    return Rejected("bad_row", f"Line {line} {what}.", where=f"line {line}")


def _simulated(line: int) -> Rejected:
    said = "The row is marked as simulated; the demo's reports are not facts and stay out."
    return Rejected("simulated", said, "simulated", f"line {line}")


def check_columns(names: Sequence[str]) -> None:
    """Raise DataError, naming the columns that are missing, where `names` cannot be a table of reports."""
    shown = ", ".join(name[:30] for name in names[:12]) or "nothing"
    missing = [name for name in NEEDED if name not in names]
    if missing:
        raise DataError(f"The header lacks the column {' and '.join(missing)}; add it (found: {shown}).")
    one = [name for name in COORDINATES if name in names]
    if not any(name in names for name in PLACE) and len(one) < 2:
        raise DataError(f"No column says where: add plz, place, region, or lat and lon (found: {shown}).")


def decoded(lines: Iterable[bytes]) -> Iterator[str]:
    """Yield the lines as text; bytes that are no UTF-8 come as lone surrogates, to be found in their row.

    Raises DataError where the first line is UTF-16 or no text; a later one that is none comes as one lone surrogate.
    """
    for number, line in enumerate(lines, 1):
        if number == 1:
            if line.startswith((b"\xff\xfe", b"\xfe\xff")):
                raise DataError("The file is UTF-16; save it as UTF-8.")
            if len(line) > LONGEST_LINE or b"\0" in line:
                raise DataError("The file is not text (binary data or no end of line); is it the right one?")
            line = line.removeprefix(b"\xef\xbb\xbf")  # noqa: PLW2901
        text = len(line) <= LONGEST_LINE and b"\0" not in line
        yield line.decode("utf-8", "surrogateescape") if text else f"{NOT_UTF8}\n"


def bounded(readline: Callable[[int], bytes]) -> Iterator[bytes]:
    """Yield what a file's `readline` gives, without ever holding more than LONGEST_LINE bytes."""
    return iter(lambda: readline(LONGEST_LINE + 1), b"")


def read_ndjson(lines: Iterable[bytes], source: str = "import") -> Iterator[Item]:
    """Yield the items of a file with one JSON object a line, the fields named as the CSV columns."""
    for number, text in enumerate(decoded(lines), 1):
        if not text.strip():
            continue
        try:
            values = json.loads(text)
        except (ValueError, RecursionError):
            yield _bad_row("is not a whole JSON object; the file looks cut off or is of another format", number)
            continue
        if not isinstance(values, dict):
            yield _bad_row("is not a JSON object with named fields", number)
        elif str(values.get("simulated", "")).lower() == "true":
            yield _simulated(number)
        else:
            yield from_fields(values, source, where=f"line {number}")


def from_fields(
    values: Mapping[str, Any], source: str, *, where: str = "", address: str = "", person: str = ""
) -> RawReport | Rejected:
    """Return the raw report of fields named as the CSV columns: text, numbers or null; `uid` is as good as report_id.

    Unknown names are passed over; a value that is a list or an object is Rejected. person: who reports where no
    reporter is named.
    """
    texts: dict[str, Any] = {}
    for name, field in FIELDS:
        value = values.get(name)
        if isinstance(value, NO_TEXT):
            return Rejected("bad_field", f"{name} is no text; write text or a number.", name, where)
        if value is not None and not texts.get(field):
            texts[field] = value if isinstance(value, str) else str(value)
    texts["reporter"] = texts.get("reporter") or person
    return RawReport(source, where=where, address=address, **texts)


READERS: Final[Mapping[str, Callable[[Iterable[bytes]], Iterator[Item]]]] = {"csv": read_csv, "ndjson": read_ndjson}
