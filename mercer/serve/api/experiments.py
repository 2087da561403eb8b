"""Orders of the owner in; experiments started, listed, judged and stopped out."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Body
from fastapi import Path as InPath
from pydantic import Field, StringConstraints
from starlette.responses import Response

from mercer.serve.api.body import PROBLEMS, JsonRoute
from mercer.serve.doors import Doors
from mercer.serve.key_scope import needs
from mercer.serve.problem import Problem
from mercer.serve.shape import Shape
from mercer.watch.experiment import Experiment
from mercer.watch.experiment import read as read_experiment
from mercer.watch.experiment_book import ExperimentBook
from mercer.watch.outcome import outcome

__all__ = ["router"]

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,40}$")]
Id = Annotated[str, InPath(pattern=r"^[a-z0-9][a-z0-9-]{0,40}$", description="Of an experiment")]
Scene = Annotated[str, StringConstraints(max_length=20)]
Setting = bool | int | float | str | list[str]

EXAMPLES: Any = {
    "ab": {
        "summary": "Spread the first places, and stop if nothing is clicked any more",
        "value": {
            "id": "spread",
            "arms": [{"name": "as-is"}, {"name": "mmr", "settings": {"rank.diversity.how": "mmr"}}],
            "guardrails": [{"metric": "clicked", "worse": 0.05}],
        },
    },
    "interleave": {
        "summary": "Two rankers in one list",
        "value": {
            "id": "trees",
            "kind": "interleave",
            "arms": [{"name": "with"}, {"name": "without", "settings": {"rank.ranker": "off"}}],
        },
    },
}


class ArmShape(Shape):
    """One way to answer."""

    name: Name
    weight: Annotated[float, Field(gt=0, lt=1e6, allow_inf_nan=False)] = 1.0
    settings: Annotated[dict[str, Setting], Field(default_factory=dict, max_length=40)]


class GuardrailShape(Shape):
    """What an arm may cost at most."""

    metric: Annotated[str, StringConstraints(max_length=40)]
    worse: Annotated[float, Field(ge=0, lt=1e9, allow_inf_nan=False)]


class ExperimentShape(Shape):
    """Arms that shoppers are shared out over; the first is what the others are held against."""

    id: Name
    arms: Annotated[list[ArmShape], Field(min_length=2, max_length=6)]
    kind: Annotated[str, StringConstraints(max_length=20)] = "ab"
    scenes: Annotated[list[Scene], Field(default_factory=lambda: ["search"], max_length=10)]
    share: Annotated[float, Field(ge=0, le=1)] = 1.0
    salt: Annotated[str, StringConstraints(max_length=100)] = ""
    metric: Annotated[str, StringConstraints(max_length=40)] = "clicked"
    guardrails: Annotated[list[GuardrailShape], Field(default_factory=list, max_length=10)]
    settle_hours: Annotated[float, Field(ge=0, le=1440)] = 1.0
    plan: Annotated[int, Field(ge=10, le=10**9)] = 2000
    note: Annotated[str, StringConstraints(max_length=500)] = ""


def router(doors: Doors, book: ExperimentBook) -> APIRouter:
    """Routes /v1/experiments: list, start, results, stop."""
    routes = APIRouter(prefix="/v1/experiments", route_class=JsonRoute, tags=["experiments"])
    unknown: dict[int | str, dict[str, Any]] = {404: {"model": Problem}, 503: PROBLEMS[503]}

    @routes.get("", responses={503: PROBLEMS[503]}, summary="All experiments", openapi_extra=needs("admin"))
    def list_all() -> Response:
        return _answer({"experiments": [each.row() for each in book.all()]})

    @routes.post("", responses=PROBLEMS, summary="Start an experiment", openapi_extra=needs("admin"))
    def start(body: Annotated[ExperimentShape, Body(openapi_examples=EXAMPLES)]) -> Response:
        row = body.model_dump()
        for arm in read_experiment(row).arms:
            doors.arm(arm.settings)  # what cannot be served is refused now, not when a shopper asks
        return _answer(book.start(row).row(), 201)

    @routes.get("/{id}", responses=unknown, summary="Its arms beside each other", openapi_extra=needs("admin"))
    def show(id: Id) -> Response:
        return _judged(book.one(id), doors)

    @routes.post("/{id}/stop", responses=unknown, summary="End an experiment", openapi_extra=needs("admin"))
    def stop(id: Id) -> Response:
        return _judged(book.stop(id), doors)

    return routes


def _judged(experiment: Experiment, doors: Doors) -> Response:
    log: Any = doors.events
    return _answer({"experiment": experiment.row(), "outcome": outcome(experiment, log).row()})


def _answer(row: dict[str, Any], status: int = 200) -> Response:
    return Response(orjson.dumps(row), status, media_type="application/json")
