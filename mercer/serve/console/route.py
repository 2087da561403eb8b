"""The console's sections in; its routes, with signing in and out, out."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from mercer.serve.console.desk import Desk
from mercer.serve.console.form import SESSION, Form, read_fields
from mercer.serve.console.section import ADMIN
from mercer.serve.key_scope import needs
from mercer.serve.key_session import OWNER
from mercer.serve.problem import ErrorPage
from mercer.serve.storefront.visitor import remember_language

__all__ = ["SIGN_IN", "error_pages", "router"]

SIGN_IN = "/console/sign-in"


def router(desk: Desk) -> APIRouter:
    """Routes below /console."""
    routes = APIRouter(include_in_schema=False)
    sessions = desk.access.sessions

    @routes.get(SIGN_IN, openapi_extra=needs())
    def sign_in_page(request: Request, next: str = "") -> Response:
        known = sessions.read(request.cookies.get(OWNER, ""))
        request.scope[SESSION] = known if known and not known.key else sessions.begin("")
        return desk.show(request, "sign_in.html", next=local(next))

    @routes.post(SIGN_IN, openapi_extra=needs())
    async def sign_in(request: Request) -> Response:
        fields = await read_fields(request)
        onward = local(fields["next"])
        key = desk.access.admin(fields["key"])
        if isinstance(key, str):
            request.scope[SESSION] = sessions.begin("")
            return desk.show(request, "sign_in.html", status=422, next=onward, error=key)
        return sessions.give(
            RedirectResponse(onward or "/console", 303), sessions.begin(key.id), secure=request.url.scheme == "https"
        )

    @routes.post("/console/sign-out", openapi_extra=ADMIN)
    def sign_out(request: Request, _: Form) -> Response:
        if session := request.scope.get(SESSION):
            sessions.end(session)
        answer = RedirectResponse(SIGN_IN, 303)
        answer.delete_cookie(OWNER, path="/console")
        return answer

    @routes.get("/console/language/{language}", openapi_extra=needs())
    def language(language: str, back: str = "/console") -> Response:
        return remember_language(RedirectResponse(quote(local(back) or "/console", safe="/?&=%+"), 303), language)

    for section in desk.sections:
        routes.include_router(section.pages(desk))

    @routes.get("/console/{rest:path}", openapi_extra=ADMIN)
    def nothing(rest: str) -> Response:
        raise HTTPException(404, f"there is nothing at /console/{rest[:200]}")

    return routes


def error_pages(desk: Desk | None, other: ErrorPage) -> ErrorPage:
    """Draws problems of the console as its pages, all others as `other` does."""

    def drawn(request: Request, status: int, detail: str, cure: str) -> Response:
        mine = desk is not None and request.url.path.startswith("/console")
        return desk.error(request, status, detail, cure) if desk and mine else other(request, status, detail, cure)

    return drawn


def local(address: str) -> str:
    """An address of the console; "" where it leads elsewhere.

    >>> local("/console/rules?q=%E8%8C%B6"), local("//elsewhere.example/console"), local("/cart")
    ('/console/rules?q=%E8%8C%B6', '', '')
    """
    ours = address == "/console" or address.startswith(("/console/", "/console?"))
    return address if ours and address.isprintable() and "\\" not in address and "//" not in address else ""
