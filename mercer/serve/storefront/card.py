"""Products, hits and counts in; what a page shows of them, ready to print, out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from mercer.records import CATEGORY_SEPARATOR, Hit, Page, Product
from mercer.serve.storefront.question import Question
from mercer.serve.storefront.words import Words

__all__ = [
    "Card",
    "Choice",
    "amount",
    "cards",
    "choices",
    "price_bins",
    "price_range",
    "reduction",
    "shelves",
    "stock_line",
]

SYMBOLS = {"CNY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "HKD": "HK$", "TWD": "NT$"}
FEW = 5
"""Pieces at or below which a page says how many are left."""

RANGE = re.compile(r"^(\d+(?:\.\d+)?(?:e\+\d+)?)-(\d+(?:\.\d+)?(?:e\+\d+)?)?$")
"""As the columns of the index name their bins: from, up to but without."""

LEAST = 0.01
"""Smallest step of a price in most currencies: the filter includes its upper bound, the bin does not."""


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

    label: str
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
    return int(100 * (1 - product.price / product.list_price) + 1e-9)  # 20 % is 19.999… in floats


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


def choices(question: Question, counts: Mapping[str, int], *, most: int = 10) -> list[Choice]:
    """Brands, the chosen ones first, then the most frequent; each leads to the page with it, or without it again."""
    chosen = {name: counts.get(name, 0) for name in question.brand}
    others = sorted((name for name in counts if name and name not in chosen), key=lambda name: (-counts[name], name))
    named = [*sorted(chosen, key=lambda name: (-chosen[name], name)), *others][: max(most, len(chosen))]
    return [Choice(name, counts.get(name, 0), question.toggled(name), name in chosen) for name in named]


def shelves(question: Question, counts: Mapping[str, int], *, most: int = 12) -> list[Choice]:
    """Categories: the chosen one, which leads one level up, and those right below it."""
    chosen = question.category
    above, _, label = chosen.rpartition(CATEGORY_SEPARATOR)
    found = [Choice(label, counts[chosen], question.url(category=above), True)] if chosen in counts else []
    below = {name: count for name, count in counts.items() if name.rpartition(CATEGORY_SEPARATOR)[0] == chosen}
    for name in sorted(below, key=lambda name: (-below[name], name))[:most]:
        label = name.rpartition(CATEGORY_SEPARATOR)[2]
        found.append(Choice(label, below[name], question.url(category=name), False))
    return found


def price_bins(question: Question, counts: Mapping[str, int], words: Words, currency: str) -> list[Choice]:
    """Price ranges, from the cheapest; the chosen one leads to the page without it."""
    bins = []
    for name, count in counts.items():
        match = RANGE.match(name)
        if match and count:
            low, above = float(match[1]), None if match[2] is None else float(match[2])
            high = None if above is None else above - LEAST
            chosen = (question.low, question.high) == (low, high)
            url = question.url(low=None, high=None) if chosen else question.url(low=low, high=high)
            bins.append((low, Choice(price_range(low, above, words, currency), count, url, chosen)))
    return [choice for _, choice in sorted(bins, key=lambda one: one[0])]


def price_range(low: float | None, high: float | None, words: Words, currency: str) -> str:
    """A range as people write it.

    >>> price_range(10, None, Words("en"), "EUR"), price_range(0, 20, Words("zh"), "CNY")
    ('from €10', '¥20 以下')
    """
    if high is None:
        return words("above", low=amount(low, currency))
    if not low:
        return words("below", high=amount(high, currency))
    return f"{amount(low, currency)} – {amount(high, currency)}"
