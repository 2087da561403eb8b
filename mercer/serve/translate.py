"""Wire shapes in, records out, and back."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

from mercer.records import Event, Filter, Hit, Page, Product, Request, Shopper
from mercer.serve.shape import (
    Answer,
    Context,
    EventShape,
    FilterShape,
    HitShape,
    LedgerLine,
    ProductPatch,
    ProductShape,
    Recommendation,
    Search,
)
from mercer.serve.understood import UnderstoodShape

__all__ = ["answer", "changed", "context", "event", "filters", "product", "product_shape", "recommendation", "search"]


def search(shape: Search, shopper: Shopper) -> Request:
    """The request that a search body stands for."""
    return Request(
        scene="search",
        query=shape.query,
        shopper=shopper,
        session=shape.session,
        filters=filters(shape.filters),
        exclude=tuple(shape.exclude),
        facets=tuple(dict.fromkeys(shape.facets)),
        sort=shape.sort,
        correct=shape.correct,
        k=shape.k,
        offset=shape.offset,
        context=context(shape.context),
    )


def recommendation(shape: Recommendation, shopper: Shopper) -> Request:
    """The request that a recommendation body stands for."""
    return Request(
        scene=shape.scene,
        item=shape.item,
        basket=tuple(shape.basket),
        shopper=shopper,
        session=shape.session,
        filters=filters(shape.filters),
        exclude=tuple(shape.exclude),
        k=shape.k,
        offset=shape.offset,
        context=context(shape.context),
    )


def filters(shapes: list[FilterShape]) -> tuple[Filter, ...]:
    """Conditions as the doors have them."""
    return tuple(Filter(shape.field, tuple(shape.values), shape.low, shape.high) for shape in shapes)


def context(shape: Context) -> dict[str, str]:
    """What is known of where and when, as the doors have it."""
    return {name: str(value) for name, value in shape.model_dump().items() if value not in ("", None)}


def answer(page: Page, *, explain: bool = False) -> Answer:
    """What goes out for a page."""
    return Answer(
        query_id=page.query_id,
        hits=[_hit(hit, explain) for hit in page.hits],
        facets={field: dict(counts) for field, counts in page.facets.items()},
        total=page.total,
        corrected=page.corrected,
        suggestion=page.suggestion,
        degraded=page.degraded,
        stages={stage: round(milliseconds, 3) for stage, milliseconds in page.stages.items()},
        rules=list(page.rules),
        banner=dict(page.banner),
        redirect=page.redirect,
        understood=UnderstoodShape(**page.understood) if explain and page.understood else None,
    )


def _hit(hit: Hit, explain: bool) -> HitShape:
    ledger = [LedgerLine(signal=line.signal, value=_finite(line.value), part=_finite(line.part)) for line in hit.ledger]
    return HitShape(
        id=hit.id,
        product=product_shape(hit.product),
        score=_finite(hit.score),
        reason=hit.reason,
        ledger=ledger if explain else None,
    )


def _finite(value: float) -> float:
    """JSON has no infinity: a ranker's −inf is the least number that it has."""
    if math.isnan(value):
        return 0.0
    return float(value) if math.isfinite(value) else math.copysign(1e308, value)


def product_shape(product: Product) -> ProductShape:
    """A product as it goes out; not checked again, since a catalogue may hold more than the API takes in."""
    values = {name: getattr(product, name) for name in ProductShape.model_fields}
    return ProductShape.model_construct(
        **{**values, "category": list(product.category), "attributes": dict(product.attributes)}
    )


def product(shape: ProductShape) -> Product:
    """A whole product as the catalogue keeps it."""
    return Product(**_given(shape))


def changed(before: Product, shape: ProductPatch) -> Product:
    """A product with the fields that a patch names; a number given as null is taken away."""
    values = {name: getattr(before, name) for name in ProductShape.model_fields}
    kept = tuple(name for name in before.derived if name not in shape.model_fields_set)
    return Product(**{**values, **_given(shape)}, derived=kept)


def _given(shape: ProductPatch) -> dict[str, Any]:
    """Fields that were sent, as Product has them."""
    values: dict[str, Any] = {name: getattr(shape, name) for name in shape.model_fields_set}
    empty: Mapping[str, Any] = {
        "description": "", "bullets": "", "brand": "", "category": (), "currency": "",
        "availability": "", "image": "", "url": "", "attributes": {},
    }  # fmt: skip
    for name, nothing in empty.items():
        if name in values and values[name] is None:
            values[name] = nothing
    if "category" in values:
        values["category"] = tuple(values["category"])
    return values


def event(shape: EventShape) -> Event:
    """An event as the log keeps it."""
    values = shape.model_dump()
    moment = values.pop("time")
    return Event(**values, time=int(time.time() * 1000) if moment is None else moment)
