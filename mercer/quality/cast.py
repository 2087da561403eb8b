"""Raw columns of one batch in; canonical columns, and the values that fit no type, out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from mercer.quality import schema
from mercer.quality.expression import RETAIL, Expression
from mercer.quality.money import currency, money
from mercer.quality.rows import Batch
from mercer.quality.schema import COLUMNS
from mercer.quality.time import Clock
from mercer.quality.vocabulary import action, availability

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Cast"]

IDS = frozenset({"id", "event_id", "shopper", "session", "product", "query_id", "conversation"})
TIMES = frozenset({"time", "valid_from", "valid_until"})
MISSING = ("", "null", "none", "n/a", "na", "\\n", "-", "--", "nan", "nat", "无")
"""How exports write a missing number, time or id."""
NUMBER = r"^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$|^(?i:[-+]?(nan|inf|infinity))$"
LISTS = {"category": " > ", "bullets": "\n"}

Uncast = tuple[int, str, str]
"""Row, field, text."""


class Cast:
    """Casts the batches of one file one after another; the clock remembers what it settled on."""

    def __init__(self, family: str, expressions: Mapping[str, Expression], timezone: str) -> None:
        """Prepare for one file of `family`."""
        self.family = family
        self.expressions = expressions
        self.clock = Clock(timezone)
        self.uncast: list[Uncast] = []

    def __call__(self, batch: Batch) -> pa.Table:
        """The canonical table of one batch."""
        import pyarrow as pa

        count = len(batch.rows)
        found: dict[str, Any] = {"row_id": pa.array(batch.rows, pa.int64())}
        for column, kind in COLUMNS[self.family].items():
            found[column] = pa.nulls(count, schema.SCHEMAS[self.family].field(column).type)
            if column in self.expressions and column != "type":
                found[column] = self._column(column, kind, batch)
        if self.family == "products" and "currency" not in self.expressions:
            found["currency"] = self._currency_of_price(batch, found["currency"])
        if "type" in COLUMNS[self.family]:
            found["type"] = self._type(batch, found)
        if self.family == "events" and "event_id" not in self.expressions:
            found["event_id"] = _event_ids(found)
        return pa.table(found, schema=schema.SCHEMAS[self.family])

    def _raw(self, column: str, batch: Batch) -> pa.Array:
        """What the mapping gives for one column: an array as the file has it, or the first that is present."""
        import pyarrow as pa
        import pyarrow.compute as pc

        expression = self.expressions[column]
        if expression.constant is not None:
            return pa.repeat(pa.scalar(expression.constant), len(batch.rows))
        arrays = [_flat(batch.columns[name]) for name in expression.columns]
        return arrays[0] if len(arrays) == 1 else pc.coalesce(*(_present(_text(array)) for array in arrays))

    def _column(self, column: str, kind: str, batch: Batch) -> pa.Array:
        import pyarrow.compute as pc

        if column == "attributes":
            return _pack({name: _flat(batch.columns[name]) for name in self.expressions[column].columns})
        raw = self._raw(column, batch)
        if column in TIMES:
            present, value = _present(_text(raw), MISSING), self.clock(raw)
        elif kind in ("float", "int"):
            present, value = _numbers(raw, whole=kind == "int")
        elif column in IDS:
            present = value = _ids(raw)
        elif column in LISTS:
            present = value = _joined(_present(_text(raw)), LISTS[column])
        elif column in ("availability", "currency"):
            present = _present(_text(raw), MISSING)
            value = _translated(present, self._words(column))
        else:
            present = value = _present(_text(raw), ("", "\\n"))
        lost = pc.and_(pc.is_valid(present), pc.is_null(value)).to_numpy(zero_copy_only=False)
        self.uncast += [(int(batch.rows[at]), column, present[at].as_py()) for at in np.flatnonzero(lost)]
        return value

    def _words(self, column: str) -> Callable[[str], str | None]:
        if column == "currency":
            return lambda word: currency(word.upper())
        raw = "".join(self.expressions[column].columns[:1])
        return lambda word: availability(word, column=raw)

    def _currency_of_price(self, batch: Batch, nothing: pa.Array) -> pa.Array:
        """The currency that prices carry ("15.00 USD")."""
        import pyarrow as pa

        for column in ("price", "list_price"):
            if column in self.expressions:
                raw = self._raw(column, batch)
                if pa.types.is_string(raw.type) or pa.types.is_large_string(raw.type):
                    return _translated(_unlike(_text(raw), NUMBER), currency)
        return nothing

    def _type(self, batch: Batch, found: Mapping[str, Any]) -> pa.Array:
        """Mercer's action where the shop's word is known, else the word itself (check E01 sees it)."""
        import pyarrow as pa
        import pyarrow.compute as pc

        expression = self.expressions.get("type")
        if expression is None:
            return found["type"]
        if expression.constant == RETAIL[1:]:
            back = pc.or_(
                pc.fill_null(pc.less(found["quantity"], 0), False),
                pc.fill_null(pc.starts_with(found["session"], "C"), False),
            )
            return pc.if_else(back, pa.scalar("refund"), pa.scalar("purchase"))
        return _translated(_present(_text(self._raw("type", batch)), MISSING), lambda word: action(word) or word)


def _flat(array: Any) -> pa.Array:
    import pyarrow as pa

    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _text(array: pa.Array) -> pa.Array:
    """Strings; whole floats without ".0", as pandas writes ids that have gaps."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_floating(array.type):
        text = array.cast(pa.string())
        return pc.replace_substring_regex(text, r"\.0$", "")
    return array if pa.types.is_string(array.type) else array.cast(pa.string())


