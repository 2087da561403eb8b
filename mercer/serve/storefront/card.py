"""Products, hits and counts in; what a page shows of them, ready to print, out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from mercer.records import Hit, Page, Product
from mercer.serve.storefront.words import Words

__all__ = ["Card", "Choice", "amount", "cards", "choices", "price_choices", "reduction", "stock_line"]

SYMBOLS = {"CNY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "HKD": "HK$", "TWD": "NT$"}
FEW = 5
"""Pieces at or below which a page says how many are left."""

RANGE = re.compile(r"^\s*(\d+(?:\.\d+)?)?\s*(?:-|–|to|\.\.)\s*(\d+(?:\.\d+)?|inf)?\s*$|^\s*(\d+(?:\.\d+)?)\s*\+\s*$")


@dataclass(frozen=True, slots=True)
class Card:
    """One product in a grid."""

    id: str
    title: str
    brand: str
    url: str
    image: str
    price: str
    was: str
    cut: int
    reason: str
    position: int
    in_stock: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a facet."""

    name: str
    count: int
    url: str
    chosen: bool


def amount(value: float | None, currency: str) -> str:
    """A price as people write it.

    >>> amount(1234.5, "EUR"), amount(20.0, "CNY"), amount(5, "SEK"), amount(None, "EUR")
    ('€1,234.50', '¥20', '5 SEK', '')
    """
    if value is None:
        return ""
    text = f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"
    symbol = SYMBOLS.get(currency)
    return f"{symbol}{text}" if symbol else f"{text} {currency}".strip()


def reduction(product: Product) -> int:
    """Whole percent that a price was lowered by; 0 where it was not."""
    if not product.price or not product.list_price or product.list_price <= product.price:
        return 0
    return int(100 * (1 - product.price / product.list_price))


def stock_line(product: Product, words: Words) -> str:
    """What to say about buying it now."""
    if not product.in_stock:
        return words("out_of_stock")
    if product.availability == "preorder":
        return words("preorder")
    if product.stock is not None and product.stock <= FEW:
        return words("few_left", count=product.stock)
    return words("in_stock")


def cards(page: Page, *, offset: int = 0) -> list[Card]:
    """The hits of an answer, with the query id and position that their clicks are told with."""
    return [_card(hit, page.query_id, offset + place) for place, hit in enumerate(page.hits, start=1)]


def _card(hit: Hit, query_id: str, position: int) -> Card:
    product, cut = hit.product, reduction(hit.product)
    where = quote(product.id, safe="")
    return Card(
        id=product.id,
        title=product.title,
        brand=product.brand,
        url=f"/p/{where}?" + urlencode({"from": query_id, "at": position}),
        image=f"/images/{where}",
        price=amount(product.price, product.currency),
        was=amount(product.list_price, product.currency) if cut else "",
        cut=cut,
        reason=hit.reason,
        position=position,
        in_stock=product.in_stock,
    )


def choices(counts: Mapping[str, int], chosen: str, url: Mapping[str, str], *, most: int) -> list[Choice]:
    """Values of a facet, the most frequent first; the chosen one always among them."""
    names = sorted((name for name in counts if name), key=lambda name: (name != chosen, -counts[name], name))
    return [Choice(name, counts[name], url[name], name == chosen) for name in names[:most]]


def price_choices(counts: Mapping[str, int]) -> Iterable[tuple[float | None, float | None, int]]:
    """Price ranges of a facet ("10-25", "100+", "-10"), as (low, high, count), from the cheapest.

    >>> list(price_choices({"100+": 2, "0-25": 3, "odd": 1}))
    [(0.0, 25.0, 3), (100.0, None, 2)]
    """
    ranges = []
    for name, count in counts.items():
        match = RANGE.match(name)
        if match and count and (match[1] or match[2] or match[3]):
            high = None if match[2] in (None, "inf") else float(match[2])
            low = match[1] or match[3]
            ranges.append((None if low is None else float(low), high, count))
    return sorted(ranges, key=lambda one: (one[0] or 0.0, one[1] or 0.0))
