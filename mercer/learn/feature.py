"""What a shopper did before a moment in; a text that a language model reads of it, without any id, out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mercer.records import Product
from mercer.retrieve.text import passage

__all__ = ["Deed", "histories", "history_text", "product_text"]

DONE: Mapping[str, tuple[str, str]] = {
    "view": ("looked at", "看过"),
    "click": ("looked at", "看过"),
    "add_to_cart": ("put into the basket", "加购"),
    "purchase": ("bought", "买过"),
    "refund": ("sent back", "退过"),
    "like": ("liked", "喜欢"),
    "dislike": ("disliked", "不喜欢"),
    "rating": ("rated", "评分"),
}
"""Type → words in English and Chinese."""


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that a shopper did with a product."""

    type: str
    """Of `DONE`."""
    product: Product
    time: int
    """UTC milliseconds."""
    rating: float | None = None
    """What was given where the type is rating."""


def history_text(deeds: Iterable[Deed], *, before: int, most: int = 6, chinese: bool = False) -> str:
    """The last deeds strictly before a moment, newest first: behaviour, then category, price and brand.

    Strictly before: what is to be told must not be in what it is told from. No id of shopper or product is in it:
    a model learns ids by heart and knows nothing of new ones (check X06).

    >>> cup = Product("1", "Steel cup", brand="Nord", category=("Home", "Cups"), price=12.0)
    >>> history_text([Deed("purchase", cup, 5), Deed("rating", cup, 9, rating=4.0)], before=8)
    'bought Steel cup (Cups, Nord, 12)'
    """
    past = sorted((deed for deed in deeds if deed.time < before), key=lambda deed: -deed.time)[:most]
    return ("；" if chinese else "; ").join(_said(deed, chinese) for deed in past)


def _said(deed: Deed, chinese: bool) -> str:
    word, product = DONE[deed.type][chinese], deed.product
    told = [product.category[-1] if product.category else "", product.brand]
    told.append("" if product.price is None else f"{product.price:g}")
    if deed.rating is not None:
        word = f"{word} {deed.rating:g}"
    inside = ", ".join(part for part in told if part)
    return f"{word} {product.title}" + (f" ({inside})" if inside else "")


def product_text(product: Product) -> str:
    """What the encoder reads of a product, with its price, which behaviour depends on."""
    price = "" if product.price is None else f"{product.price:g} {product.currency}".strip()
    return f"{passage(product)}. {price}".rstrip(". ")


def histories(
    rows: Sequence[Mapping[str, Any]], products: Mapping[str, Product], *, most: int = 6, chinese: bool = False
) -> list[str]:
    """For each row (shopper, product, time, rating) the text of what that shopper rated before it."""
    deeds: dict[str, list[Deed]] = {}
    for row in rows:
        if row["product"] in products:
            deeds.setdefault(row["shopper"], []).append(
                Deed("rating", products[row["product"]], row["time"], row["rating"])
            )
    return [history_text(deeds.get(row["shopper"], ()), before=row["time"], most=most, chinese=chinese) for row in rows]