def _present(text: pa.Array, missing: tuple[str, ...] = ("",)) -> pa.Array:
    """Null where the trimmed text is one of the words for nothing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    trimmed = pc.utf8_lower(pc.utf8_trim_whitespace(text)) if len(missing) > 1 else pc.utf8_trim_whitespace(text)
    return pc.if_else(pc.is_in(trimmed, pa.array(missing)), pa.scalar(None, pa.string()), text)


def _unlike(text: pa.Array, pattern: str) -> pa.Array:
    """Null where the trimmed text matches."""
    import pyarrow as pa
    import pyarrow.compute as pc

    like = pc.match_substring_regex(pc.utf8_trim_whitespace(text), pattern)
    return pc.if_else(like, pa.scalar(None, pa.string()), text)


def _ids(raw: pa.Array) -> pa.Array:
    import pyarrow.compute as pc

    trimmed = pc.utf8_trim_whitespace(_present(_text(raw), tuple(word for word in MISSING if word not in ("na", "-"))))
    return pc.replace_substring_regex(trimmed, r"^(\d+)\.0$", r"\1")


def _numbers(raw: pa.Array, *, whole: bool) -> tuple[pa.Array, pa.Array]:
    """What is present, and its number: plain text by Arrow, prices with signs and separators by distinct value."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_integer(raw.type) or pa.types.is_floating(raw.type) or pa.types.is_decimal(raw.type):
        present, value = _text(raw), raw.cast(pa.float64(), safe=False)
    else:
        present = _present(_text(raw), tuple(word for word in MISSING if whole or word != "nan"))
        trimmed = pc.utf8_trim_whitespace(present)
        other = _unlike(trimmed, NUMBER)
        value = _floats(pc.if_else(pc.is_valid(other), pa.scalar(None, pa.string()), trimmed))
        if other.null_count < len(other):
            value = pc.coalesce(value, _translated(other, money, pa.float64()))
    if not whole:
        return present, value
    fits = pc.and_(pc.is_finite(value), pc.less(pc.abs(value), 2.0**53))
    fits = pc.and_(fits, pc.equal(value, pc.round(value)))
    kept = pc.if_else(pc.fill_null(fits, False), value, pa.scalar(None, pa.float64()))
    return pc.if_else(pc.fill_null(pc.is_nan(value), False), pa.scalar(None, pa.string()), present), kept.cast(
        pa.int64()
    )


def _floats(text: pa.Array) -> pa.Array:
    import pyarrow as pa

    try:
        return text.cast(pa.float64())
    except pa.ArrowInvalid:  # a number beyond any double, such as 1e999
        return _translated(text, float, pa.float64())


def _translated(text: pa.Array, word: Callable[[str], Any], kind: Any = None) -> pa.Array:
    """Apply `word` once to each distinct value."""
    import pyarrow as pa

    coded = text.dictionary_encode()
    meaning = pa.array([word(value) for value in coded.dictionary.to_pylist()], kind or pa.string())
    return meaning.take(coded.indices)


def _joined(text: pa.Array, separator: str) -> pa.Array:
    """JSON lists as one string, category paths with the separator spaced alike; an empty list is null."""

    def one(value: str) -> str | None:
        if value.lstrip().startswith("["):
            try:
                items = json.loads(value)
            except ValueError:
                return value
            return separator.join(str(item).strip() for item in items if item is not None and str(item).strip()) or None
        return value if separator == "\n" else separator.join(part.strip() for part in value.split(separator.strip()))

    return _translated(text, one)


def _pack(columns: Mapping[str, pa.Array]) -> pa.Array:
    """One JSON object of strings a row from objects (their keys) and plain columns (their name); empty is null.

    Row by row in Python: only products have attributes.
    """
    import pyarrow as pa

    rows = zip(*(_present(_text(array)).to_pylist() for array in columns.values()), strict=True)
    return pa.array([_object(dict(zip(columns, row, strict=True))) for row in rows], pa.string())


def _object(row: Mapping[str, str | None]) -> str | None:
    packed: dict[str, str] = {}
    for name, value in row.items():
        if value is None:
            continue
        inner = _parsed(value)
        pairs = inner.items() if isinstance(inner, dict) else ((name, value),)
        packed.update({str(key): _plain(item) for key, item in pairs if item not in (None, "")})
    return json.dumps(packed, ensure_ascii=False, sort_keys=True) if packed else None


def _parsed(value: str) -> Any:
    if not value.startswith("{"):
        return None
    try:
        return json.loads(value)
    except ValueError:  # text that only looks like JSON stays text
        return None


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _event_ids(found: Mapping[str, Any]) -> pa.Array:
    """Sixteen hex digits of MD5 over content and row: the same file gives the same ids on every engine."""
    import duckdb
    import pyarrow as pa

    content = ["row_id", "type", "shopper", "session", "product", "time"]
    with duckdb.connect() as connection:
        connection.register("events", pa.table({name: found[name] for name in content}))
        joined = ", ".join(f"coalesce({name}::varchar, '')" for name in content)
        sql = f"select md5(concat_ws('|', {joined}))[1:16] as event_id from events"  # noqa: S608  # our own names
        return _flat(connection.sql(sql).to_arrow_table()["event_id"]).cast(pa.string())
