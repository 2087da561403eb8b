"""Questions in; search answers, recommendations and completions out."""

from __future__ import annotations

import secrets
import time
from typing import Annotated

from fastapi import APIRouter, Body, Query
from starlette.responses import Response

from mercer.errors import RequestError, ShopError
from mercer.events.answer import Answer as Given
from mercer.records import Impression, Page, Request
from mercer.serve import translate
from mercer.serve.api.body import PROBLEMS, JsonRoute, json_response
from mercer.serve.doors import Doors
from mercer.serve.key_scope import needs
from mercer.serve.limit_queue import EFFORT
from mercer.serve.metrics import Metrics
from mercer.serve.shape import Answer, Recommendation, Search, Suggestions
from mercer.serve.slow import Slow
from mercer.serve.trial import Trials
from mercer.watch.experiment_book import ExperimentBook

__all__ = ["Asker", "router"]

SEARCH_EXAMPLES = {
    "words": {"summary": "A query", "value": {"query": "oak serving board", "k": 10}},
    "chinese": {"summary": "中文搜索", "value": {"query": "手冲咖啡壶", "facets": ["brand", "category"]}},
    "filtered": {
        "summary": "Filters, facets and order",
        "value": {
            "query": "mug",
            "filters": [{"field": "price", "low": 5, "high": 30}, {"field": "in_stock", "values": ["true"]}],
            "facets": ["brand", "category", "price"],
            "sort": "price_up",
            "shopper": "s-1",
            "context": {"device": "phone", "place": "Lyon"},
            "explain": True,
        },
    },
}
RECOMMEND_EXAMPLES = {
    "home": {"summary": "A shopper's home page", "value": {"scene": "home", "shopper": "s-1", "k": 12}},
    "similar": {"summary": "Beside a product", "value": {"scene": "similar", "item": "p-1", "k": 6}},
    "together": {"summary": "Bought together", "value": {"scene": "together", "item": "p-1", "k": 4}},
}


class Asker:
    """The doors, counted: what both the API and the storefront ask through."""

    def __init__(self, doors: Doors, metrics: Metrics, book: ExperimentBook | None = None) -> None:
        self.doors = doors
        self.metrics = metrics
        self.slow = Slow()
        self._trials = Trials(doors, book, metrics)

    def __call__(self, request: Request, *, stay: bool = False) -> Page:
        """Ask a door; an answer that the shop leads away from counts as shown only to who stays."""
        effort = EFFORT.get() if request.scene == "search" else "full"
        page, arm = self._trials(request, effort)
        if request.scene == "search":
            self.metrics.efforts.labels(effort).inc()
            self.slow.note(request.query, page.stages)
        self.metrics.page(request.scene, page)
        if stay or not page.redirect:
            self._note(page, request, arm)
        return page

    def _note(self, page: Page, request: Request, arm: str | None) -> None:
        """What was shown; a log that cannot be written now is no reason to give no answer."""
        now = int(time.time() * 1000)
        impressions = [
            Impression(
                page.query_id, hit.id, place, now, hit.score, self.doors.version,
                request.shopper.id, request.session, request.scene, hit.propensity, hit.features,
            )
            for place, hit in enumerate(page.hits, start=request.offset + 1)
        ]  # fmt: skip
        answer = Given(
            page.query_id, now, request.scene, request.query, page.total, request.offset, request.shopper.id,
            request.session, request.context.get("device", ""), self.doors.version, arm=arm,
            degraded=page.degraded,
        )  # fmt: skip
        try:
            self.doors.shown(impressions, answer)
        except ShopError:
            self.metrics.unwritten.inc()


def router(doors: Doors, ask: Asker) -> APIRouter:
    """Routes /v1/search, /v1/recommend and /v1/suggest."""
    routes = APIRouter(prefix="/v1", route_class=JsonRoute, tags=["find"])

    @routes.post(
        "/search",
        responses={**PROBLEMS, 200: {"model": Answer}},
        summary="Search the shop",
        openapi_extra=needs("search"),
    )
    def search(body: Annotated[Search, Body(openapi_examples=SEARCH_EXAMPLES)]) -> Response:
        page = ask(translate.search(body, doors.shopper(body.shopper, body.session)))
        return json_response(translate.answer(page, explain=body.explain))

    @routes.post(
        "/recommend",
        responses={**PROBLEMS, 200: {"model": Answer}},
        summary="Recommend products",
        openapi_extra=needs("search"),
    )
    def recommend(body: Annotated[Recommendation, Body(openapi_examples=RECOMMEND_EXAMPLES)]) -> Response:
        if body.item and doors.product(body.item) is None:
            raise RequestError(f"item {body.item!r} is not in the catalogue", cure="give the id of a product that is")
        page = ask(translate.recommendation(body, doors.shopper(body.shopper, body.session)))
        return json_response(translate.answer(page, explain=body.explain))

    @routes.get(
        "/suggest",
        responses={422: PROBLEMS[422], 200: {"model": Suggestions}},
        summary="Complete a query",
        openapi_extra=needs("search", page=True),
    )
    def suggest(
        q: Annotated[str, Query(max_length=200, description="What was typed so far", examples=["ser", "咖啡"])],
        k: Annotated[int, Query(ge=1, le=20)] = 8,
    ) -> Response:
        return json_response(Suggestions(query_id=secrets.token_hex(8), completions=doors.suggest(q, k)))

    return routes
