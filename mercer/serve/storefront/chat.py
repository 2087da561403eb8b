"""A visitor's message in; the conversation with the shop's assistant, as a page or as the piece that is new, out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Body, Request
from starlette.responses import HTMLResponse, Response

from mercer.assistant.answer import Ask
from mercer.errors import MercerError, NotFoundError, RequestError
from mercer.serve.api.ask import Answering
from mercer.serve.key_page import COOKIE
from mercer.serve.key_scope import needs
from mercer.serve.storefront.chat_turn import Recent, Spoken, answered, trouble, turns_of
from mercer.serve.storefront.page import Pages
from mercer.serve.storefront.visitor import TOKEN, Visitor, visitor

__all__ = ["router"]

TALK = "mercer_talk"
"""Cookie with the conversation of this browser's session."""
LONGEST = 20_000
"""Characters of a message that are handed on; the assistant's own limit is lower."""


def router(assistant: Answering, pages: Pages) -> APIRouter:
    """Routes of /ask; ``part=1`` is what the panel's script asks for: the new turns alone, drawn here all the same."""
    routes, recent = APIRouter(include_in_schema=False), Recent()

    def spoken(talk: str, who: Visitor) -> list[Spoken]:
        """What was said so far; nothing where the conversation is somebody else's."""
        turns = assistant.history(talk, who.shopper) if talk else None
        return turns_of(turns or [], recent, talk, who.words)

    def drawn(request: Request, who: Visitor, turns: list[Spoken], *, status: int = 200, text: str = "") -> Response:
        if request.query_params.get("part") == "1":
            html = pages.piece("chat_turns.html", who, turns=turns)
            return HTMLResponse(html, status, headers={"cache-control": "private, no-store"})
        return pages(request, "ask.html", who=who, status=status, turns=turns, text=text, panel=False)

    @routes.get("/ask", openapi_extra=needs())
    def talk(request: Request) -> Response:
        if not assistant.ready():
            raise NotFoundError("this shop has no assistant", cure="search the shop instead")
        who, since = visitor(request), request.query_params.get("since", "")
        turns = spoken(_talk(request), who)
        if since.isascii() and since.isdigit() and len(since) < 16:  # a person may have answered meanwhile
            turns = [turn for turn in turns if turn.role == "agent" and turn.time > int(since)]
        return drawn(request, who, turns)

    @routes.post("/ask", openapi_extra=needs())
    def ask(request: Request, form: Annotated[bytes, Body(media_type="application/x-www-form-urlencoded")]) -> Response:
        who, talk = visitor(request), _talk(request)
        fields = {name: values[0] for name, values in parse_qs(form.decode("utf-8", "replace")).items()}
        if not _ours(request, pages):
            return drawn(request, who, [trouble("ask_reload", who.words)], status=403, text=fields.get("text", ""))
        if "new" in fields:
            response = drawn(request, who, [])
            response.delete_cookie(TALK, httponly=True, samesite="lax")
            return response
        return _answer(request, who, talk, fields)

    def _answer(request: Request, who: Visitor, talk: str, fields: Mapping[str, str]) -> Response:
        text, confirm, part = fields.get("text", ""), fields.get("confirm", "")[:128], "part" in request.query_params
        wish = Ask(text[:LONGEST], who.shopper, talk, who.words.language if confirm else "", confirm)
        try:
            answer = assistant(wish)
        except MercerError as error:
            said = trouble("ask_unread" if isinstance(error, RequestError) else "ask_failed", who.words)
            before = [] if part else spoken(talk, who)
            return drawn(request, who, [*before, said], status=error.status, text=text[:LONGEST])
        recent.keep(answer)
        latest = answered(answer, who.words)
        before = [] if part else spoken(answer.conversation, who)[:-1]
        response = drawn(request, who, [*before, latest])
        response.set_cookie(TALK, answer.conversation, httponly=True, samesite="lax")
        return response

    return routes


def _talk(request: Request) -> str:
    found = request.cookies.get(TALK, "")
    return found if TOKEN.match(found) else ""


def _ours(request: Request, pages: Pages) -> bool:
    """Whether a form comes from a page of ours: the cookie that it was given, and no other site behind it."""
    who = visitor(request)
    same = request.headers.get("sec-fetch-site", "same-origin") == "same-origin"
    return same and pages.page.holds(request.cookies.get(COOKIE, ""), who.shopper, who.session)
