"""Nothing in; a new key and its secret out: of the secret only a hash is kept."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Literal

__all__ = ["SCOPES", "TOKEN", "Key", "State", "id_of", "mint", "nobody"]

SCOPES = ("search", "events", "catalogue", "assistant", "metrics", "admin")
"""What a key may be let do. None contains another: a key of the shop's pages that leaks changes no product."""

TOKEN = re.compile(r"mercer_([0-9a-f]{16})_[A-Za-z0-9_-]{43}")
"""A fixed beginning, so that scanners of repositories know a leaked one; the key's id; 256 random bits."""
NO_HASH = "0" * 64
"""Compared with where no key has the id, so that the answer takes as long."""

State = Literal["active", "expired", "revoked"]


@dataclass(frozen=True, slots=True)
class Key:
    """What a shop knows of a key. All times are UTC milliseconds."""

    id: str
    name: str
    scopes: tuple[str, ...]
    hash: str
    """SHA-256, in hex, of the whole secret. A slow, salted hash protects words that people choose: these are 256 random
    bits, which nobody guesses at any speed, and a slow hash would let every caller make the server work."""
    made: int
    expires: int | None = None
    revoked: int | None = None
    replaces: str = ""
    """Id of the key that this one was made from by `rotate`."""

    def state(self, now: int) -> State:
        """What it is at a moment."""
        if self.revoked is not None:
            return "revoked"
        return "expired" if self.expires is not None and self.expires <= now else "active"

    def opens(self, secret: str) -> bool:
        """Whether this is its secret, in a time that does not depend on where they differ."""
        return hmac.compare_digest(_hash(secret), self.hash)


def mint(
    name: str, scopes: tuple[str, ...], *, now: int, expires: int | None = None, replaces: str = ""
) -> tuple[Key, str]:
    """A new key and its secret, which is nowhere else."""
    id = secrets.token_hex(8)
    secret = f"mercer_{id}_{secrets.token_urlsafe(32)}"
    return Key(id, name, scopes, _hash(secret), now, expires, None, replaces), secret


def id_of(secret: str) -> str:
    """The id in a secret; "" where it has not the shape of one."""
    found = TOKEN.fullmatch(secret)
    return found[1] if found else ""


def nobody(secret: str) -> bool:
    """Work as `Key.opens` does where there is no key; always False."""
    return hmac.compare_digest(_hash(secret), NO_HASH)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
