"""Batches of products in; a catalogue whose next search knows them out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Body, Header
from fastapi import Path as InPath
from pydantic import BaseModel, ValidationError
from starlette.responses import Response

from mercer.errors import NotFoundError
from mercer.records import Product
from mercer.serve import translate
from mercer.serve.api.body import PROBLEMS, JsonRoute, json_response
from mercer.serve.doors import Doors
from mercer.serve.key_scope import needs
from mercer.serve.metrics import Metrics
from mercer.serve.problem import Problem, faults, problem
from mercer.serve.shape import Ids, ProductBatch, ProductPatch, ProductShape, Stored
from mercer.serve.swap import Swapping
from mercer.shop import content_hash

__all__ = ["router"]

PUT_EXAMPLES = {
    "one": {
        "summary": "One new product",
        "value": {
            "products": [
                {
                    "id": "p-1",
                    "title": "Oak serving board 榉木托盘",
                    "brand": "Nordwald",
                    "category": ["Kitchen", "Serving"],
                    "price": 24.5,
                    "currency": "EUR",
                    "stock": 12,
                    "attributes": {"colour": "natural"},
                }
            ]
        },
    }
}
PATCH_EXAMPLES = {
    "price": {"summary": "A new price and stock", "value": {"products": [{"id": "p-1", "price": 19.9, "stock": 3}]}}
}
DELETE_EXAMPLES = {"two": {"summary": "Two products", "value": {"ids": ["p-1", "p-2"]}}}

Shape = TypeVar("Shape", bound=BaseModel)


def router(doors: Doors, metrics: Metrics) -> APIRouter:
    """Routes /v1/products: put whole, patch fields, delete, get one."""
    routes = APIRouter(prefix="/v1", route_class=JsonRoute, tags=["products"])
    known: dict[int | str, dict[str, Any]] = {**PROBLEMS, 200: {"model": Stored}}
    turn = threading.Lock()
    """A patch reads a product and writes it: of two changes at once neither may undo the other."""

    @routes.put("/products", responses=known, summary="Add or replace products", openapi_extra=needs("catalogue"))
    def put(body: Annotated[ProductBatch, Body(openapi_examples=PUT_EXAMPLES)]) -> Response:
        good, bad = _sorted_out(body.products, ProductShape.model_validate)
        with metrics.queued(len(good)), turn:
            return _stored(doors, [translate.product(shape) for _, shape in good], bad, len(body.products))

    @routes.patch("/products", responses=known, summary="Change fields of products", openapi_extra=needs("catalogue"))
    def patch(body: Annotated[ProductBatch, Body(openapi_examples=PATCH_EXAMPLES)]) -> Response:
        good, bad = _sorted_out(body.products, ProductPatch.model_validate)
        with metrics.queued(len(good)), turn:
            before = {product.id: product for product in _newest(doors, [shape.id for _, shape in good])}
            for index, shape in good:
                if shape.id not in before:
                    message = "is not in the catalogue; put it whole first"
                    bad.append({"field": "id", "problem": f"{shape.id!r} {message}", "index": index, "id": shape.id})
            after = [translate.changed(before[shape.id], shape) for _, shape in good if shape.id in before]
            return _stored(doors, after, bad, len(body.products))

    @routes.delete("/products", responses=known, summary="Take products out", openapi_extra=needs("catalogue"))
    def delete(body: Annotated[Ids, Body(openapi_examples=DELETE_EXAMPLES)]) -> Response:
        ids = list(dict.fromkeys(body.ids))
        with turn:
            return json_response(Stored(accepted=len(ids), stored=doors.delete(ids)))

    @routes.get(
        "/products/{id:path}",
        responses={
            404: {"model": Problem},
            304: {"description": "It is what If-None-Match names"},
            200: {"model": ProductShape, "headers": {"ETag": {"schema": {"type": "string"}}}},
        },
        summary="One product",
        openapi_extra=needs("search", "catalogue"),
    )
    def get(
        id: Annotated[str, InPath(max_length=128)],
        if_none_match: Annotated[str, Header(max_length=1000, description="An ETag of before")] = "",
    ) -> Response:
        product = doors.product(id)
        if product is None:
            raise NotFoundError(f"product {id!r} is not in the catalogue", cure="give the id of a product that is")
        response = json_response(translate.product_shape(product))
        tag = f'"{content_hash(bytes(response.body))}"'
        response.headers["etag"] = tag
        if if_none_match.strip() == "*" or tag in [one.strip().removeprefix("W/") for one in if_none_match.split(",")]:
            return Response(status_code=304, headers={"etag": tag})
        return response

    return routes


def _newest(doors: Doors, ids: Sequence[str]) -> list[Product]:
    """Products as the version has them that takes changes: this request may have begun with the one before."""
    return doors.newest(ids) if isinstance(doors, Swapping) else doors.index.products(ids)


def _sorted_out(
    items: Sequence[object], validate: Callable[[object], Shape]
) -> tuple[list[tuple[int, Shape]], list[dict[str, Any]]]:
    """Items in their bounds, with their places, and what is wrong with the others."""
    good: list[tuple[int, Shape]] = []
    bad: list[dict[str, Any]] = []
    seen: dict[str, int] = {}
    for index, item in enumerate(items):
        id = item.get("id") if isinstance(item, dict) else None
        named = {"id": id[:128]} if isinstance(id, str) else {}
        try:
            shape = validate(item)
        except ValidationError as error:
            bad += faults(error.errors(), index=index, **named)
            continue
        if str(id) in seen:
            message = f"{id!r} is in this batch already, at {seen[str(id)]}; send each product once"
            bad.append({"field": "id", "problem": message, "index": index, **named})
        else:
            seen[str(id)] = index
            good.append((index, shape))
    return good, bad


def _stored(doors: Doors, products: Sequence[Product], bad: list[dict[str, Any]], total: int) -> Response:
    """Store the good products; tell of the others."""
    if products:
        doors.upsert(products)
    outcome = Stored(accepted=len(products), stored=len(products))
    if not bad:
        return json_response(outcome)
    bad.sort(key=lambda fault: int(fault["index"]))
    first = bad[0]
    return problem(
        422,
        f"{total - len(products)} of {total} products were refused; first: "
        f"products[{first['index']}] {first['field']}: {first['problem']}",
        cure="mend the products listed in errors and send them again; the others are stored",
        errors=bad,
        extra=outcome.model_dump(),
    )
