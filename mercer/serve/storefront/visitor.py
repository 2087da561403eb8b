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
KIND = "visitor-"
"""Before every id that is made here: a cookie, which anybody can write, never names one of the shop's own customers."""
TOKEN = re.compile(r"^[A-Za-z0-9_-]{12,64}\Z")
OURS = re.compile(rf"^{KIND}[A-Za-z0-9_-]{{20}}\Z")
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
    shopper, session = request.cookies.get(SHOPPER, ""), request.cookies.get(SESSION, "")
    return Visitor(
        shopper if OURS.match(shopper) else KIND + secrets.token_urlsafe(15),
        session if TOKEN.match(session) else secrets.token_urlsafe(15),
        Words(language),
    )


def remember_language(response: Response, language: str) -> Response:
    """Keep a chosen language for a year."""
    if language in LANGUAGES:
        response.set_cookie(LANGUAGE, language, max_age=365 * 86_400, httponly=True, samesite="lax")
    return response
