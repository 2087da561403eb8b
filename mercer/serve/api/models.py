"""A shop's versions in; listed with card and proof, made live and taken back over HTTP, out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Body
from fastapi import Path as InPath
from pydantic import BaseModel, StringConstraints
from starlette.responses import Response

from mercer.serve.api.body import PROBLEMS, JsonRoute, json_response
from mercer.serve.doors import Doors
from mercer.serve.key_scope import needs
from mercer.serve.problem import Problem
from mercer.serve.shape import Shape
from mercer.serve.swap import Swapping
from mercer.shop import Kind, Live, Shop

if TYPE_CHECKING:
    from mercer.doors.promote import Version

__all__ = ["router", "serving"]

Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9._/-]+$")]
EXAMPLES = {
    "index": {"summary": "An index version", "value": {"kind": "index", "version": "1c56621b4ade6fd9"}},
    "against": {
        "summary": "Although something is against it",
        "value": {"kind": "index", "version": "1c56621b4ade6fd9", "override": "the queries of the proof are too few"},
    },
}
BACK = {"index": {"summary": "The index version before", "value": {"kind": "index"}}}


class VersionShape(BaseModel):
    """One version."""

    kind: Kind
    version: str
    made: int
    """UTC milliseconds."""
    live: bool
    before: bool
    """It was live before: rollback may come to it."""
    refusal: str
    """"" or why it may not go live without an override."""
    card: dict[str, Any]
    proof: dict[str, Any]


class Serving(BaseModel):
    """What answers now."""

    version: str
    behind: str = ""
    """"" or the live index version that could not be taken up."""
    fault: str = ""
    """Why it could not."""
    swaps: bool = False
    """Whether a version that is made live is taken up while the server runs; else at its next start."""


class VersionList(BaseModel):
    """Every version of the shop, the newest of a kind first."""

    serving: Serving
    versions: list[VersionShape]


class Promotion(Shape):
    """A version to make live. A model goes live with the newest index that stands on it."""

    kind: Kind
    version: Name
    override: Annotated[str, StringConstraints(max_length=500, strip_whitespace=True)] = ""
    """Why it goes live although its data's gate or its proof is against it; the audit log keeps it."""


class Return(Shape):
    """A kind whose version before is to be live again."""

    kind: Kind


class LiveShape(BaseModel):
    """What is live of a kind now."""

    kind: Kind
    version: str
    before: list[str]
    serving: Serving


def serving(doors: Doors) -> Serving:
    """Which version answers."""
    if not isinstance(doors, Swapping):
        return Serving(version=doors.version)
    stands = doors.standing()
    fault = f"{stands.fault.problem}; {stands.fault.cure}" if stands.fault else ""
    return Serving(version=stands.version, behind=stands.behind, fault=fault, swaps=True)


def router(doors: Doors, shop: Shop) -> APIRouter:
    """Routes /v1/models."""
    routes = APIRouter(prefix="/v1/models", route_class=JsonRoute, tags=["models"])
    admin = needs("admin")
    gone: dict[int | str, dict[str, Any]] = {404: {"model": Problem}}

    def made_live(kind: Kind, live: Live) -> Response:
        shape = LiveShape(kind=kind, version=live.version, before=list(live.before), serving=serving(doors))
        return json_response(shape)

    @routes.get("", responses={200: {"model": VersionList}}, summary="All versions, their cards and proofs",
                openapi_extra=admin)  # fmt: skip
    def list_versions() -> Response:
        from mercer.doors.promote import KINDS, listed

        found = [shape(one) for kind in KINDS for one in listed(shop, kind)]
        return json_response(VersionList(serving=serving(doors), versions=found))

    @routes.get("/{kind}/{version:path}", responses={**gone, 200: {"model": VersionShape}}, summary="One version",
                openapi_extra=admin)  # fmt: skip
    def one(kind: Kind, version: Annotated[str, InPath(max_length=200)]) -> Response:
        from mercer.doors.promote import version as read

        return json_response(shape(read(shop, kind, version)))

    @routes.post("/promote", responses={**PROBLEMS, **gone, 409: {"model": Problem}, 200: {"model": LiveShape}},
                 summary="Make a version live", openapi_extra=admin)  # fmt: skip
    def make_live(body: Annotated[Promotion, Body(openapi_examples=EXAMPLES)]) -> Response:
        from mercer.doors.promote import promote

        return made_live(body.kind, promote(shop, body.kind, body.version, override=body.override))

    @routes.post("/rollback", responses={**PROBLEMS, **gone, 200: {"model": LiveShape}},
                 summary="Make the version before live again", openapi_extra=admin)  # fmt: skip
    def take_back(body: Annotated[Return, Body(openapi_examples=BACK)]) -> Response:
        return made_live(body.kind, shop.rollback("index" if body.kind == "models" else body.kind))

    return routes


def shape(found: Version) -> VersionShape:
    """A version as it goes out."""
    return VersionShape(
        kind=found.kind,
        version=found.name,
        made=found.made,
        live=found.live,
        before=found.was,
        refusal=found.refusal,
        card=dict(found.card),
        proof=dict(found.proof),
    )
