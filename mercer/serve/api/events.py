"""Batches of events in; the good ones on disk, the others listed one by one, out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Body, Request
from pydantic import ValidationError
from starlette.responses import Response

from mercer.serve import translate
from mercer.serve.api.body import PROBLEMS, JsonRoute, json_response
from mercer.serve.doors import Doors
from mercer.serve.guard_access import Caller, caller
from mercer.serve.key_page import not_theirs
from mercer.serve.key_scope import needs
from mercer.serve.metrics import Metrics
from mercer.serve.problem import faults, problem
from mercer.serve.settings import ServeSettings
from mercer.serve.shape import EventBatch, EventShape, Stored
from mercer.serve.shape_ga4 import Ga4Batch, mapped

__all__ = ["router"]

EXAMPLES = {
    "click": {
        "summary": "A click on the second hit of a search",
        "value": {
            "events": [
                {"id": "e-1", "type": "click", "product": "p-1", "shopper": "s-1", "query_id": "9f2c", "position": 2}
            ]
        },
    }
}

GA4_EXAMPLES = {
    "purchase": {
        "summary": "A purchase, as the Measurement Protocol has it",
        "value": {
            "client_id": "s-1",
            "timestamp_micros": 1_790_000_000_000_000,
            "events": [
                {
                    "name": "purchase",
                    "params": {
                        "transaction_id": "t-1",
                        "items": [{"item_id": "p-1", "price": 19.9, "quantity": 1}],
                    },
                }
            ],
        },
    }
}


def router(doors: Doors, metrics: Metrics, *, settings: ServeSettings) -> APIRouter:
    """Routes /v1/events and /v1/events/ga4: 202 once all is durable, 422 with the faults where a part was refused."""
    routes = APIRouter(prefix="/v1", route_class=JsonRoute, tags=["events"])

    @routes.post(
        "/events",
        status_code=202,
        responses={**PROBLEMS, 202: {"model": Stored}},
        summary="Tell what happened",
        openapi_extra=needs("events", page=True),
    )
    def events(request: Request, body: Annotated[EventBatch, Body(openapi_examples=EXAMPLES)]) -> Response:
        return told(body.events, caller(request.scope))

    @routes.post(
        "/events/ga4",
        status_code=202,
        responses={**PROBLEMS, 202: {"model": Stored}},
        summary="Tell what happened, as Google Analytics 4 names it",
        openapi_extra=needs("events"),
    )
    def ga4(request: Request, body: Annotated[Ga4Batch, Body(openapi_examples=GA4_EXAMPLES)]) -> Response:
        items, passed = mapped(body)
        metrics.events.labels("passed over").inc(passed)
        return told(items, caller(request.scope)) if items else json_response(Stored(accepted=0, stored=0), 202)

    def told(items: Sequence[object], who: Caller) -> Response:
        good, bad = _sorted_out(items, settings)
        good, strange = _theirs(good, who)
        good, unknown = _known(doors, good)
        bad = sorted(bad + strange + unknown, key=lambda fault: int(fault["index"]))
        stored = doors.events.append([translate.event(shape) for _, shape in good]) if good else 0
        metrics.events.labels("stored").inc(stored)
        metrics.events.labels("duplicate").inc(len(good) - stored)
        metrics.events.labels("refused").inc(len(items) - len(good))
        outcome = Stored(accepted=len(good), stored=stored, duplicates=len(good) - stored)
        if not bad:
            return json_response(outcome, 202)
        refused = len(items) - len(good)
        return problem(
            422,
            f"{refused} of {len(items)} events were refused; first: {_line(bad[0])}",
            cure="mend the events listed in errors and send them again; the others are stored",
            errors=bad,
            extra=outcome.model_dump(),
        )

    return routes


def _line(fault: dict[str, Any]) -> str:
    return f"events[{fault['index']}] {fault['field']}: {fault['problem']}"


def _sorted_out(
    items: Sequence[object], settings: ServeSettings
) -> tuple[list[tuple[int, EventShape]], list[dict[str, Any]]]:
    """Events that are in their bounds, with their places, and what is wrong with the others."""
    latest = int((time.time() + settings.clock_ahead) * 1000)
    good, bad = [], []
    for index, item in enumerate(items):
        try:
            shape = EventShape.model_validate(item)
        except ValidationError as error:
            bad += faults(error.errors(), index=index, **_named(item))
            continue
        if shape.time is not None and shape.time > latest:
            message = f"{shape.time} lies in the future; give UTC milliseconds of a clock that is right"
            bad.append({"field": "time", "problem": message, "index": index, "id": shape.id})
        else:
            good.append((index, shape))
    return good, bad


def _named(item: object) -> dict[str, str]:
    """The id of an item that is wrong elsewhere."""
    id = item.get("id") if isinstance(item, dict) else None
    return {"id": id[:128]} if isinstance(id, str) else {}


def _theirs(
    events: list[tuple[int, EventShape]], who: Caller
) -> tuple[list[tuple[int, EventShape]], list[dict[str, Any]]]:
    """Events that this caller may tell of, and a fault for each other."""
    if who.kind != "page":
        return events, []
    why = [(index, shape, not_theirs(shape.type, shape.shopper, visitor=who.shopper)) for index, shape in events]
    bad = [{"field": "events", "problem": one, "index": index, "id": shape.id} for index, shape, one in why if one]
    return [(index, shape) for index, shape, one in why if not one], bad


def _known(
    doors: Doors, events: list[tuple[int, EventShape]]
) -> tuple[list[tuple[int, EventShape]], list[dict[str, Any]]]:
    """Events about products of the catalogue, and a fault for each other."""
    ids = list(dict.fromkeys(shape.product for _, shape in events))
    there = {product.id for product in doors.index.products(ids)}
    message = "{!r} is not in the catalogue; put the product first, or mend the id"
    bad = [
        {"field": "product", "problem": message.format(shape.product), "index": index, "id": shape.id}
        for index, shape in events
        if shape.product not in there
    ]
    return [(index, shape) for index, shape in events if shape.product in there], bad
