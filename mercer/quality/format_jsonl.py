"""Line-aligned blocks of JSON lines in; raw columns of strings, and the lines that did not parse, out."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mercer.quality.encoding import MARK, shown
from mercer.quality.rows import Bad, Batch

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

__all__ = ["batches", "keys", "paths", "select"]

DEEPEST = 3
"""Levels of objects within objects that are offered as columns ("offers.price")."""
WIDEST = 30
"""Keys of a nested object that may be columns; an object with more is a free list of names (attributes)."""
OBJECT = "case when json_valid(line) then json_type(line) = 'OBJECT' else false end"
ELEMENT = re.compile(r"^(.+)\[(\d+)\]$")


def keys(lines: Iterable[str]) -> tuple[str, ...]:
    """Names of columns in the first lines, nested ones with dots and list items with [0], in order of appearance.

    >>> keys(['{"id": 1, "offers": {"price": 2}, "image": ["a.jpg"]}', '{"id": '])
    ('id', 'offers', 'offers.price', 'image', 'image[0]')
    """
    found: dict[str, None] = {}
    for line in lines:
        try:
            value = json.loads(line)
        except ValueError:  # half a line: `batches` reports it
            continue
        if isinstance(value, dict):
            found.update(dict.fromkeys(_flat(value, "", DEEPEST)))
    children = Counter(name.rpartition(".")[0] for name in found)
    free = tuple(f"{name}." for name, count in children.items() if name and count > WIDEST)
    return tuple(name for name in found if not name.startswith(free) and _is_text(name))


def _is_text(name: str) -> bool:
    """Whether a key is whole Unicode: JSON may escape half a surrogate pair."""
    return not any("\ud800" <= letter <= "\udfff" for letter in name)


def _flat(value: dict[str, Any], prefix: str, depth: int) -> Iterator[str]:
    for key, inner in value.items():
        name = f"{prefix}{key}"
        yield name
        if isinstance(inner, dict) and depth > 1:
            yield from _flat(inner, f"{name}.", depth - 1)
        elif isinstance(inner, list) and inner:
            yield f"{name}[0]"
            if isinstance(inner[0], dict) and depth > 1:
                yield from _flat(inner[0], f"{name}[0].", depth - 1)


def paths(name: str) -> tuple[str, ...]:
    """JSON pointers (RFC 6901) that a column name may mean: the key as written, then the nested value.

    >>> paths("offers.price"), paths("image[0]")
    (('/offers.price', '/offers/price'), ('/image[0]', '/image/0'))
    """
    plain = name.replace("~", "~0").replace("/", "~1")
    nested = "/".join(ELEMENT.sub(r"\1/\2", part) for part in plain.split("."))
    return (f"/{plain}",) if plain == nested else (f"/{plain}", f"/{nested}")


def batches(
    blocks: Iterator[bytes], wanted: Sequence[str], bad: Bad, seen: dict[str, None], *, marked: bool
) -> Iterator[Batch]:
    """The `wanted` columns as strings (objects and lists as JSON), block by block; top-level keys go to `seen`."""
    import duckdb
    import pyarrow as pa

    row = line = 0
    with duckdb.connect() as connection:
        for block in blocks:
            texts = _lines(block)
            blank = _mask(connection, texts, "trim(line, chr(9) || chr(10) || chr(13) || ' ') = ''")
            whole = _mask(connection, texts, OBJECT)
            if marked:
                whole &= ~_mask(connection, texts, f"contains(line, '{MARK}')")
            rows = row + np.cumsum(~blank) - 1
            for at in np.flatnonzero(~blank & ~whole):
                text = shown(texts[int(at)].as_py().rstrip("\r\n"))
                bad.add(int(rows[at]), line + int(at) + 1, text, _problem(texts[int(at)].as_py()))
            count = int((~blank).sum())
            lines = texts if whole.all() else texts.filter(pa.array(whole))
            yield Batch(rows[whole], _columns(connection, lines, wanted, seen), count)
            row, line = row + count, line + len(texts)


def _lines(block: bytes) -> pa.Array:
    """Strings that share the memory of the block, each with its line feed."""
    import pyarrow as pa

    ends = np.flatnonzero(np.frombuffer(block, np.uint8) == 10).astype(np.int64) + 1
    offsets = pa.py_buffer(np.concatenate([np.zeros(1, np.int64), ends]))
    return pa.LargeStringArray.from_buffers(len(ends), offsets, pa.py_buffer(block))


def _mask(connection: duckdb.DuckDBPyConnection, texts: pa.Array, condition: str) -> Any:
    import pyarrow as pa

    connection.register("lines", pa.table({"line": texts}))
    answer = connection.sql(f"select {condition} as hit from lines").to_arrow_table()  # noqa: S608  # our own text
    return answer["hit"].combine_chunks().to_numpy(zero_copy_only=False).astype(bool)


def _problem(text: str) -> str:
    if MARK in text:
        return "bytes that are no text in the file's encoding"
    try:
        value = json.loads(text)
    except ValueError as error:
        return f"no JSON: {error}"
    if isinstance(value, dict):
        return "JSON with text that is no Unicode, such as half a surrogate pair"
    return f"a JSON {type(value).__name__} where an object is expected"


def _columns(
    connection: duckdb.DuckDBPyConnection, lines: pa.Array, wanted: Sequence[str], seen: dict[str, None]
) -> dict[str, Any]:
    import pyarrow as pa

    connection.register("lines", pa.table({"line": lines}))
    found = connection.sql("select distinct unnest(json_keys(line)) from lines").fetchall()
    seen.update(dict.fromkeys(sorted(key for (key,) in found)))
    table = select(connection, "lines", "line", wanted)
    return {name: table.column(place) for place, name in enumerate(wanted)}


def select(connection: duckdb.DuckDBPyConnection, table: str, column: str, wanted: Sequence[str]) -> pa.Table:
    """Columns of strings, one for each name in `wanted`, from a column of JSON objects."""
    every = [path for name in wanted for path in paths(name)]
    if not every:
        return connection.sql(f"select 1 from {table}").to_arrow_table()  # noqa: S608  # our own names
    pieces, place = [], 1
    for name in wanted:
        options = [f"v[{place + step}]" for step in range(len(paths(name)))]
        pieces.append(f"coalesce({', '.join(options)}) as c{place}")
        place += len(options)
    sql = f"select {', '.join(pieces)} from (select json_extract_string({column}, $paths) as v from {table})"  # noqa: S608
    literal = "[" + ", ".join("'" + path.replace("'", "''") + "'" for path in every) + "]"
    return connection.sql(sql.replace("$paths", literal)).to_arrow_table()
