"""JSON in, JSON out: every field of the API with its bounds, as pydantic models."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from mercer.records import Action
from mercer.retrieve.columns import NUMBERS, VALUES
from mercer.serve.understood import UnderstoodShape

__all__ = [
    "Answer",
    "Context",
    "EventBatch",
    "EventShape",
    "FilterShape",
    "HitShape",
    "Ids",
    "LedgerLine",
    "ProductBatch",
    "ProductPatch",
    "ProductShape",
    "Recommendation",
    "Search",
    "Stored",
    "Suggestions",
]

K_LIMIT = 100
"""Most hits in one answer: what a page can show."""

OFFSET_LIMIT = 1000
"""Deepest hit, as the doors have it: beyond it an answer costs more than it can be worth."""

BATCH_LIMIT = 1000
"""Products or events in one call."""

QUERY_LIMIT = 512
"""Characters, as the search door has it."""

FIELDS = (*VALUES, *NUMBERS, "attributes.NAME")
"""What filters and facets may name."""

NO_CONTROL = r"^[^\x00-\x1f\x7f]*$"

Id = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=NO_CONTROL)]
MaybeId = Annotated[str, StringConstraints(max_length=128, pattern=NO_CONTROL)]
Short = Annotated[str, StringConstraints(max_length=64, pattern=NO_CONTROL)]
Words = Annotated[str, StringConstraints(max_length=200)]
Price = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]
Bound = Annotated[float, Field(ge=-1e12, le=1e12, allow_inf_nan=False)]


class Shape(BaseModel):
    """Unknown fields are refused, numbers are not read from strings."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def _known(field: str, what: str) -> None:
    if field not in FIELDS and not (field.startswith("attributes.") and 11 < len(field) <= 75):
        message = "{what} field {field} is unknown; known: {known}"
        raise PydanticCustomError(
            "unknown_field", message, {"what": what, "field": repr(field[:80]), "known": ", ".join(FIELDS)}
        )


class FilterShape(Shape):
    """A condition that every hit meets."""

    field: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    values: Annotated[list[Words], Field(max_length=100)] = []
    low: Bound | None = None
    high: Bound | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> FilterShape:
        _known(self.field, "filter")
        if self.field in NUMBERS and (self.values or (self.low is None and self.high is None)):
            raise PydanticCustomError("no_range", "a filter on {field} needs low or high", {"field": self.field})
        if self.field not in NUMBERS and (not self.values or self.low is not None or self.high is not None):
            raise PydanticCustomError("no_values", "a filter on {field} needs values", {"field": self.field[:80]})
        if self.low is not None and self.high is not None and self.low > self.high:
            raise PydanticCustomError("empty_range", "low is above high; swap them")
        return self


class Context(Shape):
    """Where and when the shopper asks."""

    device: Short = ""
    place: Short = ""
    occasion: Short = ""
    """As products' attribute of that name has it: gift."""
    segment: Short = ""
    """Of the shopper, as the shop names it; rules may ask for it."""
    language: Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{0,3}(-[A-Za-z0-9]{1,8}){0,3}$")] = ""
    """BCP 47 tag of the language in which reasons are given."""
    time: Annotated[int, Field(ge=0, le=10**14)] | None = None
    """UTC, milliseconds since 1970."""


class _Question(Shape):
    shopper: MaybeId = ""
    session: MaybeId = ""
    filters: Annotated[list[FilterShape], Field(max_length=20)] = []
    k: Annotated[int, Field(ge=1, le=K_LIMIT)] = 10
    offset: Annotated[int, Field(ge=0, le=OFFSET_LIMIT)] = 0
    context: Context = Context()
    explain: bool = False
    """Give the ledger of scores with each hit, and of a search what was read out of the query."""


class Search(_Question):
    """A search. An empty query browses what the filters leave."""

    query: Annotated[str, StringConstraints(max_length=QUERY_LIMIT)] = ""
    facets: Annotated[list[Annotated[str, StringConstraints(max_length=200)]], Field(max_length=10)] = []
    sort: Literal["relevance", "price_up", "price_down", "rating"] = "relevance"
    exclude: Annotated[list[Id], Field(max_length=BATCH_LIMIT)] = []
    correct: bool = True
    """Whether the spelling of the query may be corrected."""

    @model_validator(mode="after")
    def _makes_sense(self) -> Search:
        for field in self.facets:
            _known(field, "facet")
        return self


