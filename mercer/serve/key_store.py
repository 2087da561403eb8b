"""A shop in; its keys, found by their secrets, added, rotated and revoked while the server runs, out."""

from __future__ import annotations

import dataclasses
import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from mercer.errors import NotFoundError, RequestError, ShopError
from mercer.serve.key import SCOPES, Key, id_of, mint, nobody
from mercer.shop import Shop, disk_errors, write_json

__all__ = ["Keys"]

PRIVATE = 0o600
HOUR = 3_600_000
"""Milliseconds."""
DAY = 24 * HOUR
LONGEST_DAYS = 3650
NAME = 80
"""Characters of a key's name."""

Change = Callable[[Mapping[str, Key]], tuple[list[Key], dict[str, Any]]]
"""The keys as they are → those that change or are new, and what the audit log is told."""


class Keys:
    """``store/keys.json``: who may ask, and for what. Another process's change is seen by the next `find`.

    >>> import tempfile; from pathlib import Path
    >>> keys = Keys(Shop.create(Path(tempfile.mkdtemp())))
    >>> key, secret = keys.add("the shop's pages", ["search", "events"])
    >>> keys.find(secret) == key, keys.find(secret[:-1] + "?") is None
    (True, True)
    """

    def __init__(self, shop: Shop, *, clock: Callable[[], float] = time.time) -> None:
        self.path = shop.store / "keys.json"
        self._shop = shop
        self._clock = clock
        self._writing = threading.Lock()
        self._seen: tuple[int, int, int] | None = None
        self._known: dict[str, Key] = {}

    @property
    def shop(self) -> Shop:
        """Whose keys they are."""
        return self._shop

    @property
    def store(self) -> Path:
        """Where the shop keeps what it knows."""
        return self._shop.store

    def now(self) -> int:
        """UTC milliseconds."""
        return int(self._clock() * 1000)

    def all(self) -> list[Key]:
        """Every key that ever was, the oldest first.

        Raises:
            ShopError: the file is damaged, or others than its owner may write it.
        """
        return list(self._fresh().values())

    def find(self, secret: str) -> Key | None:
        """The key that a secret opens, whatever its state; None where it opens none.

        Raises:
            ShopError: as `all`; nobody is let in then.
        """
        key = self._fresh().get(id_of(secret))
        if key is None:
            nobody(secret)
            return None
        return key if key.opens(secret) else None

    def add(self, name: str, scopes: Iterable[str], *, days: float | None = None, who: str = "") -> tuple[Key, str]:
        """Make a key; its secret is returned here and nowhere else.

        Args:
            name: what it is for, 1 to 80 characters.
            scopes: of `SCOPES`.
            days: until it expires; None is never.
            who: for the audit log; "" is the user of the machine.

        Raises:
            RequestError: a name, scope or time that cannot be.
        """
        chosen = _checked(name, scopes, days)
        now = self.now()
        key, secret = mint(name.strip(), chosen, now=now, expires=None if days is None else now + int(days * DAY))
        about = {"key": key.id, "name": key.name, "scopes": list(key.scopes), "expires": key.expires}
        self._change("add key", who, lambda _: ([key], about))
        return key, secret

    def rotate(self, id: str, *, overlap: float = 24.0, who: str = "") -> tuple[Key, str]:
        """A new key in place of an active one, with its name, scopes and lifetime; the old one goes on for a while.

        Args:
            id: of the key.
            overlap: hours until the old one expires; 0 is at once.
            who: as of `add`.

        Raises:
            NotFoundError, RequestError: there is no such key, or it is not active, or the overlap is below 0.
        """
        if not 0 <= overlap <= 24 * LONGEST_DAYS:
            raise RequestError(f"overlap is {overlap} hours", cure=f"give 0 to {24 * LONGEST_DAYS}")
        now = self.now()
        made: list[tuple[Key, str]] = []

        def change(known: Mapping[str, Key]) -> tuple[list[Key], dict[str, Any]]:
            old = _there(known, id)
            if old.state(now) != "active":
                raise RequestError(f"key {id} is {old.state(now)}", cure="add another: mercer keys SHOP add NAME")
            life = None if old.expires is None else old.expires - old.made
            made.append(mint(old.name, old.scopes, now=now, expires=life and now + life, replaces=id))
            ends = now + int(overlap * HOUR)
            late = dataclasses.replace(old, expires=min(ends, old.expires or ends))
            return [late, made[0][0]], {"key": id, "by": made[0][0].id, "overlap_hours": overlap}

        self._change("rotate key", who, change)
        return made[0]

    def revoke(self, id: str, *, who: str = "") -> Key:
        """Take a key's rights away from the next request on; it stays in the list.

        Raises:
            NotFoundError: there is no such key.
        """
        now = self.now()

        def change(known: Mapping[str, Key]) -> tuple[list[Key], dict[str, Any]]:
            old = _there(known, id)
            return [old if old.revoked is not None else dataclasses.replace(old, revoked=now)], {"key": id}

        self._change("revoke key", who, change)
        return self._fresh()[id]

    def _fresh(self) -> dict[str, Key]:
        """The keys by id, read again where the file is another than before."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            if self._seen is not None:  # a running server does not open its doors because a file went away
                raise ShopError(f"{self.path} is gone", cure="restore it, or start the server again") from None
            return {}
        stamp = (found.st_mtime_ns, found.st_ino, found.st_size)
        if stamp != self._seen:
            if found.st_mode & 0o022:
                raise ShopError(f"others may write {self.path}", cure=f"run: chmod 600 {self.path}")
            self._known = {key.id: key for key in self._read()}
            self._seen = stamp
        return self._known

    def _change(self, act: str, who: str, change: Change) -> None:
        """Read, change and write under a lock; the audit log knows before it is done."""
        with self._writing, self._shop.lock("keys"):
            known = self._fresh()
            keys, about = change(known)
            rows = [dataclasses.asdict(key) for key in (known | {key.id: key for key in keys}).values()]
            self._shop.audit.append(act, about, who=who)
            with disk_errors(self.path):
                write_json(self.path, {"format": 1, "keys": rows}, mode=PRIVATE)

    def _read(self) -> list[Key]:
        try:
            rows = json.loads(self.path.read_text("utf-8"))["keys"]
            return [_key(row) for row in rows]
        except (ValueError, TypeError, KeyError) as error:
            cure = "restore it from a backup, or remove it, start the server again and add new keys"
            raise ShopError(f"{self.path} is damaged: {error!r}", cure=cure) from error


def _key(row: dict[str, Any]) -> Key:
    key = Key(**{**row, "scopes": tuple(row["scopes"])})
    for name in ("expires", "revoked"):
        if not isinstance(getattr(key, name), int | None):
            raise TypeError(f"{name} of key {key.id} is no time")
    return key


def _there(known: Mapping[str, Key], id: str) -> Key:
    if id not in known:
        raise NotFoundError(f"there is no key {id!r:.99}", cure="list them: mercer keys SHOP list")
    return known[id]


def _checked(name: str, scopes: Iterable[str], days: float | None) -> tuple[str, ...]:
    if not 0 < len(name.strip()) <= NAME or not name.isprintable():
        raise RequestError(f"the name is {name[:NAME]!r}", cure=f"give 1 to {NAME} characters that say what it is for")
    if days is not None and not 0 < days <= LONGEST_DAYS:
        raise RequestError(f"days is {days}", cure=f"give a number above 0, at most {LONGEST_DAYS}")
    chosen = tuple(dict.fromkeys(scopes))
    unknown = [scope for scope in chosen if scope not in SCOPES]
    if unknown or not chosen:
        raise RequestError(f"scopes are {', '.join(chosen) or 'none'}", cure=f"give some of {', '.join(SCOPES)}")
    return chosen
