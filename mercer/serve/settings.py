"""Section [serve] of mercer.toml in; the server's limits out."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Literal

from mercer.errors import SettingsError

__all__ = ["ServeSettings"]


@dataclass(frozen=True, slots=True)
class ServeSettings:
    """Limits that keep one caller from taking the server away from the others."""

    name: str = "Mercer"
    """Shown in the storefront's header."""
    threads: int = 16
    """Calls answered at the same time; others wait."""
    question_bytes: int = 65_536
    """Longest body of a search, recommendation or storefront form, in bytes."""
    batch_bytes: int = 8_388_608
    """Longest body of a batch of products or events, in bytes."""
    clock_ahead: float = 3600.0
    """Seconds that an event's time may lie in the future of this server's clock."""
    hosts: tuple[str, ...] = ()
    """Host names answered to, without ports; none given means any. Guards a loopback server against DNS rebinding."""
    page_size: int = 24
    """Products on one storefront page."""
    keys: Literal["auto", "always", "never"] = "auto"
    """Whether the API asks for a key: `auto` once the shop has one, or where other machines reach the server."""
    storefront: bool = True
    """Whether the pages to try the shop with are served; they need no key."""
    console: bool = True
    """Whether the owner's pages below /console are served; they need a key of scope admin."""
    key_rate: float = 200.0
    """Calls that one key may make in a second; twice as many at once. 0 is no limit."""
    address_rate: float = 50.0
    """Calls that one address may make without a key in a second, where keys are asked for; four times as many at once.
    0 is no limit."""
    wait_ms: float = 200.0
    """Longest expected wait for a worker, in milliseconds; a call that would wait longer is refused at once (503)."""
    deadline_ms: float = 5000.0
    """Longest that a caller may wait for its answer, in milliseconds; a call says less with X-Deadline-Ms."""
    follow_seconds: float = 1.0
    """Seconds between looks at which index version is live; a new one is taken up while the server runs. 0 is never."""
    origins: tuple[str, ...] = ()
    """Sites whose pages may call the API from a browser, such as `https://shop.example` (CORS)."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            least = 0 if field.name in ("key_rate", "address_rate", "follow_seconds") else 1
            if isinstance(value, int | float) and not isinstance(value, bool) and not value >= least:
                raise SettingsError(f"[serve] {field.name} is {value}", cure=f"give {least} or more")
        if not self.name.strip() or len(self.name) > 60:
            raise SettingsError(f"[serve] name is {self.name[:60]!r}", cure="give 1 to 60 characters")
        for origin in self.origins:
            if not re.fullmatch(r"https?://[^/\s*]+", origin):
                raise SettingsError(
                    f"[serve] origins has {origin[:80]!r}", cure="give addresses as https://shop.example"
                )
        if self.page_size > 100:
            raise SettingsError(f"[serve] page_size is {self.page_size}", cure="give 1 to 100")
