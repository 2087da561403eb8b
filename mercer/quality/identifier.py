"""A training table's inputs and roles in; which of them say who or which (user 12, item 7) out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mercer.quality.one_feature import codes_of
from mercer.quality.probe import Sheet
from mercer.quality.slot import Slot, frequent, tokens, values

if TYPE_CHECKING:
    import pyarrow as pa

    from mercer.quality.roles import Roles

__all__ = ["Identifier", "identifiers"]

_NAME = re.compile(
    r"(?i)(^|.*_)(id|uid|guid|uuid|sku|asin|编号)$|^(user|item|shopper|customer|member|product|goods|session|order)$"
)
_AHEAD = {
    *(
        "user",
        "item",
        "product",
        "shopper",
        "customer",
        "member",
        "buyer",
        "goods",
        "sku",
        "asin",
        "id",
        "uid",
        "order",
    ),
    *("用 户", "商 品", "产 品", "编 号", "会 员", "顾 客", "买 家", "宝 贝", "货 号"),
}
"""Words before an identifier in a text."""
FEWEST = 20
"""Distinct values below which a column or slot is a category."""
AGREEING = 0.8
"""Share of the rows with a slot in which its word is the row's own id."""
COVERAGE = 0.2
"""Share of rows that have a slot, from which it is looked at."""


@dataclass(frozen=True, slots=True)
class Identifier:
    """An id among a model's inputs."""

    column: str
    slot: Slot | None
    """Where in the text; None where the whole column is an id."""
    distinct: int
    words: tuple[str | None, ...]
    """The id of each row, None where it has none."""


def identifiers(table: pa.Table, sheet: Sheet, roles: Roles) -> list[Identifier]:
    """Ids in the inputs: columns named as such, slots of texts that hold a row's id or come after "user" or "商品"."""
    import pyarrow as pa

    found = []
    for name in sheet.codes:
        codes, distinct = codes_of(table[name])
        if (
            (name in roles.ids or _NAME.match(name))
            and distinct >= FEWEST
            and not pa.types.is_floating(table[name].type)
        ):
            words = tuple(None if code < 0 else str(code) for code in codes.tolist())
            found.append(Identifier(name, None, distinct, words))
    own = [[tokens(value) for value in table[name].cast(pa.string()).to_pylist()] for name in roles.ids]
    for name, rows in sheet.texts.items():
        found += _in_text(name, rows, own)
    return found


def _in_text(name: str, rows: Sequence[list[str]], own: Sequence[Sequence[list[str]]]) -> list[Identifier]:
    found: list[Identifier] = []
    seen: set[tuple[str | None, ...]] = set()
    slots = [slot for slot in frequent(rows, coverage=COVERAGE) if slot.kind != "count"]
    for slot, words in sorted(values(rows, slots).items(), key=lambda item: (item[0].kind, len(item[0].words))):
        present = [word for word in words if word is not None]
        distinct = len(set(present))
        if distinct < FEWEST or tuple(words) in seen:
            continue
        if any(_agree(words, ids) >= AGREEING for ids in own) or (_announced(slot) and _numbered(present)):
            seen.add(tuple(words))
            found.append(Identifier(name, slot, distinct, tuple(words)))
    return found


def _agree(words: Sequence[str | None], ids: Sequence[list[str]]) -> float:
    pairs = [(word, id) for word, id in zip(words, ids, strict=True) if word is not None and id]
    return sum(word in id for word, id in pairs) / len(pairs) if pairs else 0.0


def _announced(slot: Slot) -> bool:
    return slot.kind == "after" and (slot.words[-1] in _AHEAD or " ".join(slot.words) in _AHEAD)


def _numbered(words: Sequence[str]) -> bool:
    return sum(any(letter.isdigit() for letter in word) for word in words) >= AGREEING * len(words)
