"""A request in; refused if host, size or caller is wrong, else passed on; every answer gets its security headers."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mercer.serve.guard_access import CALLER, Access
from mercer.serve.header import SECURITY
from mercer.serve.problem import CURES, problem
from mercer.serve.settings import ServeSettings
from mercer.shop.audit import ACTING

__all__ = ["Guard"]

BATCHES = ("/v1/events", "/v1/events/ga4", "/v1/products", "/v1/rules")


class Guard:
    """ASGI middleware: host names, body sizes, who may ask, headers."""

    def __init__(self, app: ASGIApp, settings: ServeSettings, access: Access) -> None:
        self.app = app
        self.settings = settings
        self.access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY.items():
                    headers.setdefault(name, value)
            await send(message)

        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, guarded)
            return
        asks = self.access(scope)
        if isinstance(asks, Response):
            await asks(scope, receive, guarded)
            return
        scope[CALLER] = asks
        acting = ACTING.set(str(asks))
        try:
            await self.app(scope, _limited(receive, self._limit(scope)), guarded)
        finally:
            ACTING.reset(acting)
        if self.access.used and self.access.used.due:
            await run_in_threadpool(self.access.used.save)

    def _limit(self, scope: Scope) -> int:
        path = scope["path"].rstrip("/")
        return self.settings.batch_bytes if path in BATCHES else self.settings.question_bytes

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "").rsplit("]", 1)
        name = host[0] + "]" if len(host) == 2 else host[0].split(":")[0]
        if self.settings.hosts and name.lower() not in self.settings.hosts:
            return problem(421, f"this server does not answer to host {name[:100]!r}", cure=CURES[421])
        length = headers.get("content-length", "")
        if length.isdigit() and int(length[:20]) > self._limit(scope):
            return problem(413, _too_long(int(length[:20]), self._limit(scope)), cure=CURES[413])
        return None


def _limited(receive: Receive, limit: int) -> Receive:
    """Count what arrives, for a body that does not say its length."""
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise HTTPException(413, _too_long(seen, limit))
        return message

    return counted


def _too_long(seen: int, limit: int) -> str:
    return f"the body has {seen} bytes or more; at most {limit} are read here"
