"""A request in; answered by one version of the shop from beginning to end, whatever is made live meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol, runtime_checkable

from starlette.types import ASGIApp, Receive, Scope, Send

from mercer.errors import MercerError
from mercer.records import Product

__all__ = ["Held", "Stands", "Swapping"]


class Stands(Protocol):
    """As `mercer.doors.swap.Standing`."""

    @property
    def version(self) -> str: ...

    @property
    def since(self) -> int: ...

    @property
    def swaps(self) -> int: ...

    @property
    def draining(self) -> int: ...

    @property
    def behind(self) -> str: ...

    @property
    def fault(self) -> MercerError | None: ...


@runtime_checkable
class Swapping(Protocol):
    """Doors that go on to the version that is made live."""

    def lease(self) -> AbstractContextManager[object]: ...

    def standing(self) -> Stands: ...

    def newest(self, ids: Sequence[str]) -> list[Product]:
        """Products as the version has them that takes changes now."""
        ...


class Held:
    """ASGI middleware that holds a version open while it answers."""

    def __init__(self, app: ASGIApp, doors: Swapping) -> None:
        self.app, self.doors = app, doors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        with self.doors.lease():
            await self.app(scope, receive, send)
