"""Orders of the owner in; alarms listed, acknowledged and muted out."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Body
from fastapi import Path as InPath
from fastapi import Request as WebRequest
from pydantic import Field, StringConstraints
from starlette.responses import Response

from mercer.serve.api.body import PROBLEMS, JsonRoute
from mercer.serve.guard_access import caller
from mercer.serve.key_scope import needs
from mercer.serve.problem import Problem
from mercer.serve.shape import Shape
from mercer.watch.alarm import Held
from mercer.watch.alarm_book import AlarmBook

__all__ = ["router"]

Name = Annotated[str, InPath(min_length=1, max_length=128, description="Of a rule, as the list has it")]
EXAMPLES: Any = {
    "seen": {"summary": "Somebody looks after it", "value": {"act": "acknowledge", "note": "a supplier is late"}},
    "mute": {"summary": "Deliver nothing of it for a day", "value": {"act": "mute", "hours": 24}},
}


class ActShape(Shape):
    """What to do with an alarm."""

    act: Literal["acknowledge", "mute"]
    note: Annotated[str, StringConstraints(max_length=500)] = ""
    hours: Annotated[float, Field(ge=0, le=8784, allow_inf_nan=False)] = 24.0
    """Of muting; 0 takes it back."""


def router(book: AlarmBook) -> APIRouter:
    """Routes /v1/alarms: list, acknowledge, mute."""
    routes = APIRouter(prefix="/v1/alarms", route_class=JsonRoute, tags=["alarms"])

    @routes.get(
        "", responses={503: PROBLEMS[503]}, summary="Alarms, those that stand first", openapi_extra=needs("admin")
    )
    def list_all() -> Response:
        return _answer({"alarms": [_row(name, held) for name, held in book.all().items()]})

    @routes.post(
        "/{name}",
        responses={**PROBLEMS, 404: {"model": Problem}},
        summary="Acknowledge or mute an alarm",
        openapi_extra=needs("admin"),
    )
    def act(name: Name, body: Annotated[ActShape, Body(openapi_examples=EXAMPLES)], request: WebRequest) -> Response:
        if body.act == "mute":
            return _answer(_row(name, book.mute(name, hours=body.hours)))
        return _answer(_row(name, book.acknowledge(name, by=str(caller(request.scope)), note=body.note)))

    return routes


def _row(name: str, held: Held) -> dict[str, Any]:
    return {"rule": name, **asdict(held)}


def _answer(row: dict[str, Any]) -> Response:
    return Response(orjson.dumps(row), media_type="application/json")
