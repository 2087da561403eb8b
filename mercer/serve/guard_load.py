"""A request whose caller is known in; refused above its rate or where it would wait too long, else answered in time."""

from __future__ import annotations

import time
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from mercer.serve.guard_access import CLOSED, ROUTE, caller
from mercer.serve.limit import Rates, retry_after
from mercer.serve.limit_queue import EFFORT, Queue
from mercer.serve.metrics import Metrics
from mercer.serve.problem import problem
from mercer.serve.settings import ServeSettings

__all__ = ["HEADER", "Load"]

HEADER = "x-deadline-ms"
"""With which a caller says for how many milliseconds it waits for the answer."""
LIGHT = ("/health", "/ready", "/metrics", "/static", "/console/static", "/openapi.json")
"""Answered at once, however many others wait: who looks after the server must reach it."""
LADDER = ("/v1/search", "/search")
"""Routes that can do with less."""


class Load:
    """ASGI middleware: rates by key and address, a bounded wait, deadlines."""

    def __init__(
        self, app: ASGIApp, settings: ServeSettings, metrics: Metrics, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.app, self.settings, self.metrics, self._clock = app, settings, metrics, clock
        self.queue = Queue(settings.threads, longest=settings.wait_ms / 1000, clock=clock)
        metrics.waiting.set_function(lambda: len(self.queue))
        self._by_key = Rates(settings.key_rate, burst=settings.key_rate * 2, clock=clock)
        self._by_address = Rates(settings.address_rate, burst=settings.address_rate * 4, clock=clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = scope.get(ROUTE, "")
        if scope["type"] != "http" or not route or route in LIGHT:
            await self.app(scope, receive, send)
            return
        if (wait := self._too_often(scope)) > 0:
            await self._refuse("rate", 429, "this caller asks more often than it may", wait)(scope, receive, send)
            return
        budget = _deadline(scope, self.settings.deadline_ms) / 1000
        ticket = await self.queue.enter(route)
        if isinstance(ticket, float):
            said = f"{len(self.queue)} calls wait, so this one would wait {ticket:.2f} s"
            await self._refuse("queue", 503, said, ticket)(scope, receive, send)
            return
        self.metrics.wait.observe(ticket.waited)
        left, worked = budget - ticket.waited, False
        try:
            if left <= 0:
                said = f"its {budget:.2f} s were over before it was its turn"
                await self._refuse("deadline", 503, said, ticket.waited)(scope, receive, send)
                return
            effort = EFFORT.set(self.queue.choose(ticket, left) if route in LADDER else "full")
            worked = True
            try:
                await self.app(scope, receive, send)
            finally:
                EFFORT.reset(effort)
        finally:
            self.queue.leave(ticket, worked=worked)

    def _too_often(self, scope: Scope) -> float:
        """Seconds until this caller may ask again."""
        who = caller(scope)
        if who.kind == "key":
            return self._by_key(who.id)
        return self._by_address((scope.get("client") or ("",))[0]) if scope.get(CLOSED) else 0.0

    def _refuse(self, why: str, status: int, detail: str, seconds: float) -> Response:
        self.metrics.refused.labels(why).inc()
        after = retry_after(seconds)
        response = problem(status, detail, cure=f"ask again in {after} s")
        response.headers["retry-after"] = after
        return response


def _deadline(scope: Scope, most: float) -> float:
    """Milliseconds that the caller waits: what it says, never more than the server allows."""
    said = Headers(scope=scope).get(HEADER, "")
    known = said.isascii() and said.isdigit() and len(said) < 10 and int(said) > 0
    return min(most, float(said)) if known else most
