"""The name of a tool, typed arguments and who asks in; what a policy allows done, audited, out."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mercer.assistant.order import Order, Orders
from mercer.errors import RequestError
from mercer.shop.audit import Audit

__all__ = ["RETURN_DAYS", "TOOLS", "Pending", "Refused", "Tool", "Toolbox"]

DAY = 86_400_000
RETURN_DAYS = 30
"""Days after delivery in which the demo order system takes goods back; its policy page says the same."""
OFFER = 600.0
"""Seconds for which an offer may be confirmed."""
SHAPES = {"order": re.compile(r"[A-Z0-9-]{4,24}"), "address": re.compile(r"[^<>{}\x00-\x1f]{5,160}")}
"""What an argument of each type may be."""


@dataclass(frozen=True, slots=True)
class Tool:
    """What may be called, with which arguments, by whom."""

    name: str
    kind: Literal["read", "write"]
    """A write is done only after the customer has confirmed exactly it."""
    arguments: Mapping[str, str]
    """Name → type of `SHAPES`."""
    states: tuple[str, ...] = ()
    """States of an order in which a write is allowed."""


TOOLS: Mapping[str, Tool] = {
    tool.name: tool
    for tool in (
        Tool("orders", "read", {}),
        Tool("order_status", "read", {"order": "order"}),
        Tool("refund_status", "read", {"order": "order"}),
        Tool("cancel_order", "write", {"order": "order"}, ("paid",)),
        Tool("return_order", "write", {"order": "order"}, ("delivered",)),
        Tool("change_address", "write", {"order": "order", "address": "address"}, ("paid",)),
    )
}
"""Everything that the assistant can do; nothing else exists, whatever a text says."""


class Refused(RequestError):
    """The policy does not allow it; `why` is the name of a phrase."""

    def __init__(self, why: str, /, **values: object) -> None:
        super().__init__(f"the policy of tools refuses: {why}", cure="ask for an own order in a state that allows it")
        self.why, self.values = why, values


@dataclass(frozen=True, slots=True)
class Pending:
    """A write that was offered and waits for the customer's yes."""

    tool: str
    arguments: Mapping[str, str]
    shopper: str
    token: str
    until: float
    """Seconds since 1970."""


class Toolbox:
    """The policy around the order system. Messages cannot reach it: it takes names and typed values only."""

    def __init__(self, orders: Orders, audit: Audit, *, clock: Callable[[], float] = time.time) -> None:
        self._orders, self._audit, self._clock = orders, audit, clock

    def latest(self, shopper: str) -> list[Order]:
        """The shopper's own orders, newest first."""
        self._needs(shopper)
        return list(self._orders.latest(shopper))

    def read(self, tool: str, shopper: str, order: str) -> Order:
        """An order of the shopper's own.

        Raises:
            Refused: nobody is signed in, or they have no such order: somebody else's is as good as none.
        """
        assert TOOLS[tool].kind == "read"
        return self._own(shopper, self._checked(tool, {"order": order})["order"])

    def offer(self, tool: str, shopper: str, arguments: Mapping[str, str]) -> Pending:
        """A write to be confirmed; nothing has happened yet.

        Raises:
            Refused: the state of the order does not allow it.
        """
        given = self._checked(tool, arguments)
        self._allowed(tool, shopper, given["order"])
        return Pending(tool, given, shopper, secrets.token_urlsafe(9), self._clock() + OFFER)

    def confirm(self, pending: Pending, shopper: str) -> Order:
        """Do what was offered, for whom it was offered, once; the audit log knows before it is done.

        Raises:
            Refused: another shopper confirms, the offer is over, or the order has changed meanwhile.
        """
        if pending.shopper != shopper or self._clock() > pending.until:
            raise Refused("nothing_offered")
        given = self._checked(pending.tool, pending.arguments)
        self._allowed(pending.tool, shopper, given["order"])
        about = {"tool": pending.tool, "order": given["order"], "confirmed": True}
        self._audit.append(f"assistant {pending.tool}", about)
        call: Mapping[str, Callable[..., Order]] = {
            "cancel_order": self._orders.cancel,
            "return_order": self._orders.send_back,
            "change_address": self._orders.readdress,
        }
        return call[pending.tool](shopper, *given.values())

    def _checked(self, name: str, arguments: Mapping[str, Any]) -> dict[str, str]:
        tool = TOOLS.get(name)
        if tool is None:
            raise RequestError(f"there is no tool {name[:40]!r}", cure=f"tools: {', '.join(TOOLS)}")
        if set(arguments) != set(tool.arguments):
            raise RequestError(f"{name} got {sorted(arguments)}", cure=f"give {', '.join(tool.arguments)}")
        for key, kind in tool.arguments.items():
            if not (isinstance(arguments[key], str) and SHAPES[kind].fullmatch(arguments[key])):
                raise RequestError(f"{key} of {name} is no {kind}", cure="give one as the shop writes it")
        return {key: arguments[key] for key in tool.arguments}

    def _own(self, shopper: str, order: str) -> Order:
        self._needs(shopper)
        found = self._orders.find(shopper, order)
        if found is None:
            raise Refused("no_order", order=order)
        return found

    def _needs(self, shopper: str) -> None:
        if not shopper:
            raise Refused("who")

    def _allowed(self, name: str, shopper: str, order: str) -> None:
        found = self._own(shopper, order)
        if found.status in TOOLS[name].states:
            if name == "return_order" and self._clock() * 1000 - (found.delivered or 0) > RETURN_DAYS * DAY:
                raise Refused("too_late_return", order=order, why="why_over")
            return
        if name == "return_order":
            why = "why_returned" if found.status == "returning" else "why_not_delivered"
            raise Refused("too_late_return", order=order, why=why)
        too_late = {"cancel_order": "too_late_cancel", "change_address": "too_late_address"}[name]
        raise Refused(too_late, order=order, status=found.status)
