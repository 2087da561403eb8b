"""Nothing in; what one page of the console declares, and the gate that its routes carry, out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from fastapi import APIRouter

from mercer.serve.key_scope import needs

if TYPE_CHECKING:
    from mercer.serve.console.desk import Desk

__all__ = ["ADMIN", "GROUPS", "Group", "Section", "routes"]

Group = Literal["data", "answers", "people", "safety"]
GROUPS: Mapping[Group, tuple[str, str]] = {
    "data": ("Data and models", "数据与模型"),
    "answers": ("Search and pages", "搜索与页面"),
    "people": ("Shoppers", "顾客"),
    "safety": ("Safety", "安全"),
}
"""Headings of the menu, in its order: English and Chinese."""

ADMIN: dict[str, Any] = needs("admin", console=True)
"""What every route of the console declares as `openapi_extra`: an owner who is signed in, or a key of scope admin."""


@dataclass(frozen=True, slots=True)
class Section:
    """One entry of the menu and the pages behind it."""

    path: str
    """After /console/; "" is the first page."""
    title: tuple[str, str]
    """English and Chinese."""
    group: Group
    pages: Callable[[Desk], APIRouter]
    """Makes the routes, all below /console/`path`; see `routes`."""
    phrases: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """What its templates say: name → English and Chinese, with {values} to fill in."""
    badge: Callable[[Desk], int] | None = None
    """How many things in it wait for the owner; shown in the menu where it is not 0. Must be quick."""

    @property
    def address(self) -> str:
        return f"/console/{self.path}".rstrip("/")


def routes(path: str) -> APIRouter:
    """A router for a section's pages; none of them is part of the API."""
    return APIRouter(prefix=f"/console/{path}" if path else "", include_in_schema=False)
