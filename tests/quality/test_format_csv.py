import csv
import io
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mercer.errors import FormatError
from mercer.quality.dialect import Dialect, sniff
from mercer.quality.format_csv import batches
from mercer.quality.rows import Bad

ABC = Dialect(",", ("a", "b", "c"), 0)


def parse(text: str | Sequence[str], dialect: Dialect = ABC) -> tuple[list[tuple[int, ...]], Bad]:
    """(row, *values) of the good rows, and the bad ones."""
    bad = Bad()
    blocks = [text] if isinstance(text, str) else text
    rows: list[tuple[int, ...]] = []
    for batch in batches((block.encode() for block in blocks), dialect, bad, marked=False):
        rows += zip(batch.rows.tolist(), *(column.to_pylist() for column in batch.columns.values()), strict=True)
    return rows, bad


def test_shifted_rows_go_out_with_their_line_and_the_rest_stays() -> None:
    rows, bad = parse("1,x,2\n\n3,4\n5,y,6,7\n8,z,9\n")
    assert rows == [(0, "1", "x", "2"), (3, "8", "z", "9")]
    assert [(row, line, text) for row, line, text, _ in bad.rows] == [(1, 3, "3,4"), (2, 4, "5,y,6,7")]
    assert "2 columns where 3 are expected" in bad.rows[0][3]


def test_a_row_over_several_lines_is_one_row() -> None:
    rows, bad = parse('1,"two\nlines",2\n3,x,4\n5,6\n')
    assert rows == [(0, "1", "two\nlines", "2"), (1, "3", "x", "4")]
    assert [(row, line) for row, line, *_ in bad.rows] == [(2, 4)]


def test_a_stray_quote_costs_its_own_line_only() -> None:
    rows, bad = parse('1,"open,2\n3,x,4\n5,"quoted, well",6\n7,y,8\n')
    assert [row[0] for row in rows] == [1, 2, 3]
    assert [(row, line, text) for row, line, text, _ in bad.rows] == [(0, 1, '1,"open,2')]


def test_a_stray_quote_in_the_last_line() -> None:
    rows, bad = parse('1,x,2\n3,"open,4\n')
    assert rows == [(0, "1", "x", "2")]
    assert [(row, line) for row, line, *_ in bad.rows] == [(1, 2)]


def test_quotes_inside_plain_text_are_text() -> None:
    rows, bad = parse('1,5" pipe,2\n3,"say ""hi""",4\n')
    assert rows == [(0, "1", '5" pipe', "2"), (1, "3", 'say "hi"', "4")]
    assert not bad.rows


def test_a_quoted_row_across_two_blocks() -> None:
    rows, bad = parse(['1,x,2\n3,"two\n', 'lines",4\n5,y\n'])
    assert rows == [(0, "1", "x", "2"), (1, "3", "two\nlines", "4")]
    assert [(row, line) for row, line, *_ in bad.rows] == [(2, 4)]


CELL = st.text(st.characters(exclude_categories=("Cs", "Cc"), include_characters='\n",;'), max_size=8)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(CELL.filter(bool), CELL, CELL), min_size=1, max_size=20), st.booleans())
def test_what_a_csv_writer_wrote_is_read_back_or_accounted_for(rows: list[tuple[str, ...]], quote: bool) -> None:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_ALL if quote else csv.QUOTE_MINIMAL).writerows(rows)
    read, bad = parse(stream.getvalue())
    assert len(read) + len(bad.rows) >= len(rows) or any("\n" in cell for row in rows for cell in row)
    if not any("\n" in cell for row in rows for cell in row):
        assert [row[1:] for row in read] == rows
        assert not bad.rows


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.sampled_from('ab1,"\n\r '), max_size=12), max_size=12))
def test_whatever_the_bytes_no_line_is_lost(lines: list[str]) -> None:
    text = "".join(f"{line}\n" for line in lines)
    read, bad = parse(text)
    numbers = sorted([row[0] for row in read] + [row for row, *_ in bad.rows])
    assert numbers == list(range(len(numbers)))
    held = "".join(str(cell) for row in read for cell in row[1:]) + "".join(text for _, _, text, _ in bad.rows)
    assert sum(map(held.count, "ab1")) == sum(map(text.count, "ab1"))


@pytest.mark.parametrize(
    ("text", "family", "delimiter", "columns"),
    [
        ("id,title,price\n1,Cup,2\n", "products", ",", ("id", "title", "price")),
        ("id;title;price\n1;Cup, red;2,50\n", "products", ";", ("id", "title", "price")),
        ("id|title\n1|a,b\n2|c\n", "products", "|", ("id", "title")),
        ("q001\ttable, red\nq002\tchair\n", "queries", "\t", ("column_1", "column_2")),
        ("query_id\ttext\nq002\tchair\n", "queries", "\t", ("query_id", "text")),
        ("q1 0 B01 3\nq1 0 B02 0\n", "judgments", "\t", ("column_1", "column_2", "column_3", "column_4")),
        ("query,product,grade\nq1,B01,3\n", "judgments", ",", ("query", "product", "grade")),
        ("商品编号,标题\n1,杯子\n", "products", ",", ("商品编号", "标题")),
        ("id,name,name\n1,a,b\n", "products", ",", ("id", "name", "name (2)")),
        ("foo,bar,baz\nab,cd,1.5\nef,gh,2\n", "products", ",", ("foo", "bar", "baz")),
        ("7,cd,1.5\n8,gh,2\n", "events", ",", ("column_1", "column_2", "column_3")),
    ],
)
def test_dialects(text: str, family: str, delimiter: str, columns: tuple[str, ...]) -> None:
    found = sniff(text, family, whole=True)
    assert (found.delimiter, found.columns) == (delimiter, columns)


def test_spaces_between_the_columns_of_qrels() -> None:
    text = " q1   0 B01\t3 \nq1 0  B02 0\n"
    rows, bad = parse(text, sniff(text, "judgments", whole=True))
    assert rows == [(0, "q1", "0", "B01", "3"), (1, "q1", "0", "B02", "0")]
    assert not bad.rows


def test_blank_lines_alone_are_no_table() -> None:
    with pytest.raises(FormatError, match="blank"):
        sniff("\n \n", "products", whole=True)
