"""Products in; listings that say the same as another under a different id out."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mercer.errors import SettingsError
from mercer.quality.check import CheckSettings, Inputs, Problem, check
from mercer.quality.finding import Found

__all__ = ["Duplicate", "duplicate"]

KEY = ("title", "brand", "attributes", "bullets", "description")


@dataclass(frozen=True)
class Duplicate(CheckSettings):
    """When two listings are one."""

    shortest: int = 2
    """Code points of a normalised title below which it says too little to be compared."""

    def __post_init__(self) -> None:
        CheckSettings.__post_init__(self)
        if self.shortest < 1:
            raise SettingsError(f"shortest is {self.shortest}", cure="give at least 1 code point")


@check(
    "C03",
    families=("products",),
    tier="global",
    severity="medium",
    problems={
        "same_listing": Problem("says the same as another product", "与另一商品内容相同", "warn"),
    },
    settings=Duplicate,
    english="a product is listed once",
    chinese="一个商品只上架一次",
)
def duplicate(inputs: Inputs[Any], settings: Duplicate) -> Iterator[Found]:
    """Exact copies after NFKC, case folding and blanks: title, brand, attributes, bullets and description all agree.

    Nothing is taken out: which of them sells is the shop's to know. The one with a price, then the first, is named
    canonical in the suggestion. Near copies (MinHash) are this check's next version.
    """
    import pyarrow as pa

    table = inputs["products"].select(["row_id", "id", "price", "category", *KEY])
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in table.to_pylist():
        key = tuple(normalise(row[name]) for name in KEY)
        if len(key[0]) >= settings.shortest and row["id"] is not None:
            groups.setdefault(key, []).append(row)
    found = [line for rows in groups.values() if len({row["id"] for row in rows}) > 1 for line in _lines(rows)]
    columns = [("row_id", pa.int64()), *((name, pa.string()) for name in ("id", "title", "canonical", "suggestion"))]
    listed = pa.Table.from_pylist(found, schema=pa.schema([*columns, ("copies", pa.int64())]))
    yield Found(listed, "products", "title", "same_listing")


def normalise(text: str | None) -> str:
    """NFKC, case-folded, blanks collapsed.

    >>> normalise("Ｃup　 A")
    'cup a'
    """
    return " ".join(unicodedata.normalize("NFKC", text or "").casefold().split())


def _lines(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    canonical = min(rows, key=lambda row: (row["price"] is None, row["row_id"]))
    for row in rows:
        if row["id"] != canonical["id"]:
            line = {"row_id": row["row_id"], "id": row["id"], "title": row["title"], "copies": len(rows)}
            yield line | {"canonical": canonical["id"], "suggestion": f"canonical: {canonical['id']}"}
