"""A shopper's id in; what the shop knows of them out, corrected or erased where asked."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Body
from fastapi import Path as InPath
from pydantic import Field, StringConstraints
from starlette.responses import Response

from mercer.serve.api.body import PROBLEMS, JsonRoute
from mercer.serve.doors import Doors
from mercer.serve.problem import Problem
from mercer.serve.shape import Shape

__all__ = ["router"]

Id = Annotated[str, InPath(min_length=1, max_length=128)]
ADMIN = {"security": [{"key": ["admin"]}]}
"""A profile is about a person: the shop's own pages, and the keys in them, may not ask for it."""
MUTED = [{"field": "brand", "value": "Nord", "wanted": False}]
EXAMPLES: Any = {"mute": {"summary": "No more of a brand; null takes it back", "value": {"prefer": MUTED}}}


class Preference(Shape):
    """What a shopper wants, does not want (false), or no longer says (null)."""

    field: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    value: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    wanted: bool | None


class Preferences(Shape):
    """Changes of one shopper's profile."""

    prefer: Annotated[list[Preference], Field(min_length=1, max_length=100)]


def router(doors: Doors) -> APIRouter:
    """Routes /v1/shoppers/{id}: look, correct, erase."""
    routes = APIRouter(prefix="/v1", route_class=JsonRoute, tags=["shoppers"])
    unknown: dict[int | str, dict[str, Any]] = {404: {"model": Problem}}

    @routes.get(
        "/shoppers/{id}",
        responses=unknown,
        summary="Who a shopper seems to be, and what says so",
        openapi_extra=ADMIN,
    )
    def get(id: Id) -> Response:
        return _answer(doors.portrait(id))

    @routes.patch(
        "/shoppers/{id}",
        responses={**PROBLEMS, **unknown},
        summary="Mute or want a brand, a category, an attribute",
        openapi_extra=ADMIN,
    )
    def patch(id: Id, body: Annotated[Preferences, Body(openapi_examples=EXAMPLES)]) -> Response:
        for one in body.prefer:
            doors.prefer(id, one.field, one.value, wanted=one.wanted)
        return get(id)

    @routes.delete(
        "/shoppers/{id}", responses={503: PROBLEMS[503]}, summary="Erase a shopper, with a proof", openapi_extra=ADMIN
    )
    def delete(id: Id) -> Response:
        return _answer(doors.erase(id))

    return routes


def _answer(record: Any) -> Response:
    return Response(orjson.dumps(dataclasses.asdict(record)), media_type="application/json")
