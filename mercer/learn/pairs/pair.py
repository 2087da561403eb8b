"""Columns of pairs in; the one table that every source of them fills, out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from mercer.errors import DataError
from mercer.retrieve.analyze import normalise

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["empty", "gains_of", "group_of", "joined", "rows_of", "schema", "to_pairs"]

COLUMNS: Mapping[str, str] = {
    "query": "string",
    "product": "string",
    "text": "string",
    "gain": "float32",
    "weight": "float32",
    "group": "string",
    "time": "int64",
    "source": "string",
    "lineage": "string",
}
"""query: what was or might be typed; product: id; text: what the encoder reads of it; gain: how right it is, 0 to 1;
weight: how much the pair counts, above 0; group: pairs of one group are never on two sides of a split; time: UTC ms,
null where nothing happened; source: ``judgments``, ``events:click`` or ``catalogue:bullet``; lineage: rows or
products of trusted data that it was made from."""


@cache
def schema() -> pa.Schema:
    """Of every table of pairs, see `COLUMNS`."""
    import pyarrow as pa

    types = {"string": pa.string(), "float32": pa.float32(), "int64": pa.int64()}
    return pa.schema([(name, types[kind]) for name, kind in COLUMNS.items()])


def group_of(query: str) -> str:
    """What keeps spellings of one query together: script, case, width and the order of words left out.

    >>> group_of("Red  SHOES"), group_of("shoes, red") == group_of("red shoes"), group_of("連衣裙")
    ('red shoes', True, '连衣裙')
    """
    letters = (letter if letter.isalnum() else " " for letter in normalise(query))
    return " ".join(sorted("".join(letters).split()))


def to_pairs(rows: Iterable[Sequence[Any]]) -> pa.Table:
    """A table of pairs from tuples in the order of `COLUMNS`."""
    import pyarrow as pa

    columns = list(zip(*rows, strict=True)) or [()] * len(COLUMNS)
    return pa.table([pa.array(column, field.type) for column, field in zip(columns, schema(), strict=True)], schema())


def gains_of(pairs: pa.Table) -> dict[str, dict[str, float]]:
    """Query text → product → gain."""
    found: dict[str, dict[str, float]] = {}
    for query, product, gain in zip(*(pairs[name].to_pylist() for name in ("query", "product", "gain")), strict=True):
        found.setdefault(query, {})[product] = gain
    return found


def rows_of(pairs: pa.Table, rows: Iterable[int]) -> pa.Table:
    """Some rows, in this order; none is a table too."""
    import pyarrow as pa

    return pairs.take(pa.array(list(rows), pa.int64()))


def empty() -> pa.Table:
    """No pairs."""
    return schema().empty_table()


def joined(*pairs: pa.Table) -> pa.Table:
    """All pairs of several sources, those with weight 0 or without a text left out.

    Raises:
        DataError: a gain or a weight is no finite number, or a gain is not between 0 and 1.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    table = pa.concat_tables([*pairs, empty()])
    for name in ("gain", "weight"):
        bad = pc.sum(pc.invert(pc.fill_null(pc.is_finite(table[name]), False))).as_py() or 0
        if bad:
            raise DataError(
                f"{bad} pairs have no finite {name}", cure="look at judgments and events: mercer check SHOP"
            )
    if len(table) and not (pc.min(table["gain"]).as_py() >= 0 and pc.max(table["gain"]).as_py() <= 1):
        raise DataError("a gain is not between 0 and 1", cure="give gains such as 3=1,2=.1,1=.01,0=0")
    sound = pc.and_(pc.greater(table["weight"], 0), pc.and_(_filled(table["query"]), _filled(table["text"])))
    return table.filter(sound).combine_chunks()


def _filled(column: pa.ChunkedArray) -> Any:
    import pyarrow.compute as pc

    return pc.fill_null(pc.greater(pc.utf8_length(pc.utf8_trim_whitespace(column)), 0), False)
