"""A visitor of the storefront in; a signed cookie with which the page's own calls need no key, and its check, out."""

from __future__ import annotations

import hmac
import os
import secrets
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from starlette.responses import Response

from mercer.errors import ShopError
from mercer.shop import disk_errors

__all__ = ["COOKIE", "PagePass", "not_theirs", "page_secret"]

COOKIE = "mercer_page"
SECONDS = 12 * 3600
"""A page that has been open for longer is loaded again before its clicks count."""
FROM_A_PAGE = ("impression", "view", "click", "add_to_cart", "like", "dislike")
"""A purchase is told by the shop's own server, which knows that it was paid."""


class PagePass:
    """Signs who looks at the storefront, so that its calls come from a page of ours, about nobody else."""

    def __init__(self, secret: bytes, *, clock: Callable[[], float] = time.time) -> None:
        self._secret = secret
        self._clock = clock

    def give(self, response: Response, shopper: str, session: str) -> Response:
        """Set the cookie; other sites cannot have it sent, scripts cannot read it."""
        until = str(int(self._clock()) + SECONDS)
        value = f"{until}.{self._sign(until, shopper, session)}"
        response.set_cookie(COOKIE, value, max_age=SECONDS, httponly=True, samesite="strict")
        return response

    def holds(self, value: str, shopper: str, session: str) -> bool:
        """Whether a cookie is ours, of these two, and not too old."""
        until, _, signed = value.partition(".")
        told, ours = signed.encode("utf-8", "replace"), self._sign(until, shopper, session).encode()
        return hmac.compare_digest(told, ours) and int(until) > self._clock()

    def _sign(self, until: str, shopper: str, session: str) -> str:
        return hmac.new(
            self._secret, "\n".join((until, shopper, session)).encode("utf-8", "replace"), sha256
        ).hexdigest()


def not_theirs(type: str, shopper: str, *, visitor: str) -> str:
    """Why a page may not tell of an event; "" where it may."""
    if type not in FROM_A_PAGE:
        return f"a {type} is told by the shop's server, with a key of scope events"
    return "" if shopper in ("", visitor) else "a page tells of its own visitor only"


def page_secret(store: Path) -> bytes:
    """What pages are signed with: ``store/page-secret``, mode 0600, made when it is first asked for.

    Raises:
        ShopError: it is too short to be one, or cannot be written.
    """
    path = store / "page-secret"
    with disk_errors(path):
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            secret = path.read_bytes()
        else:
            secret = secrets.token_bytes(32)
            with open(handle, "wb") as file:
                file.write(secret)
    if len(secret) < 32:
        raise ShopError(f"{path} is cut off", cure=f"delete {path}; the next start makes another")
    return secret
