"""Queries in; those that another spells in traditional characters, with other marks, or by their sound out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Any

from mercer.errors import SettingsError
from mercer.quality.check import CheckSettings, Inputs, Problem, check
from mercer.quality.checks.c03_duplicate import normalise
from mercer.quality.finding import Found

__all__ = ["Variant", "variant"]

_HAN = re.compile(r"[\u3400-\u9fff]")
_MARK = re.compile(r"[^\w]+")


@dataclass(frozen=True)
class Variant(CheckSettings):
    """When two spellings are one query."""

    shortest: int = 3
    """Han characters from which an equal sound is no chance (two: 事实, 实时, 时事 …)."""

    def __post_init__(self) -> None:
        CheckSettings.__post_init__(self)
        if self.shortest < 2:
            raise SettingsError(f"shortest is {self.shortest}", cure="give at least 2 characters")


@check(
    "L02",
    families=("queries",),
    tier="global",
    severity="medium",
    problems={
        "same_in_other_script": Problem(
            "another query but for script, width or marks", "与另一查询仅繁简或符号不同", "warn"
        ),
        "same_sound": Problem("another query sounds the same", "与另一查询同音", "warn"),
    },
    settings=Variant,
    english="a query is spelled one way, or its spellings share a group",
    chinese="同一查询的不同写法归为一组",
)
def variant(inputs: Inputs[Any], settings: Variant) -> Iterator[Found]:
    """Spellings of one query: NFKC, simplified characters and no marks; then pinyin without tones.

    The suggestion names the first spelling's id as the group to split by. Equal words (case and blanks) are X03's.
    Sounds need the package pypinyin (extra quality); without it they are not compared.
    """
    rows = [row for row in inputs["queries"].to_pylist() if row["query_id"] is not None and normalise(row["text"])]
    plain: dict[str, dict[str, Any]] = {}
    script, sounding = [], []
    sound = _sound(settings.shortest) if find_spec("pypinyin") else None
    heard: dict[str, dict[str, Any]] = {}
    for row in rows:
        key = _MARK.sub(" ", _simplified(normalise(row["text"]))).strip()
        if not key:
            continue
        first = plain.setdefault(key, row)
        if first is not row:
            if normalise(first["text"]) != normalise(row["text"]) and first["query_id"] != row["query_id"]:
                script.append(_line(row, first))
            continue
        spoken = sound(key) if sound else None
        if spoken is not None and (known := heard.setdefault(spoken, row)) is not row:
            sounding.append(_line(row, known))
    yield Found(_table(script), "queries", "text", "same_in_other_script")
    yield Found(_table(sounding), "queries", "text", "same_sound", 0.7)


def _line(row: dict[str, Any], first: dict[str, Any]) -> dict[str, Any]:
    line = {"row_id": row["row_id"], "query_id": row["query_id"], "text": row["text"], "first_text": first["text"]}
    return line | {"first_row": first["row_id"], "suggestion": f"group: {first['query_id']}"}


def _simplified(text: str) -> str:
    if not _HAN.search(text):
        return text
    found: str = _converter().convert(text)
    return found


@cache
def _converter() -> Any:
    from opencc import OpenCC

    return OpenCC("t2s")


def _sound(shortest: int) -> Callable[[str], str | None]:
    """Text → its syllables without tones, Han characters only where there are enough of them."""
    from pypinyin import lazy_pinyin

    def sound(text: str) -> str | None:
        if len(_HAN.findall(text)) < shortest:
            return None
        return " ".join(lazy_pinyin(text))

    return sound


def _table(rows: list[dict[str, Any]]) -> Any:
    import pyarrow as pa

    texts = [(name, pa.string()) for name in ("query_id", "text", "first_text", "suggestion")]
    return pa.Table.from_pylist(rows, schema=pa.schema([("row_id", pa.int64()), ("first_row", pa.int64()), *texts]))
