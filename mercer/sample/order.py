"""Purchases in; the orders that the demo order service begins with, by shopper and visit, out."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercer.records import ACTIONS
from mercer.sample.catalogue import Goods
from mercer.sample.settings import DAY, SampleSettings
from mercer.sample.shopper import People
from mercer.sample.taxonomy import EN, Taxonomy

__all__ = ["draw"]

STREETS = (("江南路", "书院街", "长乐路", "望江路"), ("Mill Lane", "Harbour Street", "Orchard Road", "Station Road"))
"""Of invented addresses."""


def draw(
    settings: SampleSettings, world: Taxonomy, goods: Goods, people: People, events: dict[str, NDArray[Any]]
) -> list[dict[str, Any]]:
    """Orders by number: what one shopper bought in one visit, with a status that fits how long ago it was.

    The newest quarter is paid but not yet packed, packed, or on its way; the rest was delivered.
    """
    bought = np.flatnonzero(events["type"] == ACTIONS.index("purchase"))
    visits: dict[int, list[int]] = {}
    for row in bought.tolist():
        visits.setdefault(int(events["visit"][row]), []).append(row)
    placed = sorted(visits.values(), key=lambda rows: (int(events["time"][rows[0]]), rows[0]))
    return [
        _order(settings, world, goods, people, events, rows=rows, age=place / max(len(placed) - 1, 1))
        for place, rows in enumerate(placed)
    ]


def _order(
    settings: SampleSettings,
    world: Taxonomy,
    goods: Goods,
    people: People,
    events: dict[str, NDArray[Any]],
    *,
    rows: list[int],
    age: float,
) -> dict[str, Any]:
    who, time = int(events["who"][rows[0]]), int(events["time"][rows[0]])
    language = int(people.language[who])
    items: list[dict[str, Any]] = [
        {
            "product": goods.id[int(events["product"][row])],
            "quantity": int(events["quantity"][row]),
            "price": float(goods.price[int(events["product"][row])]),
        }
        for row in rows
    ]
    number = int(hashlib.blake2b(f"{settings.seed} {rows[0]}".encode(), digest_size=8).hexdigest(), 16)
    street, places = STREETS[0 if language != EN else 1], world.words["places"]["en" if language == EN else "zh"]
    house, place = number % 180 + 1, places[int(people.place[who]) % len(places)]
    address = f"{house} {street[number % 4]}, {place}" if language == EN else f"{place}{street[number % 4]}{house}号"
    status = "delivered" if age < 0.75 else ("shipped", "packed", "paid")[number % 3]
    return {
        "order": f"M{settings.seed:02d}{number % 10**8:08d}",
        "shopper": people.id[who],
        "items": items,
        "total": round(sum(one["price"] * one["quantity"] for one in items), 2),
        "currency": "CNY",
        "status": status,
        "placed": time,
        "delivered": time + 3 * DAY if status == "delivered" else None,
        "address": address,
        "carrier": "" if status in ("paid", "packed") else "Swift Crane",
        "tracking": "" if status in ("paid", "packed") else f"SC{number % 10**10:010d}",
    }
