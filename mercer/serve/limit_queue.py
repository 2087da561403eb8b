"""Calls in, in the order they came; as many as are worked on at once out, those that would wait too long refused."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass

from mercer.search.effort import EFFORTS, Effort

__all__ = ["EFFORT", "Queue", "Ticket"]

EFFORT: ContextVar[Effort] = ContextVar("effort", default="full")
"""How much may be done for the request that is answered."""

NEWEST = 0.1
"""Weight of the newest call in the estimate of what a call costs: the last twenty or so decide."""
FADES = 0.99
"""A step that was passed over is believed to be this much cheaper, so that it is tried again once it is."""


@dataclass(slots=True)
class Ticket:
    """A call that may be worked on."""

    route: str
    waited: float
    """Seconds."""
    started: float
    effort: Effort = "full"


class Queue:
    """First come, first served, `slots` at a time. For one event loop; nothing here waits for a thread."""

    def __init__(self, slots: int, *, longest: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.slots, self.longest, self._clock = slots, longest, clock
        self._working: list[str] = []
        self._waiting: deque[tuple[str, asyncio.Future[None]]] = deque()
        self._ahead: Counter[str] = Counter()
        """Waiting calls by route: a refusal must not cost more where more wait."""
        self._cost: defaultdict[tuple[str, Effort], float] = defaultdict(float)

    def __len__(self) -> int:
        """Calls that wait."""
        return len(self._waiting)

    @property
    def costs(self) -> Mapping[tuple[str, Effort], float]:
        """(route, effort) → seconds that a call takes, by the latest ones."""
        return self._cost

    def expected(self) -> float:
        """Seconds that a call which came now would wait: the work ahead of it, shared by the slots."""
        if len(self._working) < self.slots:
            return 0.0
        counts = Counter(self._working)
        work = sum(count * self._typical(route) for route, count in counts.items()) / 2  # half done, on average
        work += sum(count * self._typical(route) for route, count in self._ahead.items() if count)
        return work / self.slots

    async def enter(self, route: str) -> Ticket | float:
        """A ticket once it is this call's turn; or at once the seconds that it would wait, where those are too many."""
        came = self._clock()
        if len(self._working) >= self.slots:
            expected = self.expected()
            if expected > self.longest:
                return expected
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append((route, turn))
            self._ahead[route] += 1
            try:
                await turn
            except asyncio.CancelledError:
                self._gave_up(route, turn)
                raise
        else:
            self._working.append(route)
        now = self._clock()
        return Ticket(route, now - came, now)

    def choose(self, ticket: Ticket, left: float) -> Effort:
        """The most that can be done for a call in the seconds that are left to it."""
        for effort in EFFORTS:
            cost = self._cost[ticket.route, effort]
            if cost <= left or effort == EFFORTS[-1]:
                ticket.effort = effort
                break
            self._cost[ticket.route, effort] = cost * FADES
        return ticket.effort

    def leave(self, ticket: Ticket, *, worked: bool = True) -> None:
        """The call is over; the next one's turn comes. `worked` says whether what it took tells of others."""
        if worked:
            key = (ticket.route, ticket.effort)
            took, known = self._clock() - ticket.started, self._cost[key]
            self._cost[key] = took if not known else known + NEWEST * (took - known)
        self._working.remove(ticket.route)
        self._next()

    def _next(self) -> None:
        while self._waiting and len(self._working) < self.slots:
            route, turn = self._waiting.popleft()
            self._ahead[route] -= 1
            if not turn.done():
                self._working.append(route)
                turn.set_result(None)

    def _gave_up(self, route: str, turn: asyncio.Future[None]) -> None:
        """Who waited went away; its slot, where it had got one, goes to the next."""
        if turn.done() and not turn.cancelled():
            self._working.remove(route)
            self._next()
        elif (route, turn) in self._waiting:
            self._waiting.remove((route, turn))
            self._ahead[route] -= 1

    def _typical(self, route: str) -> float:
        """What a call of a route takes: by the cheapest step known, which a crowd gets."""
        known = [cost for effort in EFFORTS if (cost := self._cost.get((route, effort), 0.0))]
        return min(known, default=0.0)
