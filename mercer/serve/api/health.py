"""Nothing in; whether the server lives, whether the shop can answer, and what was counted out."""

from __future__ import annotations

import contextlib

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import Response

from mercer import __version__
from mercer.errors import MercerError, ShopError
from mercer.serve.api.body import json_response
from mercer.serve.doors import Doors
from mercer.serve.key_scope import needs
from mercer.serve.metrics import Metrics
from mercer.serve.problem import Problem, problem
from mercer.serve.swap import Swapping
from mercer.watch.alarm_book import AlarmBook

__all__ = ["router"]


class Health(BaseModel):
    """The process answers."""

    status: str = "ok"
    version: str = __version__


class Ready(BaseModel):
    """The shop can answer."""

    status: str = "ready"
    products: int
    index: str = ""
    """Version of the index that answers."""
    since: int = 0
    """When it was taken up, UTC milliseconds; 0 where this process follows no other."""
    behind: str = ""
    """A version that is live but could not be taken up; the one before goes on."""
    fault: str = ""
    """Why it could not, and what to do."""


def router(doors: Doors, metrics: Metrics, alarms: AlarmBook | None = None) -> APIRouter:
    """Routes /health, /ready and /metrics."""
    routes = APIRouter(tags=["health"])

    @routes.get("/health", responses={200: {"model": Health}}, summary="Does the process live?", openapi_extra=needs())
    async def health() -> Response:
        return json_response(Health())

    @routes.get(
        "/ready",
        responses={200: {"model": Ready}, 503: {"model": Problem}},
        summary="Can the shop answer, or why not?",
        openapi_extra=needs(),
    )
    def ready() -> Response:
        count, reasons = _state(doors)
        if reasons:
            cure = "run: mercer index SHOP, then start the server again"
            return problem(503, "; ".join(reasons), cure=cure, extra={"reasons": reasons})
        return json_response(_ready(doors, count))

    @routes.get("/metrics", summary="Counters and histograms for Prometheus", openapi_extra=needs("metrics"))
    def counted() -> Response:
        metrics.products.set(_state(doors)[0])
        if alarms:
            with contextlib.suppress(ShopError):  # a damaged file of alarms is no reason to count nothing
                metrics.alarmed(held.alarm.severity for held in alarms.standing().values())
        if isinstance(doors, Swapping):
            stands = doors.standing()
            metrics.stands(stands.version, swaps=stands.swaps, behind=bool(stands.behind))
        else:
            metrics.stands(doors.version)
        return Response(metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return routes


def _ready(doors: Doors, count: int) -> Ready:
    """What answers; and what should, where that is another version."""
    if not isinstance(doors, Swapping):
        return Ready(products=count, index=doors.version)
    stands = doors.standing()
    fault = f"{stands.fault.problem}; {stands.fault.cure}" if stands.fault else ""
    return Ready(products=count, index=doors.version, since=stands.since, behind=stands.behind, fault=fault)


def _state(doors: Doors) -> tuple[int, list[str]]:
    """Products in the index, and why the shop cannot answer."""
    try:
        count = doors.index.count()
    except MercerError as error:
        return 0, [f"the index does not answer: {error.problem}"]
    return count, [] if count else ["the index has no products"]