class Recommendation(_Question):
    """A recommendation; `similar` is about `item`, `together` about it or about what the shopper looked at."""

    scene: Literal["home", "next", "similar", "together", "basket", "trending"]
    item: MaybeId = ""
    basket: Annotated[list[Id], Field(max_length=100)] = []
    """What lies in the basket, for the scene of that name."""
    exclude: Annotated[list[Id], Field(max_length=BATCH_LIMIT)] = []

    @model_validator(mode="after")
    def _makes_sense(self) -> Recommendation:
        if self.scene == "similar" and not self.item:
            raise PydanticCustomError("no_item", "scene {scene} needs an item; give its id", {"scene": self.scene})
        if self.scene == "basket" and not self.basket:
            raise PydanticCustomError("no_basket", "scene basket needs a basket; give the ids of what is in it")
        return self


class EventShape(Shape):
    """One thing that a shopper did or was shown."""

    id: Id
    type: Action
    product: Id
    time: Annotated[int, Field(ge=946_684_800_000, le=10**14)] | None = None
    """UTC, milliseconds since 1970, from 2000 on; the server's clock where none is given."""
    shopper: MaybeId = ""
    session: MaybeId = ""
    query_id: MaybeId = ""
    position: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """1 is the top."""
    quantity: Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)] | None = None
    price: Price | None = None
    device: Short = ""
    place: Short = ""


class EventBatch(Shape):
    """Each item is checked on its own, so that one bad event does not lose the others."""

    events: Annotated[list[object], Field(min_length=1, max_length=BATCH_LIMIT)]


class ProductPatch(Shape):
    """Fields of one product to change; fields left out stay as they are."""

    id: Id
    title: Annotated[str, StringConstraints(min_length=1, max_length=1000)] | None = None
    description: Annotated[str, StringConstraints(max_length=50_000)] | None = None
    bullets: Annotated[str, StringConstraints(max_length=20_000)] | None = None
    brand: Words | None = None
    category: (
        Annotated[list[Annotated[str, StringConstraints(min_length=1, max_length=200)]], Field(max_length=10)] | None
    ) = None
    """Path from the broadest to the narrowest level."""
    price: Price | None = None
    list_price: Price | None = None
    currency: Annotated[str, StringConstraints(pattern=r"^([A-Z]{3})?$")] | None = None
    """ISO 4217."""
    stock: Annotated[int, Field(ge=0, le=10**9)] | None = None
    availability: Literal["", "in_stock", "out_of_stock", "preorder", "discontinued"] | None = None
    image: Annotated[str, StringConstraints(max_length=2000)] | None = None
    url: Annotated[str, StringConstraints(max_length=2000)] | None = None
    rating: Annotated[float, Field(ge=0, le=5, allow_inf_nan=False)] | None = None
    rating_count: Annotated[int, Field(ge=0, le=10**9)] | None = None
    attributes: (
        Annotated[
            dict[
                Annotated[str, StringConstraints(min_length=1, max_length=64)],
                Annotated[str, StringConstraints(max_length=1000)],
            ],
            Field(max_length=100),
        ]
        | None
    ) = None

    @model_validator(mode="after")
    def _keeps_its_title(self) -> ProductPatch:
        if "title" in self.model_fields_set and self.title is None:
            raise PydanticCustomError("no_title", "title is null; give the title or leave the field out")
        return self


class ProductShape(ProductPatch):
    """A whole product."""

    title: Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class ProductBatch(Shape):
    """Each item is checked on its own."""

    products: Annotated[list[object], Field(min_length=1, max_length=BATCH_LIMIT)]


class Ids(Shape):
    """Products to take out."""

    ids: Annotated[list[Id], Field(min_length=1, max_length=BATCH_LIMIT)]


class LedgerLine(BaseModel):
    """One signal and its part of the score."""

    signal: str
    value: float
    part: float


class HitShape(BaseModel):
    """A product in an answer; `ledger` only where it was asked for."""

    id: str
    product: ProductShape
    score: float
    reason: str
    ledger: list[LedgerLine] | None = None


class Answer(BaseModel):
    """What both doors give back."""

    query_id: str
    hits: list[HitShape]
    facets: dict[str, dict[str, int]]
    total: int
    corrected: str
    """"" or the query that was asked instead of the one given."""
    suggestion: str = ""
    """"" or a query to offer as "did you mean"."""
    degraded: str
    stages: dict[str, float]
    """Milliseconds."""
    rules: list[str] = []
    """Ids of the shop's rules that made this answer what it is."""
    banner: dict[str, str] = {}
    """What the shop shows above this answer: text, url, image; {} where there is none."""
    redirect: str = ""
    """"" or where the shop sends who asks this."""
    understood: UnderstoodShape | None = None
    """Of a search with `explain`: what was read out of the query."""


class Suggestions(BaseModel):
    """Completions of what was typed."""

    query_id: str
    completions: list[str]


class Stored(BaseModel):
    """What became of a batch."""

    accepted: int
    """Items without a fault."""
    stored: int
    """Items that changed something."""
    duplicates: int = 0
    """Events that were here already."""
