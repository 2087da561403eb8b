"""Merchandising rules in; checked, kept and in force at the next search, or looked at before they are, out."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body
from pydantic import BaseModel, Field, StringConstraints
from starlette.responses import Response

from mercer.rank.rule_conflict import Conflict
from mercer.records import Request
from mercer.serve import translate
from mercer.serve.api.body import PROBLEMS, JsonRoute, json_response
from mercer.serve.doors import Doors
from mercer.serve.key_scope import needs
from mercer.serve.problem import Problem
from mercer.serve.shape import Answer, Context, FilterShape, Id, Shape

__all__ = ["router"]

MOST = 1000
"""Rules in one call."""

EXAMPLES = {
    "pin": {
        "summary": "A product at the top for a week",
        "value": {
            "rules": [
                {
                    "id": "spring-pin",
                    "do": "pin",
                    "products": ["p-1"],
                    "position": 1,
                    "words": ["oak board", "木 托盘"],
                    "start": "2026-12-01T00:00:00+08:00",
                    "end": "2026-12-08T00:00:00+08:00",
                }
            ]
        },
    },
    "several": {
        "summary": "Boost a brand, hide a product, send a query elsewhere",
        "value": {
            "rules": [
                {"id": "own", "do": "boost", "filters": [{"field": "brand", "values": ["Nordwald"]}], "points": 0.1},
                {"id": "recall", "do": "hide", "products": ["p-9"], "scenes": ["search", "home", "similar"]},
                {"id": "returns", "do": "redirect", "query": ["returns", "退货"], "url": "/docs"},
            ]
        },
    },
}
DELETE_EXAMPLES = {"one": {"summary": "One rule", "value": {"ids": ["spring-pin"]}}}
PREVIEW_EXAMPLES = {"draft": {"summary": "A rule that is not kept yet", "value": EXAMPLES["pin"]["value"]}}

Row = dict[str, object]
Query = Annotated[str, StringConstraints(max_length=512)]


class RuleBatch(Shape):
    """Rules to keep; all or none."""

    rules: Annotated[list[Row], Field(max_length=MOST)]


class RuleSet(RuleBatch):
    """All rules."""

    version: Annotated[str, StringConstraints(max_length=64)] = ""
    """Of the rules that this is a change of; where it is not the present one, nothing is changed."""


class RuleIds(Shape):
    """Rules to take out."""

    ids: Annotated[list[Id], Field(min_length=1, max_length=MOST)]


class PreviewShape(Shape):
    """Rules to look at: drafts, or kept ones by id. Without queries those that they touch are shown."""

    rules: Annotated[list[Row], Field(default_factory=list, max_length=100)]
    ids: Annotated[list[Id], Field(default_factory=list, max_length=100)]
    queries: Annotated[list[Query], Field(default_factory=list, max_length=20)]
    filters: Annotated[list[FilterShape], Field(default_factory=list, max_length=20)]
    context: Context = Context()
    k: Annotated[int, Field(ge=1, le=100)] = 10


class ConflictShape(BaseModel):
    """One thing that a person should decide."""

    problem: str
    rules: list[str]
    said: str


class RuleList(BaseModel):
    """All rules, the one that wins first, each with its `state`: live, planned, ended or off."""

    version: str
    timezone: str
    fault: str
    """"" or why the file cannot be read; the rules before it are in force."""
    rules: list[dict[str, Any]]
    conflicts: list[ConflictShape]


class ComparedShape(BaseModel):
    """One query without and with the rules."""

    query: str
    before: Answer
    after: Answer


class PreviewAnswer(BaseModel):
    """What rules would do."""

    touched: int
    """Queries of the log that meet them."""
    log: int
    """Queries of the log."""
    pages: list[ComparedShape]
    conflicts: list[ConflictShape]


def router(doors: Doors) -> APIRouter:
    """Routes /v1/rules: get, put all, post some, delete some, preview."""
    routes = APIRouter(prefix="/v1/rules", route_class=JsonRoute, tags=["rules"])
    known: dict[int | str, dict[str, Any]] = {**PROBLEMS, 200: {"model": RuleList}}

    def listed() -> Response:
        book = doors.rules
        rules, now = book.rules, book.now()
        return json_response(
            RuleList(
                version=rules.version,
                timezone=str(book.zone or ""),
                fault=book.fault,
                rules=[{**rule.row(), "state": rule.held(now)} for rule in rules.rules],
                conflicts=_shown(doors.conflicts()),
            )
        )

    @routes.get(
        "",
        responses={200: {"model": RuleList}},
        summary="All rules, and what contradicts",
        openapi_extra=needs("admin"),
    )
    def get() -> Response:
        return listed()

    @routes.post(
        "", responses=known, summary="Add rules, or replace those of the same ids", openapi_extra=needs("admin")
    )
    def post(body: Annotated[RuleBatch, Body(openapi_examples=EXAMPLES)]) -> Response:
        doors.rules.put(_rows(body.rules))
        return listed()

    @routes.put("", responses=known, summary="Have just these rules", openapi_extra=needs("admin"))
    def put(body: Annotated[RuleSet, Body(openapi_examples=EXAMPLES)]) -> Response:
        doors.rules.replace(_rows(body.rules), version=body.version)
        return listed()

    @routes.delete(
        "", responses={**known, 404: {"model": Problem}}, summary="Take rules out", openapi_extra=needs("admin")
    )
    def delete(body: Annotated[RuleIds, Body(openapi_examples=DELETE_EXAMPLES)]) -> Response:
        doors.rules.remove(body.ids)
        return listed()

    @routes.post(
        "/preview",
        responses={**PROBLEMS, 200: {"model": PreviewAnswer}},
        summary="See what rules would do",
        openapi_extra=needs("admin"),
    )
    def preview(body: Annotated[PreviewShape, Body(openapi_examples=PREVIEW_EXAMPLES)]) -> Response:
        request = Request(filters=translate.filters(body.filters), context=translate.context(body.context))
        seen = doors.preview(_rows(body.rules), body.ids, queries=body.queries, k=body.k, request=request)
        pages = [
            ComparedShape(query=one.query, before=translate.answer(one.before), after=translate.answer(one.after))
            for one in seen.pages
        ]
        shown = _shown(list(seen.conflicts))
        return json_response(PreviewAnswer(touched=seen.touched, log=seen.log, pages=pages, conflicts=shown))

    return routes


def _rows(rows: list[Row]) -> list[Row]:
    """What was sent, as it is kept; a rule that was read from here may be sent back with its state."""
    return [{name: value for name, value in row.items() if name != "state"} for row in rows]


def _shown(found: list[Conflict]) -> list[ConflictShape]:
    return [ConflictShape(problem=one.problem, rules=list(one.rules), said=one.said) for one in found]
