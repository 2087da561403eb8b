"""A form that an owner sent in; its fields out, or a refusal where it is none of ours."""

from __future__ import annotations

import hmac
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

from fastapi import Depends, Request
from starlette.exceptions import HTTPException

from mercer.serve.key_session import Session

__all__ = ["SESSION", "Fields", "Form", "read_fields", "read_form", "same_site"]

SESSION = "mercer.session"
"""Of the ASGI scope: the session of the request, where it has one."""
TOKEN = "token"  # noqa: S105  # the name of a field
MOST = 1100
"""Fields of one form: a page of rows that are chosen one by one, and some more."""


class Fields:
    """What was filled in; a field that is not there is ""."""

    def __init__(self, values: dict[str, list[str]]) -> None:
        self._values = values

    def __getitem__(self, name: str) -> str:
        return self._values.get(name, [""])[0].strip()

    def __contains__(self, name: str) -> bool:
        return bool(self[name])

    def all(self, name: str) -> list[str]:
        """Every value of a field that may come several times."""
        return [value.strip() for value in self._values.get(name, ()) if value.strip()]

    def lines(self, name: str) -> list[str]:
        """The lines of a text field that have something in them."""
        return [line.strip() for line in self[name].splitlines() if line.strip()]


def same_site(request: Request) -> bool:
    """Whether the browser says that the form stood on a page of this server."""
    origin = request.headers.get("origin", "")
    if origin and origin != "null" and urlsplit(origin).netloc != request.headers.get("host", ""):
        return False
    return origin != "null" and request.headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")


async def read_fields(request: Request) -> Fields:
    """The fields of a form that stood on a page of this server.

    Raises:
        HTTPException: 403 where another site sent it; 422 where it has too many fields.
    """
    if not same_site(request):
        raise HTTPException(403, "another site sent this form")
    try:
        text = (await request.body()).decode("utf-8", "replace")
        return Fields(parse_qs(text, keep_blank_values=True, max_num_fields=MOST))
    except ValueError as error:
        raise HTTPException(422, f"the form has more than {MOST} fields") from error


async def read_form(request: Request) -> Fields:
    """The fields of a form of this session.

    Raises:
        HTTPException: as `read_fields`; 403 where it does not carry the session's token.
    """
    fields = await read_fields(request)
    session: Session | None = request.scope.get(SESSION)
    told = fields[TOKEN]
    if "authorization" not in request.headers and not (
        session and hmac.compare_digest(session.token.encode(), told.encode("utf-8", "replace"))
    ):  # a key in a header is sent by no form of another site
        raise HTTPException(403, "this form is too old, or none of ours")
    return fields


Form = Annotated[Fields, Depends(read_form)]
"""Of a route that changes something: a form of this session."""
