"""The nouns every room shares: frozen, slotted, and nothing but data."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as filled
from typing import Any, Literal, get_args

__all__ = [
    "Action", "Alarm", "Candidate", "Contribution", "Event", "Filter", "Finding", "Hit", "Impression",
    "Judgment", "Page", "Passage", "Product", "Request", "Scene", "Severity", "Shopper",
]  # fmt: skip

Action = Literal["impression", "view", "click", "add_to_cart", "purchase", "refund", "like", "dislike"]
Scene = Literal["search", "home", "next", "similar", "together", "basket", "trending"]
Severity = Literal["low", "medium", "high", "critical"]

CATEGORY_SEPARATOR = " > "
"""Between the levels of a category path in one string, as in Google Merchant's product_type."""

ACTIONS: tuple[Action, ...] = get_args(Action)
SCENES: tuple[Scene, ...] = get_args(Scene)

EMPTY = (None, "", "{}", "[]")
"""JSON of nothing, which most rows have: not parsed, since reading products is most of what a page costs."""


@dataclass(frozen=True, slots=True)
class Product:
    """One thing for sale. Text is as the shop wrote it; missing text is "", a missing number None."""

    id: str
    title: str
    description: str = ""
    bullets: str = ""
    """Selling points, one a line."""
    brand: str = ""
    category: tuple[str, ...] = ()
    """Path from the broadest to the narrowest level."""
    price: float | None = None
    """What a shopper pays, in `currency`."""
    list_price: float | None = None
    """What it cost before a reduction, in `currency`."""
    currency: str = ""
    """ISO 4217 code."""
    stock: int | None = None
    """Pieces at hand; None where the shop does not say."""
    availability: str = ""
    """schema.org/ItemAvailability, in snake case: in_stock, out_of_stock, preorder, discontinued."""
    image: str = ""
    """Path relative to the catalogue file, or a URL."""
    url: str = ""
    rating: float | None = None
    rating_count: int | None = None
    attributes: Mapping[str, str] = filled(default_factory=dict)
    derived: tuple[str, ...] = ()
    """Names of fields that Mercer worked out from events, not the shop's own words."""

    @property
    def in_stock(self) -> bool:
        """False only where the shop says that it cannot be bought now."""
        return self.availability not in ("out_of_stock", "discontinued") and self.stock != 0

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Product:
        """Read a row of checked ``products.parquet`` (category one string, attributes and derived JSON).

        >>> Product.from_row({"id": "1", "title": "Cup", "category": "Home > Kitchen"}).category
        ('Home', 'Kitchen')
        """
        levels = tuple(filter(None, map(str.strip, (row.get("category") or "").split(CATEGORY_SEPARATOR.strip()))))
        attributes = {} if row.get("attributes") in EMPTY else json.loads(row["attributes"])
        derived = () if row.get("derived") in EMPTY else json.loads(row["derived"])
        stock, rating_count = _number(row.get("stock")), _number(row.get("rating_count"))
        return cls(
            id=str(row["id"]), title=row.get("title") or "", description=row.get("description") or "",
            bullets=row.get("bullets") or "", brand=row.get("brand") or "", category=levels,
            price=_number(row.get("price")), list_price=_number(row.get("list_price")),
            currency=row.get("currency") or "", stock=None if stock is None else int(stock),
            availability=row.get("availability") or "", image=row.get("image") or "", url=row.get("url") or "",
            rating=_number(row.get("rating")), rating_count=None if rating_count is None else int(rating_count),
            attributes={str(name): str(value) for name, value in attributes.items()}, derived=tuple(derived),
        )  # fmt: skip

    def to_row(self) -> dict[str, Any]:
        """The row that `from_row` reads back."""
        return {
            **{name: getattr(self, name) for name in self.__slots__},
            "category": CATEGORY_SEPARATOR.join(self.category),
            "attributes": json.dumps(dict(self.attributes), ensure_ascii=False, sort_keys=True),
            "derived": json.dumps(list(self.derived)),
        }


def _number(value: object) -> float | None:
    """A finite number or None: a column of a data frame says NaN where a record says None."""
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


