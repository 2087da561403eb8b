"""A wish about an order and who asks in; what the order system says, or a write offered for confirmation, out."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass

from mercer.assistant.answer import Action, Language, Source
from mercer.assistant.entity import Entities
from mercer.assistant.memory import State
from mercer.assistant.order import Order
from mercer.assistant.reply import Reply
from mercer.assistant.say import money, phrase, said
from mercer.assistant.tool import RETURN_DAYS, TOOLS, Pending, Refused, Toolbox
from mercer.errors import MercerError

__all__ = ["Errands", "Wish"]

OFFERS: Mapping[str, str] = {
    "cancel_order": "offer_cancel", "return_order": "offer_return", "change_address": "offer_address",
}  # fmt: skip
DONE: Mapping[str, str] = {
    "cancel_order": "done_cancel", "return_order": "done_return", "change_address": "done_address",
}  # fmt: skip
ADDRESS = re.compile(
    r"(?:改成|改为|改到|换成|换到|寄到|送到|寄往)[：:\s]*(?P<zh>[\u4e00-\u9fffA-Za-z0-9 ，,\-#]{5,120})|"
    r"\b(?:to|address(?: is)?:?)\s+(?P<en>\d+[A-Za-z]?[ ,]+[A-Za-z][A-Za-z0-9 ,.'\-]{4,120})",
    re.IGNORECASE,
)
ALL = re.compile(r"\borders\b|all my|哪些|所有|最近的订单|订单列表", re.IGNORECASE)
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted of an order, by whom."""

    tool: str
    text: str
    entities: Entities
    shopper: str
    language: Language


class Errands:
    """Reads at once, writes only offered; the toolbox decides, not the words."""

    def __init__(self, tools: Toolbox | None) -> None:
        self._tools = tools

    def __call__(self, wish: Wish, state: State) -> Reply:
        """Answer one wish."""
        language = wish.language
        if self._tools is None:
            return Reply(handover="unknown").says(said("no_service", language))
        try:
            return self._do(self._tools, wish, state)
        except Refused as refused:
            return _refused(refused, wish.tool, language)
        except MercerError as error:
            reply = Reply(handover="unknown", degraded=f"orders: {error.problem}")
            return reply.says(said("no_service", language))

    def confirm(self, pending: Pending | None, shopper: str, language: Language) -> Reply:
        """Do what was offered."""
        if pending is None or self._tools is None:
            return Reply().says(said("nothing_offered", language))
        try:
            order = self._tools.confirm(pending, shopper)
        except Refused as refused:
            return _refused(refused, pending.tool, language)
        except MercerError as error:
            reply = Reply(handover="unknown", degraded=f"orders: {error.problem}")
            return reply.says(said("no_service", language))
        source = _source(order, language)
        reply = Reply(action=Action(pending.tool, pending.arguments, "done"))
        return reply.says(said(DONE[pending.tool], language, source.id, **pending.arguments), source)

    def _do(self, tools: Toolbox, wish: Wish, state: State) -> Reply:
        named = wish.entities.orders
        if wish.tool == "order_status" and not named and (ALL.search(wish.text) or not state.order):
            return self._latest(tools, wish, state)
        number = named[0] if named else self._only(tools, wish, state)
        if not number:
            state.wanted = wish.tool
            return self._latest(tools, wish, state, choose=True)
        if TOOLS[wish.tool].kind == "read":
            order = tools.read(wish.tool, wish.shopper, number)
            state.order, state.wanted = order.id, ""
            return _told(order, wish.tool, wish.language)
        return self._offered(tools, wish, number, state)

    def _offered(self, tools: Toolbox, wish: Wish, number: str, state: State) -> Reply:
        arguments = {"order": number}
        if "address" in TOOLS[wish.tool].arguments:
            address = _address(wish, state, number)
            if not address:
                tools.read("order_status", wish.shopper, number)
                state.wanted, state.order = wish.tool, number
                return Reply().says(said("address", wish.language, order=number))
            arguments["address"] = address
        pending = tools.offer(wish.tool, wish.shopper, arguments)
        state.pending, state.order, state.wanted = dataclasses.asdict(pending), number, ""
        source = _source(tools.read("order_status", wish.shopper, number), wish.language)
        reply = Reply(action=Action(wish.tool, arguments, "offered", pending.token))
        return reply.says(said(OFFERS[wish.tool], wish.language, source.id, **arguments), source)

    def _only(self, tools: Toolbox, wish: Wish, state: State) -> str:
        """The order spoken of; else the only one that the tool could be for."""
        if state.order:
            return state.order
        states = TOOLS[wish.tool].states
        able = [one for one in tools.latest(wish.shopper) if not states or one.status in states]
        return able[0].id if len(able) == 1 else ""

    def _latest(self, tools: Toolbox, wish: Wish, state: State, *, choose: bool = False) -> Reply:
        orders, language = tools.latest(wish.shopper)[:SHOWN], wish.language
        if not orders:
            return Reply().says(said("no_orders", language))
        if len(orders) == 1 and not choose:
            state.order = orders[0].id
            return _told(orders[0], "order_status", language)
        reply = Reply().says(said("orders", language, *(f"order-{one.id}" for one in orders)))
        for one in orders:
            source = _source(one, language)
            status, total = phrase(f"status_{one.status}", language), money(one.total, one.currency)
            reply.says(said("order_line", language, source.id, order=one.id, status=status, total=total), source)
        return reply.says(said("choose", language)) if choose else reply


def _address(wish: Wish, state: State, number: str) -> str:
    """The address that a message gives: after "to" or 改到, or all of it where an address was just asked for."""
    match = ADDRESS.search(wish.text)
    if match:
        return str(match["zh"] or match["en"]).strip(" ,，.。吧")[:160]
    asked = state.wanted == wish.tool and state.order == number and not re.fullmatch(r"[A-Z0-9-]+", wish.text)
    return wish.text.strip()[:160] if asked else ""


def _told(order: Order, tool: str, language: Language) -> Reply:
    source, total = _source(order, language), money(order.total, order.currency)
    if tool == "refund_status":
        due = order.status in ("cancelled", "returning")
        refund = phrase("refund_open" if due else "refund_none", language, total=total)
        return Reply().says(said("refund", language, source.id, order=order.id, refund=refund), source)
    status = phrase(f"status_{order.status}", language)
    reply = Reply().says(
        said("order", language, source.id, order=order.id, status=status, count=order.count, total=total), source
    )
    if order.carrier and order.tracking:
        reply.says(said("carrier", language, source.id, carrier=order.carrier, tracking=order.tracking), source)
    return reply


def _source(order: Order, language: Language) -> Source:
    """An order as evidence; without its address, which names a person."""
    status = phrase(f"status_{order.status}", language)
    told = [order.id, status, f"{order.count} × {money(order.total, order.currency)}", order.carrier, order.tracking]
    return Source(f"order-{order.id}", "order", order.id, "\n".join(piece for piece in told if piece))


def _refused(refused: Refused, tool: str, language: Language) -> Reply:
    values = dict(refused.values)
    if "status" in values:
        values["status"] = phrase(f"status_{values['status']}", language)
    if "why" in values:
        values["why"] = phrase(str(values["why"]), language, days=RETURN_DAYS)
    order = {"order": str(values["order"])} if "order" in values else {}
    reply = Reply(action=Action(tool, order, "refused", detail=refused.why))
    return reply.says(said(refused.why, language, **values))
