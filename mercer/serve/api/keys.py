"""Orders of the owner in; keys listed, made, rotated and revoked out. A secret is shown once."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body
from fastapi import Path as InPath
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from mercer.errors import RequestError
from mercer.serve.api.body import PROBLEMS, JsonRoute, json_response
from mercer.serve.guard_access import Access
from mercer.serve.key import SCOPES, Key, State
from mercer.serve.key_scope import needs
from mercer.serve.key_store import Keys

__all__ = ["router"]

Scope = Literal["search", "events", "catalogue", "assistant", "metrics", "admin"]
Id = Annotated[str, InPath(pattern=r"^[0-9a-f]{16}$", description="Of a key, as the list has it")]


class NewKey(BaseModel):
    """What a key is for."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, Field(min_length=1, max_length=80)]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=len(SCOPES))]
    days: Annotated[float, Field(gt=0, le=3650)] | None = None
    """Until it expires; never where it is not given."""


class Rotation(BaseModel):
    """How a key is replaced."""

    model_config = ConfigDict(extra="forbid", strict=True)

    overlap_hours: Annotated[float, Field(ge=0, le=87_600)] = 24.0
    """For which the old one goes on."""


class KeyShape(BaseModel):
    """A key without its secret, which is nowhere. Times are UTC milliseconds."""

    id: str
    name: str
    scopes: list[str]
    state: State
    made: int
    expires: int | None
    revoked: int | None
    replaces: str
    used: int | None
    """When it was last used, to the minute."""


class KeyMade(KeyShape):
    """A new key; its secret is shown this once."""

    secret: str


class KeyList(BaseModel):
    """Every key that ever was."""

    keys: list[KeyShape]


EXAMPLES = {"pages": {"summary": "For the shop's own pages", "value": {"name": "web", "scopes": ["search", "events"]}}}


OVERLAP = {"day": {"summary": "The old one goes on for a day", "value": {"overlap_hours": 24}}}


def router(access: Access) -> APIRouter:
    """Routes /v1/keys."""
    routes = APIRouter(prefix="/v1", route_class=JsonRoute, tags=["keys"])
    admin = needs("admin")

    def known() -> Keys:
        if access.keys is None or not access.closed():
            raise RequestError(
                "this server asks nobody for a key", cure="make the first one: mercer keys SHOP add NAME"
            )
        return access.keys

    def shape(key: Key) -> KeyShape:
        return KeyShape(**_told(access, key))

    @routes.get("/keys", responses={200: {"model": KeyList}}, summary="List the keys", openapi_extra=admin)
    def list_keys() -> Response:
        return json_response(KeyList(keys=[shape(key) for key in known().all()]))

    @routes.post(
        "/keys", status_code=201, responses={**PROBLEMS, 201: {"model": KeyMade}}, summary="Make a key",
        openapi_extra=admin,
    )  # fmt: skip
    def add(body: Annotated[NewKey, Body(openapi_examples=EXAMPLES)]) -> Response:
        made = known().add(body.name, body.scopes, days=body.days)
        return _once(access, *made)

    @routes.post(
        "/keys/{id}/rotate", status_code=201, responses={**PROBLEMS, 201: {"model": KeyMade}},
        summary="Put a new key in place of one", openapi_extra=admin,
    )  # fmt: skip
    def rotate(id: Id, body: Annotated[Rotation, Body(openapi_examples=OVERLAP)]) -> Response:
        return _once(access, *known().rotate(id, overlap=body.overlap_hours))

    @routes.delete("/keys/{id}", responses={200: {"model": KeyShape}}, summary="Revoke a key", openapi_extra=admin)
    def revoke(id: Id) -> Response:
        return json_response(shape(known().revoke(id)))

    return routes


def _told(access: Access, key: Key) -> dict[str, Any]:
    keys, used = access.keys, access.used
    assert keys is not None
    assert used is not None
    return {
        "id": key.id, "name": key.name, "scopes": list(key.scopes), "state": key.state(keys.now()), "made": key.made,
        "expires": key.expires, "revoked": key.revoked, "replaces": key.replaces, "used": used.all().get(key.id),
    }  # fmt: skip


def _once(access: Access, key: Key, secret: str) -> Response:
    response = json_response(KeyMade(**_told(access, key), secret=secret), 201)
    response.headers["cache-control"] = "no-store"
    return response
