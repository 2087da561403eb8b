"""Anything that went wrong in; an RFC 9457 problem with the value seen and the cure out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response

from mercer.errors import MercerError
from mercer.serve.header import SECURITY

__all__ = ["Problem", "faults", "install", "problem", "wants_page"]

MEDIA_TYPE = "application/problem+json"

SEEN = 80
"""Characters of a refused value that a message repeats."""

CURES = {
    404: "see /docs for what there is",
    405: "use a method named in the Allow header",
    403: "open the page here and try again",
    413: "send fewer items or a shorter text",
    415: "send JSON with Content-Type: application/json",
    421: "use a host name listed in [serve] hosts",
    500: "try again; the server's log has the cause",
}


class Fault(BaseModel):
    """One thing wrong with one field, or one item of a batch."""

    field: str
    problem: str
    seen: str | None = None
    index: int | None = None
    """Place of the item in the batch, from 0."""
    id: str | None = None


class Problem(BaseModel):
    """RFC 9457: what is wrong, and in `cure` what to do about it."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    cure: str
    errors: list[Fault] | None = None


def problem(
    status: int,
    detail: str,
    *,
    cure: str,
    errors: Sequence[Mapping[str, Any]] = (),
    extra: Mapping[str, Any] | None = None,
) -> Response:
    """A response that names the problem. Text is ASCII-escaped, so that nothing a caller sent can break it."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "cure": cure,
    }
    if errors:
        body["errors"] = list(errors)
    body.update(extra or {})
    return Response(json.dumps(body), status, media_type=MEDIA_TYPE)


def faults(errors: Iterable[Mapping[str, Any]], **where: Any) -> list[dict[str, Any]]:
    """Pydantic's errors as one line a field: where, what is wrong, what was seen."""
    return [_fault(error, where) for error in errors]


def _fault(error: Mapping[str, Any], where: Mapping[str, Any]) -> dict[str, Any]:
    place = [str(part) for part in error["loc"]]
    if place[:1] in (["body"], ["query"], ["path"]) and "index" not in where:
        place = place[1:]
    fault = {"field": ".".join(place) or "body", "problem": error["msg"], **where}
    value = error.get("input")
    if error["type"] != "missing" and isinstance(value, str | int | float | bool):
        fault["seen"] = _seen(value)
    return fault


def _seen(value: str | float) -> str:
    """A value in a message: short, and nothing in it that moves a cursor or the reading direction."""
    if not isinstance(value, str):
        return repr(value)[:SEEN]
    piece = value[:SEEN]
    text = repr(piece) if piece.isprintable() else ascii(piece)
    return text if len(value) <= SEEN else f"{text}… ({len(value)} characters)"


def wants_page(request: Request) -> bool:
    """Whether a person with a browser asks, not a program."""
    return not request.url.path.startswith("/v1/") and "text/html" in request.headers.get("accept", "")


ErrorPage = Callable[[Request, int, str, str], Response]
"""Draws a problem for a person: request, status, detail, cure."""


def install(app: FastAPI, *, page: ErrorPage) -> None:
    """Answer every error of the application: programs get a problem, people a page."""

    def respond(request: Request, status: int, detail: str, cure: str) -> Response:
        return page(request, status, detail, cure) if wants_page(request) else problem(status, detail, cure=cure)

    async def mercer(request: Request, error: Exception) -> Response:
        assert isinstance(error, MercerError)
        return await run_in_threadpool(respond, request, error.status, error.problem, error.cure)

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        status, detail = error.status_code, _http_detail(request, error)
        response = await run_in_threadpool(respond, request, status, detail, CURES.get(status, "see /docs"))
        response.headers.update(error.headers or {})
        return response

    async def unforeseen(_request: Request, _error: Exception) -> Response:
        response = problem(500, "the server met something that it did not foresee", cure=CURES[500])
        response.headers.update(SECURITY)
        return response

    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(MercerError, mercer)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, unforeseen)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = list(error.errors())
    if any(one["type"] == "json_invalid" for one in errors):
        reason = errors[0].get("ctx", {}).get("error", "it cannot be read")
        return problem(400, f"the body is no JSON: {reason}", cure="send one JSON object; NaN and Infinity are no JSON")
    if any(isinstance(one.get("input"), bytes) for one in errors):  # FastAPI reads only JSON, other bodies stay bytes
        kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
        return problem(415, f"the body's type is {kind[:SEEN] or 'not given'!r}", cure=CURES[415])
    listed = faults(errors)
    seen = f" (seen: {listed[0]['seen']})" if "seen" in listed[0] else ""
    detail = f"{listed[0]['field']}: {listed[0]['problem']}{seen}"
    return problem(422, detail, cure="mend the fields listed in errors; see /docs for their bounds", errors=listed[:50])


def _http_detail(request: Request, error: HTTPException) -> str:
    """Starlette's bare phrase, with what was asked."""
    path = request.url.path[:200]
    if error.detail != HTTPStatus(error.status_code).phrase:
        return str(error.detail)
    if error.status_code == 405:
        return f"{request.method[:20]} is not possible at {path}"
    return f"there is nothing at {path}" if error.status_code == 404 else str(error.detail)
