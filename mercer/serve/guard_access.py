"""A request in; who asks, or why they may not, out."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse, Response
from starlette.types import Scope

from mercer.errors import ShopError
from mercer.serve.console.form import SESSION as OPENED
from mercer.serve.key import Key
from mercer.serve.key_page import COOKIE, PagePass, page_secret
from mercer.serve.key_scope import Needs, Table
from mercer.serve.key_session import OWNER, Sessions
from mercer.serve.key_store import Keys
from mercer.serve.key_used import Used
from mercer.serve.problem import problem
from mercer.serve.storefront.visitor import SESSION, SHOPPER

__all__ = ["CALLER", "CLOSED", "ROUTE", "Access", "Asked", "Caller", "caller"]

CURE = "send Authorization: Bearer KEY; the owner makes one: mercer keys SHOP add NAME --scope"
CALLER, ROUTE, CLOSED = "mercer.caller", "mercer.route", "mercer.closed"
"""Of the ASGI scope: who asks, the path of the route that answers, and whether keys are asked for."""

Asked = Literal["auto", "always", "never"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks."""

    kind: Literal["anyone", "key", "page"] = "anyone"
    id: str = ""
    """Of the key."""
    shopper: str = ""
    """Of the page's visitor."""

    def __str__(self) -> str:
        return f"key {self.id}" if self.id else f"{self.kind} over HTTP"


def caller(scope: Scope) -> Caller:
    """Who asks, in a route."""
    found: Caller = scope.get(CALLER, Caller())
    return found


class Access:
    """Decides by the route's declaration and the request's key; default is no."""

    def __init__(self, table: Table, keys: Keys | None, asked: Asked) -> None:
        self.table, self.keys, self.asked = table, keys, asked
        self.used = Used(keys.store) if keys else None
        secret = page_secret(keys.store) if keys else secrets.token_bytes(32)
        self.page, self.sessions = PagePass(secret), Sessions(secret)

    def closed(self) -> bool:
        """Whether keys are asked for now.

        Raises:
            ShopError: the keys cannot be read.
        """
        if self.asked == "auto":
            return self.keys is not None and bool(self.keys.all())
        return self.asked == "always"

    def __call__(self, scope: Scope) -> Caller | Response:
        """Who asks, or the refusal: 401 without a key that is good, 403 where it may not do this."""
        row = self.table(scope)
        if row is None:
            return Caller()
        scope[ROUTE], need = row
        try:
            scope[CLOSED] = self.closed()
            if need.console:
                return self._owner(need, scope)
            if not scope[CLOSED] or (need.declared and not need.scopes):
                return Caller()
            return self._judged(need, scope)
        except ShopError as error:
            if need.declared and not need.scopes:
                return Caller()
            return problem(503, error.problem, cure=error.cure)

    def _judged(self, need: Needs, scope: Scope) -> Caller | Response:
        connection = HTTPConnection(scope)
        given = connection.headers.getlist("authorization")
        if not given and need.page and (visitor := self._visitor(connection)):
            return Caller("page", shopper=visitor)
        cure = f"{CURE} {need.scopes[0]}" if need.scopes else "ask for what /docs lists"
        if not given:
            return _refusal(401, "no key was given", cure)
        kind, _, secret = given[0].partition(" ")
        key = self.keys.find(secret.strip()) if self.keys and kind.lower() == "bearer" and len(given) == 1 else None
        if key is None:
            return _refusal(401, "this is no key of this shop", cure, error="invalid_token")
        assert self.keys is not None
        if (state := key.state(self.keys.now())) != "active":
            return _refusal(401, f"key {key.id} is {state}", cure, error="invalid_token")
        return self._may(key, need)

    def admin(self, secret: str) -> Key | str:
        """The key of scope admin that a secret opens, or why it does not open the console."""
        key = self.keys.find(secret) if self.keys else None
        if key is None or self.keys is None:
            return "no key of this shop"
        if (state := key.state(self.keys.now())) != "active":
            return state
        return key if "admin" in key.scopes else "not admin"

    def _owner(self, need: Needs, scope: Scope) -> Caller | Response:
        """Who looks at the console; whoever is not signed in is led to where they may."""
        connection = HTTPConnection(scope)
        session = self.sessions.read(connection.cookies.get(OWNER, ""))
        if not scope[CLOSED]:
            scope[OPENED] = session or self.sessions.begin("")
            return Caller()
        if "authorization" in connection.headers:
            return self._judged(need, scope)
        key = next((one for one in self.keys.all() if session and one.id == session.key), None) if self.keys else None
        if self.keys and key and key.state(self.keys.now()) == "active":
            scope[OPENED] = session
            return self._may(key, need)
        if scope["method"] == "GET" and "text/html" in connection.headers.get("accept", ""):
            onward = scope["path"] + ("?" + scope["query_string"].decode("latin-1") if scope["query_string"] else "")
            return RedirectResponse("/console/sign-in?next=" + quote(onward, safe=""), 303)
        return _refusal(401, "no owner is signed in", "sign in at /console/sign-in")

    def _may(self, key: Key, need: Needs) -> Caller | Response:
        if not need.declared:
            return _refusal(403, "this route says nothing of who may ask", "tell the maker of this server")
        if not set(key.scopes) & set(need.scopes):
            wanted = " or ".join(need.scopes)
            detail = f"key {key.id} is for {', '.join(key.scopes)}; this needs {wanted}"
            return _refusal(403, detail, f"use a key with scope {wanted}", error="insufficient_scope")
        if self.used:
            self.used.note(key.id)
        return Caller("key", key.id)

    def _visitor(self, connection: HTTPConnection) -> str:
        """The shopper of a page of ours, or ""."""
        cookies = connection.cookies
        shopper, session = cookies.get(SHOPPER, ""), cookies.get(SESSION, "")
        if connection.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return ""
        return shopper if self.page.holds(cookies.get(COOKIE, ""), shopper, session) else ""


def _refusal(status: int, detail: str, cure: str, *, error: str = "") -> Response:
    response = problem(status, detail, cure=cure)
    response.headers["www-authenticate"] = 'Bearer realm="mercer"' + (f', error="{error}"' if error else "")
    return response
