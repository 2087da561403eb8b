"""Products in; listings that say the same as another under a different id out."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mercer.errors import MissingExtra, SettingsError
from mercer.quality.alike import clusters, pairs
from mercer.quality.check import CheckSettings, Inputs, Problem, check
from mercer.quality.copied import Listing, is_copy, listing
from mercer.quality.finding import Found
from mercer.quality.profile import name_of

__all__ = ["Duplicate", "duplicate"]

KEY = ("title", "brand", "attributes", "bullets", "description")


@dataclass(frozen=True)
class Duplicate(CheckSettings):
    """When two listings are one."""

    shortest: int = 2
    """Code points of a normalised title below which it says too little to be compared."""
    titles: float = 0.6
    """Jaccard (0 to 1) of the pieces of two titles from which they are looked at as near copies."""
    bodies: float = 0.7
    """The same of descriptions and bullets, where both listings have some."""
    price_ratio: float = 2.0
    """Prices of two near copies are at most this many times apart."""

    def __post_init__(self) -> None:
        CheckSettings.__post_init__(self)
        if self.shortest < 1:
            raise SettingsError(f"shortest is {self.shortest}", cure="give at least 1 code point")
        for name in ("titles", "bodies"):
            if not 0 <= getattr(self, name) <= 1:
                raise SettingsError(f"{name} is {getattr(self, name)}", cure="give a share between 0 and 1")
        if self.price_ratio < 1:
            raise SettingsError(f"price_ratio is {self.price_ratio}", cure="give 1 or more")


@check(
    "C03",
    families=("products",),
    tier="global",
    severity="medium",
    problems={
        "same_listing": Problem("says the same as another product", "与另一商品内容相同", "warn"),
        "near_listing": Problem("says nearly the same as another product", "与另一商品内容几乎相同", "warn"),
    },
    settings=Duplicate,
    version=2,
    english="a product is listed once",
    chinese="一个商品只上架一次",
)
def duplicate(inputs: Inputs[Any], settings: Duplicate) -> Iterator[Found]:
    """Exact copies after NFKC, case folding and blanks: title, brand, attributes, bullets and description all agree.

    Near copies: a word of promotion, an order or a slip of the pen apart, with the same brand, numbers and attributes;
    found by MinHash where the package rensa is installed. Nothing is taken out: which of them sells is the shop's to
    know. The one with a price, then the first, is named canonical in the suggestion.
    """
    rows = inputs["products"].select(["row_id", "id", "price", "category", *KEY]).to_pylist()
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        said = [normalise(row[name]) for name in KEY]
        if len(said[0]) >= settings.shortest and row["id"] is not None:
            groups.setdefault(name_of(*said), []).append(row)
    same = [line for rows in groups.values() if len({row["id"] for row in rows}) > 1 for line in _lines(rows)]
    yield _found(same, "same_listing")
    first = [listing(group[0]) for group in groups.values()]
    near = [line for rows in _near(first, settings) for line in _lines(rows)]
    yield _found(near, "near_listing")


def _near(listings: list[Listing], settings: Duplicate) -> Iterator[list[dict[str, Any]]]:
    """Rows that are near copies of each other, group by group."""
    joined = []
    for one, other in _candidates(listings, settings):
        pair = (listings[one], listings[other])
        if pair[0].row["id"] != pair[1].row["id"] and is_copy(*pair, body=settings.bodies, price=settings.price_ratio):
            joined.append((one, other))
    for group in clusters(len(listings), joined):
        yield [dict(listings[place].row) for place in group]


def _candidates(listings: list[Listing], settings: Duplicate) -> Iterator[tuple[int, int]]:
    letters: dict[str, int] = {}
    for place, one in enumerate(listings):
        before = letters.setdefault(one.letters, place)
        if before != place and one.letters:
            yield before, place
    try:
        yield from ((one, other) for one, other, _ in pairs([one.shingles for one in listings], settings.titles))
    except MissingExtra:
        return


def _found(lines: list[dict[str, Any]], problem: str) -> Found:
    import pyarrow as pa

    columns = [("row_id", pa.int64()), *((name, pa.string()) for name in ("id", "title", "canonical", "suggestion"))]
    listed = pa.Table.from_pylist(lines, schema=pa.schema([*columns, ("copies", pa.int64())]))
    return Found(listed, "products", "title", problem)


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
