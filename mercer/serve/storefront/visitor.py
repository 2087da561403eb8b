"""A browser's cookies in; an anonymous shopper, a session and a language out, and cookies for the way back."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from mercer.serve.storefront.words import LANGUAGES, Words, choose

__all__ = ["Visitor", "remember_language", "visitor"]

SHOPPER, SESSION, LANGUAGE = "mercer_shopper", "mercer_session", "mercer_language"
TOKEN = re.compile(r"^[A-Za-z0-9_-]{12,64}$")
SHOPPER_AGE = 90 * 86_400
"""Seconds that a browser is known again: the three months after which a taste is another."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who looks at the page."""

    shopper: str
    session: str
    words: Words

    def remember(self, response: Response) -> Response:
        """Set the cookies; none is readable by scripts, none goes to other sites."""
        response.set_cookie(SHOPPER, self.shopper, max_age=SHOPPER_AGE, httponly=True, samesite="lax")
        response.set_cookie(SESSION, self.session, httponly=True, samesite="lax")
        return response


def visitor(request: Request) -> Visitor:
    """Read the cookies; what is missing or no token of ours is made anew."""
    language = choose(request.cookies.get(LANGUAGE, ""), request.headers.get("accept-language", ""))
    return Visitor(_token(request, SHOPPER), _token(request, SESSION), Words(language))


def _token(request: Request, name: str) -> str:
    value = request.cookies.get(name, "")
    return value if TOKEN.match(value) else secrets.token_urlsafe(15)


def remember_language(response: Response, language: str) -> Response:
    """Keep a chosen language for a year."""
    if language in LANGUAGES:
        response.set_cookie(LANGUAGE, language, max_age=365 * 86_400, httponly=True, samesite="lax")
    return response
