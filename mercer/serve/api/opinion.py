"""Documents in; what is said of the shop, series by sentiment, and alarms that a person can acknowledge, out."""

from __future__ import annotations

import tomllib
from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Query
from pydantic import Field, StringConstraints
from starlette.responses import JSONResponse, Response

from mercer.config import section
from mercer.errors import SettingsError
from mercer.opinion.board import product_aspects
from mercer.opinion.monitor import DAY, Monitor
from mercer.opinion.settings import OpinionSettings
from mercer.serve.api.body import PROBLEMS, JsonRoute
from mercer.serve.key_scope import needs
from mercer.serve.shape import Shape
from mercer.shop import Shop

__all__ = ["monitor_of", "router"]

MOST = 500
"""Documents in one call."""
EXAMPLES = {
    "posts": {
        "summary": "Two posts",
        "value": {
            "source": "posts",
            "documents": [
                {"id": "p-1", "text": "物流太慢，包装也破了", "product": "P10088"},
                {"id": "p-2", "text": "The battery lasts two days.", "time": "2026-11-24T08:00:00Z"},
            ],
        },
    }
}

Name = Annotated[str, Query(max_length=200)]
Days = Annotated[float, Query(gt=0, le=3660, description="Days to look back")]
AlarmId = Annotated[str, Path(min_length=1, max_length=64)]


class Documents(Shape):
    """Documents with a text each; id, time, product, author, rating and url where there are."""

    source: Annotated[str, StringConstraints(min_length=1, max_length=200)] = "posts"
    documents: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=MOST)]


class Acknowledged(Shape):
    """Who has seen an alarm."""

    by: Annotated[str, StringConstraints(max_length=200)] = ""
    note: Annotated[str, StringConstraints(max_length=500)] = ""


class Muted(Shape):
    """For how long the series of an alarm is told to nobody."""

    hours: Annotated[float, Field(ge=0, le=8784)] = 24


def monitor_of(shop: Shop) -> Monitor:
    """What watches a shop, as its mercer.toml says.

    Raises:
        SettingsError: section [opinion] has a key or a value that cannot be.
    """
    try:
        told = tomllib.loads(shop.settings.read_text("utf-8")).get("opinion", {}) if shop.settings.exists() else {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{shop.settings.name} is no TOML: {error}", cure="mend that line") from error
    return Monitor(shop, section(told, OpinionSettings, name="opinion"))


def router(monitor: Monitor) -> APIRouter:
    """Routes below /v1/opinion; reading them needs scope metrics or admin, sending documents events or admin."""
    routes = APIRouter(prefix="/v1/opinion", route_class=JsonRoute, tags=["opinion"])
    reading: dict[str, Any] = {"responses": {422: PROBLEMS[422]}, "openapi_extra": needs("metrics", "admin")}
    changing: dict[str, Any] = {"responses": PROBLEMS, "openapi_extra": needs("admin")}

    @routes.post(
        "/documents", summary="Read and keep documents", status_code=202, responses=PROBLEMS,
        openapi_extra=needs("events", "admin"),
    )  # fmt: skip
    def documents(body: Annotated[Documents, Body(openapi_examples=EXAMPLES)]) -> Response:
        kept, refused = monitor.accept_rows(body.documents, source=body.source)
        said = {"new": kept.new, "copies": kept.copies, "known": kept.known, "refused": dict(refused)}
        return JSONResponse(said, 202)

    @routes.get("/topics", summary="Sentiment, topics, aspects, entities and drivers", **reading)
    def topics(days: Days = 30) -> Response:
        return JSONResponse(monitor.board(days=days).json())

    @routes.get("/series", summary="Documents a day by sentiment", **reading)
    def series(days: Days = 30, topic: Name = "", entity: Name = "", aspect: Name = "") -> Response:
        return JSONResponse({"days": monitor.series(days=days, topic=topic, entity=entity, aspect=aspect)})

    @routes.get("/alarms", summary="Surges, standing ones first", **reading)
    def alarms(days: Days = 14) -> Response:
        return JSONResponse({"alarms": monitor.alarms(days=days)})

    @routes.get("/documents", summary="Documents behind a figure", **reading)
    def found(  # noqa: PLR0917  # FastAPI reads a route's query from its parameters
        days: Days = 30, topic: Name = "", entity: Name = "", aspect: Name = "", sentiment: Name = "", text: Name = "",
        k: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> Response:  # fmt: skip
        since = monitor.board(days=days).until - int(days * DAY)
        rows = monitor.store.find(
            since=since, topic=topic, entity=entity, aspect=aspect, sentiment=sentiment, text=text, limit=k
        )
        return JSONResponse({"documents": rows})

    @routes.get("/products/{product}", summary="Aspects that documents of a product speak of", **reading)
    def aspects(product: Annotated[str, Path(max_length=200)]) -> Response:
        return JSONResponse({"product": product, "aspects": product_aspects(monitor.store, product)})

    @routes.post("/alarms/{id}/acknowledge", summary="Say that somebody has seen an alarm", **changing)
    def acknowledge(id: AlarmId, body: Acknowledged) -> Response:
        return JSONResponse(monitor.acknowledge(id, by=body.by, note=body.note))

    @routes.post("/alarms/{id}/mute", summary="Tell nobody of its series for some hours", **changing)
    def mute(id: AlarmId, body: Muted) -> Response:
        return JSONResponse(monitor.mute(id, hours=body.hours))

    return routes
