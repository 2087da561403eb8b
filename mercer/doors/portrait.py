"""An open shop and a shopper's id in; who they seem to be, each claim with the products and times behind it, out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mercer.doors.segment import Segment, segments
from mercer.errors import NotFoundError
from mercer.events.log import EventLog
from mercer.events.people import People
from mercer.records import CATEGORY_SEPARATOR, Event, Filter, Product
from mercer.retrieve.behaviour import Behaviour
from mercer.retrieve.history import DAY, HistorySettings
from mercer.retrieve.index import Index

__all__ = ["Evidence", "Interest", "Portrait", "PriceBand", "portrait"]

HALF_LIFE = 30.0
"""Days before the shopper's last action after which one counts half. A guess, as for item-knn."""
LIVE = 1000
"""Latest events of the live log that are read."""
SHOWN = 3
"""Products named as evidence of each interest."""
MOST = 8
"""Interests of one kind."""
PRICED = 3
"""Products with a price that a price band needs."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One product that the shopper dealt with."""

    product: str
    title: str
    action: str
    """The strongest that is known: purchase, add_to_cart, like, click or view."""
    time: int
    """UTC milliseconds, of the last time."""


@dataclass(frozen=True, slots=True)
class Interest:
    """A category, brand or attribute, and how much of what the shopper did went to it."""

    field: str
    value: str
    share: float
    """Of the shopper's actions, by strength and age; those of one field need not sum to 1."""
    lift: float
    """The share by the share of the catalogue that has this value: 1 is what chance would do."""
    products: int
    evidence: tuple[Evidence, ...]
    """The products that made most of it."""
    preference: str = ""
    """"muted" or "wanted" where somebody said so; "" where it is only what was done."""


@dataclass(frozen=True, slots=True)
class PriceBand:
    """What the shopper looks at costs: the 20th, 50th and 80th percentile by strength and age."""

    low: float
    middle: float
    high: float
    currency: str
    level: float | None
    """Mean place among the products of the same narrowest category: 0 the cheapest, 1 the dearest; None unknown."""
    products: int


@dataclass(frozen=True, slots=True)
class Portrait:
    """What a shop knows of one shopper. Of checked data it keeps the last time of each product, no more."""

    id: str
    products: int
    bought: int
    first: int
    """UTC milliseconds of the earliest action that is kept; 0 where there is none."""
    last: int
    days_since: float
    """Days from the last action to the last moment that the shop knows of."""
    active_days: int
    segments: tuple[Segment, ...]
    price: PriceBand | None
    interests: tuple[Interest, ...]
    recent: tuple[Evidence, ...]
    """The last ten products, the most recent first."""
    muted: tuple[tuple[str, str], ...] = ()
    wanted: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class _Deed:
    """The strongest and the last that a shopper did with a product."""

    product: Product
    action: str
    time: int
    weight: float


