"""Section [serve] of mercer.toml in; the server's limits out."""

from __future__ import annotations

from dataclasses import dataclass, fields

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

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, int | float) and value < 1:
                raise SettingsError(f"[serve] {field.name} is {value}", cure="give 1 or more")
        if not self.name.strip() or len(self.name) > 60:
            raise SettingsError(f"[serve] name is {self.name[:60]!r}", cure="give 1 to 60 characters")
        if self.page_size > 100:
            raise SettingsError(f"[serve] page_size is {self.page_size}", cure="give 1 to 100")
