"""A shop's open doors in; its live assistant, with orders, memory and the people's desk, out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Container, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercer.assistant.answer import Answer, Ask
from mercer.assistant.door import Assistant
from mercer.assistant.errand import Errands
from mercer.assistant.handover import Desk
from mercer.assistant.memory import Memory, Turn
from mercer.assistant.model import Model
from mercer.assistant.order import DemoOrders, Orders
from mercer.assistant.phrase import Phraser
from mercer.assistant.product import Products
from mercer.assistant.settings import AssistantSettings
from mercer.assistant.shelf import Shelf
from mercer.assistant.tool import Toolbox
from mercer.errors import ModelError, NotFoundError
from mercer.records import Shopper
from mercer.shop import Kind

__all__ = ["LiveAssistant", "open_assistant"]

KIND: Kind = "assistant"
NOBODY = Shopper("")
FRESH = 5.0
"""Seconds for which the list of product ids is believed."""


def open_assistant(doors: Any, settings: AssistantSettings | None = None, *, orders: Orders | None = None) -> Assistant:
    """The live version of the shop's assistant over its doors.

    Args:
        doors: `mercer.doors.Doors`; asked anew for each message, so that a newer version may take its place.
        settings: section [assistant].
        orders: the shop's order system; None is the demo's, where the shop has a file for it.

    Raises:
        NotFoundError: no assistant was learned.
        ModelError: it was learned with another encoder than the index has.
    """
    chosen, shop = settings or AssistantSettings(), doors.shop
    live = shop.live(KIND)
    if live is None:
        raise NotFoundError(f"{shop.folder} has no assistant", cure=f"run: mercer learn {shop.folder} assistant")
    encoder, card = doors.encoder, shop.card("assistant", live.version)
    if card["encoder"] != encoder.name:
        raise ModelError(
            f"assistant {live.version} was learned with {card['encoder']}, the index has {encoder.name}",
            cure=f"run: mercer learn {shop.folder} assistant",
        )
    source = shop.folder / chosen.orders
    if orders is None and chosen.orders and source.is_file():
        orders = DemoOrders(shop.store / "orders.db", source)
    memory = Memory(shop.store, idle=chosen.idle, keep=chosen.keep)

    def encode(texts: Sequence[str]) -> NDArray[np.float32]:
        found: NDArray[np.float32] = encoder(texts, side="query")
        return found

    return Assistant(
        Model.load(shop.path("assistant", live.version)),
        encode,
        products=Products(Shelf(lambda: doors, most=chosen.products)),
        errands=Errands(None if orders is None else Toolbox(orders, shop.audit)),
        memory=memory,
        desk=Desk(shop, memory),
        known=_ids(doors),
        shopper=lambda id: doors.shopper(id) if id else NOBODY,
        settings=chosen,
        phraser=Phraser(chosen) if chosen.endpoint else None,
        version=live.version,
    )


class LiveAssistant:
    """The live version, whichever that is when a message comes."""

    def __init__(self, doors: Any, settings: AssistantSettings | None = None, *, orders: Orders | None = None) -> None:
        self._doors, self._settings, self._orders = doors, settings, orders
        self._lock, self._held = threading.Lock(), ("", "")
        self._assistant: Assistant | None = None

    def __call__(self, ask: Ask) -> Answer:
        """See `Assistant`; NotFoundError where the shop has learned none."""
        return self.now()(ask)

    def ready(self) -> bool:
        """Whether a version is live that was learned with the index's encoder; opens nothing."""
        shop = self._doors.shop
        live = shop.live(KIND)
        return live is not None and shop.card("assistant", live.version)["encoder"] == self._doors.encoder.name

    def now(self) -> Assistant:
        """The version that is live now, opened where it is another than before."""
        live = self._doors.shop.live(KIND)
        wanted = (live.version if live else "", self._doors.version)
        with self._lock:
            if self._assistant is None or wanted != self._held:
                self._assistant = open_assistant(self._doors, self._settings, orders=self._orders)
                self._held = wanted
            return self._assistant

    def history(self, conversation: str, shopper: str) -> list[Turn] | None:
        """What was said; None where it is not this shopper's."""
        memory = self.now().memory
        return memory.history(conversation) if memory.own(conversation, shopper) else None


def _ids(doors: Any) -> Callable[[], Container[str]]:
    """The shop's product ids, read again every FRESH seconds."""
    held: list[Any] = [0.0, frozenset()]

    def known() -> Container[str]:
        if time.monotonic() > held[0]:
            held[1], held[0] = frozenset(doors.index.ids()), time.monotonic() + FRESH
        found: Container[str] = held[1]
        return found

    return known
