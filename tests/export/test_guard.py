"""No cell runs as a formula in any spreadsheet, and every text comes back."""

from __future__ import annotations

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.export.columns import Column
from aggregator.export.excel import write_excel
from aggregator.export.guard import guarded, unguarded
from aggregator.export.table import write_csv

TEXT = (Column("a", "text", "a", "a"),)
LETTERS = st.text(st.sampled_from("=+-@＝＠ '\t\r\n;,|\"aZ1\u00a0"), max_size=10) | st.text(
    st.characters(blacklist_categories=["Cs"])
)


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"), ("@SUM(A1)", "'@SUM(A1)"), ("-2+3", "'-2+3"), ("＝1", "'＝1"), ("\t=1", "'\t'=1"),
        ("\rx", "'\rx"), (" =1", "' =1"), ("x;=1", "x;'=1"), ("x\n+1", "x\n'+1"), ("'=1", "''=1"),
        ("Netz; -5", "Netz; -5"), ("a=b", "a=b"), ("'s geht", "'s geht"), ("", ""),
    ],
)  # fmt: skip
def test_what_would_be_a_formula_gets_one_apostrophe_and_nothing_else_does(text: str, cell: str) -> None:
    assert guarded(text) == cell


@given(LETTERS)
def test_every_text_comes_back(text: str) -> None:
    assert unguarded(guarded(text)) == text


def begins_a_formula(cell: str) -> bool:
    """Say it as a spreadsheet would, without the pattern of the guard."""
    return cell[:1] in {"\t", "\r", "\n"} or cell.strip()[:1] in set("=+-@＝＋－＠") - {""}


@given(st.lists(LETTERS, min_size=1, max_size=5), st.booleans())
def test_no_cell_is_a_formula_and_none_hides_in_a_text(texts: list[str], german: bool) -> None:
    write, mark = (write_excel, ";") if german else (write_csv, ",")
    data = b"".join(write(({"a": one} for one in texts), TEXT)).decode("utf-8-sig")
    cells = [row[0] if row else "" for row in csv.reader(io.StringIO(data, newline=""), delimiter=mark)][1:]
    assert [unguarded(cell) for cell in cells] == texts
    assert not any(begins_a_formula(cell) for cell in cells)
    for cell in cells:  # as a spreadsheet sees it that takes another sign for the end of a cell
        assert not any(part[:1] in set("=+-@＝＋－＠") - {""} for part in re.split("[;\t\r\n]", cell))
