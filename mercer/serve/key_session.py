"""An owner's key, once shown, in; a signed cookie that stands for it in the console, and a token for its forms, out."""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from starlette.responses import Response

__all__ = ["OWNER", "Session", "Sessions"]

OWNER = "mercer_owner"
SECONDS = 8 * 3600
"""A working day; then the key is asked for again."""
ENDED = 10_000
"""Sessions that were ended by hand, remembered until they would have ended by themselves."""


@dataclass(frozen=True, slots=True)
class Session:
    """One browser that looks at the console."""

    key: str
    """Id of the key that it was opened with; "" where the server asks nobody for one."""
    until: int
    """UTC seconds."""
    nonce: str
    signature: str
    token: str
    """What its forms carry: another site can send a form of ours, but cannot know this."""

    @property
    def cookie(self) -> str:
        return f"{self.until}.{self.key}.{self.nonce}.{self.signature}"


class Sessions:
    """Signs sessions, so that nothing is kept here of those that are open; a restart of the server ends none.

    >>> sessions = Sessions(b"x" * 32)
    >>> session = sessions.begin("0123456789abcdef")
    >>> sessions.read(session.cookie) == session, sessions.read(session.cookie + "0") is None
    (True, True)
    >>> sessions.end(session)
    >>> sessions.read(session.cookie) is None
    True
    """

    def __init__(self, secret: bytes, *, clock: Callable[[], float] = time.time) -> None:
        self._secret, self._clock = secret, clock
        self._ended: dict[str, int] = {}

    def begin(self, key: str) -> Session:
        """A new session of a key; of nobody's where it is ""."""
        return self._signed(int(self._clock()) + SECONDS, key, secrets.token_urlsafe(15))

    def read(self, cookie: str) -> Session | None:
        """The session of a cookie; None where it is not ours, has ended, or is too old."""
        parts = cookie.split(".")
        if len(parts) != 4 or not parts[0].isascii() or not parts[0].isdigit() or len(parts[0]) > 12:
            return None
        session = self._signed(int(parts[0]), parts[1], parts[2])
        ours = hmac.compare_digest(session.signature.encode(), parts[3].encode("utf-8", "replace"))
        return session if ours and session.until > self._clock() and session.nonce not in self._ended else None

    def end(self, session: Session) -> None:
        """Let nobody go on with a session, whoever holds its cookie."""
        now = self._clock()
        self._ended = {nonce: until for nonce, until in self._ended.items() if until > now}
        if len(self._ended) < ENDED:
            self._ended[session.nonce] = session.until

    def give(self, response: Response, session: Session, *, secure: bool) -> Response:
        """Set the cookie: no script reads it, no other site has it sent."""
        response.set_cookie(
            OWNER, session.cookie, max_age=SECONDS, path="/console", httponly=True, samesite="strict", secure=secure
        )
        return response

    def _signed(self, until: int, key: str, nonce: str) -> Session:
        told = f"{until}.{key}.{nonce}"
        return Session(key, until, nonce, self._sign("console", told), self._sign("form", told))

    def _sign(self, use: str, told: str) -> str:
        """Cookie and token are signed for their use, so that neither can stand for the other, nor a page's cookie."""
        return hmac.new(self._secret, f"{use}\n{told}".encode("utf-8", "replace"), sha256).hexdigest()
