"""A page's rows and the parts of their scores in; a reason for each that is true by construction out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from mercer.rank.recommend_reason import recommend_reason
from mercer.recommend.ruled import RULE
from mercer.records import Product, Request
from mercer.retrieve.behaviour import Behaviour
from mercer.retrieve.index import Index
from mercer.retrieve.row import Rows
from mercer.retrieve.signals import Asked, Signals

__all__ = ["Reasons"]

FRESH = 7 * 86_400_000
"""Milliseconds: "this week" is said only while the last event that was learnt from is younger."""


class Reasons:
    """The sentence that goes with the largest part of each hit's score, and names what that part came from."""

    def __init__(
        self, index: Index, behaviour: Behaviour, signals: Signals, rows: Rows, *, clock: Callable[[], float]
    ) -> None:
        self._index, self._behaviour, self._signals, self._rows, self._clock = index, behaviour, signals, rows, clock

    def __call__(
        self,
        request: Request,
        asked: Asked,
        parts: Mapping[str, NDArray[np.float64]],
        *,
        rows: NDArray[np.int64],
        ids: Sequence[str],
    ) -> list[str]:
        """One reason a hit, "" where nothing but the shop's rules put it there."""
        names = [name for name in parts if not name.startswith(RULE)]
        if not ids or not names:
            return [""] * len(ids)
        table = np.array([parts[name][rows] for name in names])
        largest = [names[at] if table[at, place] > 0 else "" for place, at in enumerate(table.argmax(axis=0))]
        codes = self._rows.codes(int(rows.max()) + 1)[rows]
        anchors = self._signals.anchors(largest, asked, codes=codes, ids=ids)
        known = {product.id: product for product in self._index.products([*dict.fromkeys([*anchors, *ids])])}
        chinese = request.context.get("language", "en").startswith("zh")
        reasons = []
        for signal, anchor, code, id in zip(largest, anchors, codes.tolist(), ids, strict=True):
            kind = self._kind(request, asked, signal, anchor=known.get(anchor), hit=known.get(id), code=code)
            title = known[anchor].title if anchor in known else ""
            days = self._behaviour.repeat.usual_days(code) if kind == "again" else 0.0
            ago = asked.ago.get(id, 0.0)
            reasons.append(recommend_reason(kind, title, chinese=chinese, ago=ago, days=days))
        return reasons

    def new(self, request: Request) -> str:
        """Of a product that was drawn because few have found it."""
        return recommend_reason("new", chinese=request.context.get("language", "en").startswith("zh"))

    def _kind(
        self, request: Request, asked: Asked, signal: str, *, anchor: Product | None, hit: Product | None, code: int
    ) -> str:
        """Which sentence is true of a hit whose largest part is `signal`."""
        kind = signal
        fresh = self._clock() * 1000 - self._behaviour.end <= FRESH
        if signal in ("linear", "behaviour"):
            kind = "bought" if anchor and anchor.id in asked.bought else "viewed"
            kind = "also" if signal == "behaviour" and request.scene in ("similar", "together", "basket") else kind
        elif signal == "popular":
            popular = self._behaviour.popular
            kind = "week" if fresh and popular.week[code] >= popular.weekly else "popular"
        elif signal == "repeat":
            kind = "again" if code >= 0 else ""
        elif signal == "trending":
            kind = "rising" if fresh else "rose"
        elif signal == "taste" and anchor:
            kind = "kind" if hit and hit.category and hit.category == anchor.category else "brand"
        elif signal == "taste":
            kind = "wanted" if asked.wanted else ""
        elif signal == "context" and hit and hit.attributes.get("occasion", "\x00") == asked.context.get("occasion"):
            kind = "occasion"
        return kind