@dataclass(frozen=True, slots=True)
class Event:
    """One thing a shopper did, or was shown. Field names follow UBI 1.3 where it has one."""

    id: str
    type: Action
    product: str
    time: int
    """UTC, milliseconds since 1970."""
    shopper: str = ""
    session: str = ""
    query_id: str = ""
    position: int | None = None
    """Place on the page, 1 is the top."""
    quantity: float | None = None
    price: float | None = None
    """Of one piece, at that moment."""
    device: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Impression:
    """One product shown at one place of one answer."""

    query_id: str
    product: str
    position: int
    time: int
    score: float = 0.0
    version: str = ""
    shopper: str = ""
    session: str = ""
    scene: str = ""
    """Of the answer; "" where it is not known."""
    propensity: float | None = None
    """Chance with which the product was shown at this place; None where nothing was left to chance."""
    features: bytes = filled(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Shopper:
    """Who asks: what they did lately, oldest first, and when; the id is "" for a session of nobody known."""

    id: str
    products: tuple[str, ...] = ()
    times: tuple[int, ...] = ()
    """UTC milliseconds, one for each of `products`."""
    shown: Mapping[str, int] = filled(default_factory=dict)
    """Product → how often it was shown lately and left alone."""
    muted: tuple[Filter, ...] = ()
    """What the shopper, or the shop for them, does not want to see on pages of their own."""
    wanted: tuple[Filter, ...] = ()
    """What they said they want, beyond what they did."""


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition every hit meets: one of `values`, or a number between `low` and `high`, both included.

    Fields: ``id``, ``brand``, ``category`` (any level), ``price``, ``rating``, ``stock``, ``in_stock`` ("true"
    or "false"), and ``attributes.NAME``.
    """

    field: str
    values: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What one shopper wants of one of the two doors."""

    scene: Scene = "search"
    query: str = ""
    item: str = ""
    basket: tuple[str, ...] = ()
    """Products that lie in the basket, for the scene of that name."""
    shopper: Shopper = Shopper("")
    session: str = ""
    filters: tuple[Filter, ...] = ()
    exclude: tuple[str, ...] = ()
    facets: tuple[str, ...] = ()
    sort: Literal["relevance", "price_up", "price_down", "rating"] = "relevance"
    k: int = 10
    offset: int = 0
    context: Mapping[str, str] = filled(default_factory=dict)
    correct: bool = True
    """Whether the query's spelling may be corrected."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A product that might be right, with the retriever's own score (higher is better)."""

    id: str
    score: float


@dataclass(frozen=True, slots=True)
class Contribution:
    """One line of a ledger: what a signal was and how much of the score it made."""

    signal: str
    value: float
    """As the retriever or feature gave it."""
    part: float
    """Of the final score; the parts of one hit sum to its score."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A product in an answer, why it is there, and the ledger behind its score."""

    product: Product
    score: float
    reason: str = ""
    ledger: tuple[Contribution, ...] = ()
    propensity: float | None = None
    """Chance of this product at this place; None where nothing was left to chance."""
    features: bytes = filled(default=b"", repr=False)
    """What trees were told of it, as `rank.feature.packed` has it; empty where none were asked."""

    @property
    def id(self) -> str:
        return self.product.id


@dataclass(frozen=True, slots=True)
class Page:
    """An answer: hits in order, counted facets, and what was done to the question."""

    query_id: str
    hits: tuple[Hit, ...]
    total: int
    facets: Mapping[str, Mapping[str, int]] = filled(default_factory=dict)
    corrected: str = ""
    """"" or the query that was asked instead of the one given."""
    degraded: str = ""
    """"" or what had to be left out of this answer."""
    stages: Mapping[str, float] = filled(default_factory=dict)
    """Milliseconds spent in each stage."""
    suggestion: str = ""
    """"" or a query to offer as "did you mean"."""
    understood: Mapping[str, Any] = filled(default_factory=dict)
    """What was read out of the query, as `understand.said` has it; empty where there was none."""
    rules: tuple[str, ...] = ()
    """Ids of the shop's rules that made this answer what it is, the one that wins first."""
    banner: Mapping[str, str] = filled(default_factory=dict)
    """What the shop shows above this answer: text, url and image; empty where there is none."""
    redirect: str = ""
    """"" or the address that the shop would rather show than this answer: a path of the shop, or https."""


@dataclass(frozen=True, slots=True)
class Judgment:
    """A person's word on how well a product answers a query."""

    query_id: str
    product: str
    grade: float


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of the shop's knowledge with where it is from."""

    id: str
    text: str
    source: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a check found in one row (or, with row_id -1, in a whole file)."""

    check: str
    family: str
    row_id: int
    field: str
    severity: Severity
    action: Literal["fix", "quarantine", "drop", "down", "block", "warn"]
    score: float
    """How sure, from 0 to 1."""
    evidence: Mapping[str, Any] = filled(default_factory=dict)
    suggestion: str = ""


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that a person should look at."""

    id: str
    title: str
    severity: Severity
    time: int
    evidence: Mapping[str, Any] = filled(default_factory=dict)
