"""The scopes that open a route in; what its OpenAPI says of them, and what each route of an application needs, out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from starlette.routing import BaseRoute, Match
from starlette.types import Scope

from mercer.serve.example import examples_of_answers

__all__ = ["NOTHING", "SCHEMES", "UNDECLARED", "Needs", "Table", "describe", "needs"]

SCHEMES: dict[str, Any] = {
    "key": {
        "type": "http",
        "scheme": "bearer",
        "description": "A key of the shop: mercer keys SHOP add. Asked for once the shop has one.",
    },
    "page": {
        "type": "apiKey",
        "in": "cookie",
        "name": "mercer_page",
        "description": "What the storefront's own pages send.",
    },
}
"""Security schemes of the OpenAPI document."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What opens a route."""

    scopes: tuple[str, ...] = ()
    """One of them is enough."""
    page: bool = False
    """Whether the storefront's own pages may call it without a key."""
    console: bool = False
    """Whether an owner who is signed in to the console may call it without a key in a header."""
    declared: bool = True


NOTHING = Needs()
"""Anyone may ask: health, and the storefront's pages."""
UNDECLARED = Needs(declared=False)
"""Nobody may ask where keys are asked for: the route's author forgot to say."""
BUILT_IN = {"/openapi.json": NOTHING, "/static": NOTHING, "/console/static": NOTHING}
"""Routes that FastAPI and Starlette make; they carry no OpenAPI."""


def needs(*scopes: str, page: bool = False, console: bool = False) -> dict[str, Any]:
    """For `openapi_extra` of a route: a key with one of the scopes opens it; without a scope, everybody may ask.

    >>> needs("search", "catalogue")
    {'security': [{'key': ['search']}, {'key': ['catalogue']}]}
    """
    said: list[dict[str, list[str]]] = [{"key": [scope]} for scope in scopes]
    return {"security": [*said, *([{"page": []}] if page else []), *([{"console": []}] if console else [])]}


class Table:
    """Every route of an application and what it needs, in the order in which they are tried."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._rows: list[tuple[Callable[[Scope], tuple[Match, Scope]], str, Needs]] = []

    def __call__(self, scope: Scope) -> tuple[str, Needs] | None:
        """A request's route and what it needs; None where no route takes it (404 or 405)."""
        if not self._rows:
            self._rows = [(route.matches, path, need) for path, route, need in self.routes()]
        return next(((path, need) for matches, path, need in self._rows if matches(scope)[0] is Match.FULL), None)

    def routes(self) -> Iterator[tuple[str, Any, Needs]]:
        """(path, route, needs) of each route, those of included routers too."""
        for route in self._app.routes:
            inner = getattr(route, "effective_route_contexts", None)  # FastAPI keeps an included router in one piece
            found: list[Any] = list(inner()) if inner else [route]
            for one in found:
                yield one.path, one, _declared(getattr(one, "original_route", one))


def describe(app: FastAPI) -> None:
    """Let the OpenAPI document name the security schemes, and give an example of every answer."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        document = made()
        document.setdefault("components", {})["securitySchemes"] = SCHEMES
        examples_of_answers(document)
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way to extend the document


def _declared(route: BaseRoute) -> Needs:
    extra: Mapping[str, Any] | None = getattr(route, "openapi_extra", None)
    if extra is None or "security" not in extra:
        return BUILT_IN.get(getattr(route, "path", ""), UNDECLARED)
    scopes = tuple(scope for one in extra["security"] for scope in one.get("key", ()))
    page, console = (any(kind in one for one in extra["security"]) for kind in ("page", "console"))
    return Needs(scopes, page, console)
