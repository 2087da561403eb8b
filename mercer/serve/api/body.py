"""Request bodies in; strict JSON out (no NaN, no lone surrogates), and answers as JSON responses."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import orjson
from fastapi import Request
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.responses import Response

from mercer.serve.problem import Problem

__all__ = ["PROBLEMS", "JsonRoute", "json_response"]

PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "content": {"application/problem+json": {}}, "description": description}
    for status, description in {
        400: "The body is no JSON",
        413: "The body is too long",
        415: "The body is of another type",
        422: "A field is out of its bounds",
        503: "The shop cannot answer now",
    }.items()
}
"""What OpenAPI says of errors."""


class StrictRequest(Request):
    """A request whose JSON is JSON by the letter of RFC 8259."""

    async def json(self) -> Any:
        return orjson.loads(await self.body())


class JsonRoute(APIRoute):
    """A route that reads its body with `StrictRequest`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def strict(request: Request) -> Response:
            return await handler(StrictRequest(request.scope, request.receive))

        return strict


def json_response(model: BaseModel, status: int = 200) -> Response:
    """The model as it is: what comes out of the catalogue is not checked against the bounds of what goes in."""
    return Response(model.model_dump_json(), status, media_type="application/json")