def portrait(index: Index, behaviour: Behaviour, log: EventLog, id: str) -> Portrait:
    """Describe a shopper by the index's past and the live log together.

    Raises:
        NotFoundError: nothing is known of this id.
    """
    events = log.recent(id, LIVE)
    done = _done(behaviour, events, id)
    said = People(log).preferences(id)
    if not done and not said:
        raise NotFoundError(f"nothing is known of shopper {id[:80]!r}", cure="give the id as the events have it")
    last = max((moment for _, moment in done.values()), default=0)
    now = max(behaviour.end, last)
    there = {product.id: product for product in index.products(sorted(done))}
    strength = HistorySettings()
    deeds = [
        _Deed(there[product], action, at, getattr(strength, action) * 0.5 ** ((last - at) / DAY / HALF_LIFE))
        for product, (action, at) in done.items()
        if product in there
    ]
    deeds.sort(key=lambda deed: (-deed.time, deed.product.id))
    band = _band(index, deeds)
    days = {moment // DAY for _, moment in done.values()}
    bought = {moment // DAY for action, moment in done.values() if action == "purchase"}
    interests = _interests(index, deeds, {(field, value): wanted for field, value, wanted in said})
    return Portrait(
        id=id,
        products=len(done),
        bought=sum(action == "purchase" for action, _ in done.values()),
        first=min((moment for _, moment in done.values()), default=0),
        last=last,
        days_since=round((now - last) / DAY, 2) if last else 0.0,
        active_days=len(days),
        segments=segments(
            products=len(done),
            bought_days=len(bought),
            age=(now - min((moment for _, moment in done.values()), default=now)) / DAY,
            idle=(now - last) / DAY if last else 0.0,
            level=band.level if band else None,
            brands=[(one.value, one.share, one.products) for one in interests if one.field == "brand"],
        ),
        price=band,
        interests=interests,
        recent=tuple(_evidence(deed) for deed in deeds[:10]),
        muted=tuple((field, value) for field, value, wanted in said if not wanted),
        wanted=tuple((field, value) for field, value, wanted in said if wanted),
    )


def _done(behaviour: Behaviour, events: Sequence[Event], id: str) -> dict[str, tuple[str, int]]:
    """Product → the strongest action that is known and the last moment; refunds and dislikes take it out."""
    strength, past = HistorySettings(), behaviour.pasts(id)
    done = {
        product: ("purchase" if bought else "view", int(moment))
        for product, moment, bought in zip(
            behaviour.products.take(past.product), past.time, past.bought.tolist(), strict=True
        )
    }
    for event in events:
        worth = getattr(strength, event.type, 0.0)
        if worth < 0:
            done.pop(event.product, None)
        elif worth > 0:
            before, moment = done.get(event.product, ("view", 0))
            stronger = event.type if worth >= getattr(strength, before) else before
            done[event.product] = (stronger, max(moment, event.time))
    return done


def _interests(index: Index, deeds: Sequence[_Deed], said: Mapping[tuple[str, str], bool]) -> tuple[Interest, ...]:
    """By field, the heaviest first; an attribute counts from two products on, as one proves no taste."""
    held: defaultdict[tuple[str, str], list[_Deed]] = defaultdict(list)
    for deed in deeds:
        for tag in _tags(deed.product):
            held[tag].append(deed)
    whole = sum(deed.weight for deed in deeds) or 1.0
    weight = {tag: sum(deed.weight for deed in mine) for tag, mine in held.items()}
    found: list[Interest] = []
    fields = sorted({field for field, _ in held}, key=lambda field: (field != "category", field != "brand", field))
    for field in fields:
        mine = [tag for tag in held if tag[0] == field and (field in ("category", "brand") or len(held[tag]) > 1)]
        for tag in sorted(mine, key=lambda tag: (-weight[tag], tag))[:MOST]:
            usual = index.count((Filter(field, (tag[1],)),)) / max(1, index.count())
            best = sorted(held[tag], key=lambda deed: (-deed.weight, -deed.time, deed.product.id))[:SHOWN]
            found.append(
                Interest(
                    *tag,
                    share=round(weight[tag] / whole, 4),
                    lift=round(weight[tag] / whole / usual, 2) if usual else 0.0,
                    products=len(held[tag]),
                    evidence=tuple(map(_evidence, best)),
                    preference=("wanted" if said[tag] else "muted") if tag in said else "",
                )
            )
    return tuple(found)


def _tags(product: Product) -> list[tuple[str, str]]:
    found = [("category", CATEGORY_SEPARATOR.join(product.category))] if product.category else []
    found += [("brand", product.brand)] if product.brand else []
    return found + [(f"attributes.{name}", value) for name, value in product.attributes.items() if value]


def _evidence(deed: _Deed) -> Evidence:
    return Evidence(deed.product.id, deed.product.title, deed.action, deed.time)


def _band(index: Index, deeds: Sequence[_Deed]) -> PriceBand | None:
    priced = [deed for deed in deeds if deed.product.price is not None]
    currency = Counter(deed.product.currency for deed in priced).most_common(1)[0][0] if priced else ""
    priced = [deed for deed in priced if deed.product.currency == currency]  # amounts of two currencies have no middle
    if len(priced) < PRICED:
        return None
    prices = np.array([deed.product.price for deed in priced], dtype=np.float64)
    order = np.argsort(prices, kind="stable")
    passed = np.cumsum(np.array([deed.weight for deed in priced])[order])
    low, middle, high = (
        float(prices[order][min(len(order) - 1, int(np.searchsorted(passed, share * passed[-1])))])
        for share in (0.2, 0.5, 0.8)
    )
    levels = [level for deed in priced if (level := _level(index, deed.product)) is not None]
    level = round(float(np.mean(levels)), 3) if levels else None
    return PriceBand(low, middle, high, currency, level, len(priced))


def _level(index: Index, product: Product) -> float | None:
    """Share of the products of its narrowest category that cost less, ties by half; None where fewer than five do."""
    if not product.category:
        return None
    mask = index.columns.mask((Filter("category", (CATEGORY_SEPARATOR.join(product.category),)),))
    prices = index.columns.numbers("price", np.flatnonzero(mask))
    prices = prices[~np.isnan(prices)]
    if len(prices) < 5 or product.price is None:
        return None
    return float(((prices < product.price).sum() + 0.5 * (prices == product.price).sum()) / len(prices))
