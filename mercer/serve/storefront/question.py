"""The address of a results page in; what is asked, and the addresses of its neighbours, out."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from mercer.records import Filter, Request, Shopper
from mercer.serve.shape import OFFSET_LIMIT

__all__ = ["FACETS", "SORTS", "Question"]

FACETS = ("category", "brand", "price", "in_stock")
SORTS = ("relevance", "price_up", "price_down", "rating")
BRANDS = 20
"""That an address may name."""
QUERY_LIMIT = 200
"""Characters of a query typed into the page."""


@dataclass(frozen=True, slots=True)
class Question:
    """A results page: words, filters, order, page number. Anything unreadable in an address is left out."""

    q: str = ""
    category: str = ""
    brand: tuple[str, ...] = ()
    """Any of them will do."""
    low: float | None = None
    high: float | None = None
    in_stock: bool = False
    sort: str = "relevance"
    page: int = 1
    exact: bool = False
    """The words as they were typed, without correction."""

    @classmethod
    def read(cls, fields: Iterable[tuple[str, str]], *, page_size: int) -> Question:
        """Read the fields of an address; only `brand` may come more than once."""
        fields = list(fields)
        address = dict(fields)
        brands = dict.fromkeys(value[:200] for name, value in fields if name == "brand" and value)
        sort = address.get("sort", "")
        page = address.get("page", "")
        last = max(1, OFFSET_LIMIT // page_size)
        return cls(
            q=" ".join(address.get("q", "").split())[:QUERY_LIMIT],
            category=address.get("category", "")[:200],
            brand=tuple(brands)[:BRANDS],
            low=_amount(address.get("low", "")),
            high=_amount(address.get("high", "")),
            in_stock=address.get("in_stock", "") == "true",
            sort=sort if sort in SORTS else "relevance",
            page=min(last, max(1, int(page))) if page.isascii() and page.isdigit() and len(page) < 9 else 1,
            exact=address.get("exact", "") == "true",
        )

    def request(self, shopper: Shopper, session: str, *, page_size: int, language: str) -> Request:
        """What the search door is asked."""
        filters = []
        if self.category:
            filters.append(Filter("category", (self.category,)))
        if self.brand:
            filters.append(Filter("brand", self.brand))
        if self.low is not None or self.high is not None:
            filters.append(Filter("price", (), self.low, self.high))
        if self.in_stock:
            filters.append(Filter("in_stock", ("true",)))
        return Request(
            query=self.q,
            shopper=shopper,
            session=session,
            filters=tuple(filters),
            facets=FACETS,
            sort=self.sort,  # type: ignore[arg-type]  # one of SORTS, which are the literals
            k=page_size,
            offset=(self.page - 1) * page_size,
            context={"language": language},
            correct=not self.exact,
        )

    def url(self, **changes: object) -> str:
        """Address of the page with some fields changed; any change but of the page leads to its first page."""
        other = dataclasses.replace(self, **{"page": 1, **changes})  # type: ignore[arg-type]  # fields by name
        values = {name: _text(getattr(other, name)) for name in Question.__slots__}
        defaults = {"sort": "relevance", "page": "1"}
        given = {name: value for name, value in values.items() if value and value != defaults.get(name)}
        return "/search" + ("?" + urlencode(given, doseq=True) if given else "")

    def toggled(self, brand: str) -> str:
        """Address of the page with one more brand, or without it."""
        rest = tuple(one for one in self.brand if one != brand)
        return self.url(brand=rest if brand in self.brand else (*self.brand, brand))

    @property
    def filtered(self) -> bool:
        return bool(self.category or self.brand or self.in_stock or self.low is not None or self.high is not None)

    def bare(self) -> str:
        """Address of the same words without filters."""
        return Question(q=self.q, exact=self.exact).url()


def _amount(text: str) -> float | None:
    try:
        value = float(text) if len(text) < 20 else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) and 0 <= value <= 1e12 else None


def _text(value: object) -> str | list[str]:
    if value is None or value is False:
        return ""
    if isinstance(value, tuple):
        return list(value)
    return "true" if value is True else f"{value:.12g}" if isinstance(value, float) else str(value)
