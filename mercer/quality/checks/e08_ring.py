"""Events in; those of accounts that were paid to buy the same products (刷单) out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercer.errors import SettingsError
from mercer.quality.check import CheckSettings, Inputs, Problem, check
from mercer.quality.dense_block import Block, Pairs
from mercer.quality.event_codes import EventCodes, codes_of
from mercer.quality.finding import Found
from mercer.quality.ring import Ring, RingRules, rings

__all__ = ["Brushing", "brushing"]

DELIBERATE = ("view", "click", "add_to_cart", "purchase", "like")
DAY = 86_400_000
BROAD = 0.2
"""Share of a ring in what an account wants, by the median of its accounts, below which it is a buyer of everything."""


@dataclass(frozen=True)
class Brushing(CheckSettings):
    """When a block of shoppers and products is a ring, and no set of products that people collect."""

    shoppers: int = 8
    """Fewest accounts of a ring."""
    products: int = 3
    """Fewest products of a ring."""
    density: float = 0.5
    """Share of all pairs of its accounts and products that are there."""
    purity: float = 0.3
    """Share of its products' pairs that are its accounts': others hardly want them."""
    together: float = 0.35
    """Share of pairs that come with another of the ring in one session (or day), below which they are separate
    orders. Of 300 blocks that are no ring (cups of one design in `online_retail`, products of one small category in
    the sample shop) the lowest had .58: people collect in baskets."""
    fresh: float = 0.7
    """Share of all that its accounts want which is of the ring, above which they are there for nothing else."""
    fresh_products: int = 8
    """Products from which that speaks for itself: a kit of few parts has buyers who want nothing else."""
    idle: float = 0.4
    """Share of what an account with two of a ring's products wants that is of the ring, from which it is of it too,
    where it did nothing before the ring began nor after it ended: not everyone does the whole task."""
    unseen: float = 0.3
    """Share of pairs whose product was shown to the account, below which nobody led them there, in a shop that shows
    what is wanted."""

    def __post_init__(self) -> None:
        CheckSettings.__post_init__(self)
        for name, least in (("shoppers", 4), ("products", 3), ("fresh_products", 3)):
            if getattr(self, name) < least:
                raise SettingsError(f"{name} is {getattr(self, name)}", cure=f"give at least {least}")
        for name in ("density", "purity", "together", "fresh", "idle", "unseen"):
            if not 0 <= getattr(self, name) <= 1:
                raise SettingsError(f"{name} is {getattr(self, name)}", cure="give a share between 0 and 1")


@check(
    "E08",
    families=("events",),
    tier="global",
    severity="critical",
    version=2,
    problems={
        "ring": Problem("accounts of a ring act on its products", "刷单团伙对目标商品的行为", "quarantine"),
        "ring_account": Problem("what else an account of a ring does", "刷单账号的其他行为", "down"),
        "boosted": Problem("a ring pushes this product", "该商品被刷单推高", "warn"),
    },
    settings=Brushing,
    english="no group of accounts acts on the same products as if told to",
    chinese="没有账号团伙集中刷同一批商品",
)
def brushing(inputs: Inputs[Any], settings: Brushing) -> Iterator[Found]:
    """Dense blocks of shoppers and products that stand apart from everyone else's taste.

    `ring.rings` finds blocks that chance does not give. Sets of products that people collect are such blocks, too; a
    ring shows itself by one thing more: each product is a separate order, its accounts want nothing else, or nobody
    showed them what they found. A ring whose accounts buy everything in one basket, hide among other products and
    search before they buy is taken for collectors.

    Known limit: an account that took only one of the ring's products is not told from a buyer.
    """
    codes = codes_of(inputs["events"])
    acts = codes.is_kind(*DELIBERATE)
    pairs = Pairs.of(codes.shopper[acts], codes.product[acts])
    rules = RingRules(settings.shoppers, settings.products, settings.density, purity=settings.purity)
    blocks = rings(pairs, rules)
    if not blocks:
        return
    told = _Witness(codes, acts, pairs)
    guilty = [(ring, about) for ring in blocks if told.guilty(about := told.of(ring.block), settings)]
    sure = [(told.joined(ring, settings.idle), about) for ring, about in guilty]
    if sure:
        yield from _events(sure, told)
        if "products" in inputs:
            yield from _products(sure, inputs["products"], codes)


class _Witness:
    """What the events say of a block besides its shape."""

    def __init__(self, codes: EventCodes, acts: NDArray[np.bool_], pairs: Pairs) -> None:
        self.codes, self.acts, self.pairs = codes, acts, pairs
        self.order = np.argsort(codes.product, kind="stable")
        self.start = np.searchsorted(codes.product[self.order], np.arange(int(codes.product.max()) + 2))
        self.width = np.bincount(pairs.shopper)
        self.shown = self._usually_shown()

    def rows(self, block: Block) -> NDArray[np.int64]:
        """Places of the events between a block's shoppers and products."""
        goods = block.products.tolist()
        places = np.concatenate([self.order[self.start[one] : self.start[one + 1]] for one in goods])
        return np.sort(places[np.isin(self.codes.shopper[places], block.shoppers)])

    def of(self, block: Block) -> dict[str, float]:
        """together, fresh and shown, each a share of the block's pairs."""
        rows = self.rows(block)
        acts = rows[self.acts[rows]]
        basket = np.where(self.codes.session[acts] >= 0, self.codes.session[acts], -2 - self.codes.time[acts] // DAY)
        columns = np.stack([self.codes.shopper[acts].astype(np.int64), basket, self.codes.product[acts]], axis=1)
        orders = np.unique(columns, axis=0)
        _, size = np.unique(orders[:, :2], axis=0, return_counts=True)
        seen = rows[self.codes.is_kind("impression")[rows]] if self.shown else rows[:0]
        return {
            "together": float(size[size > 1].sum() / len(orders)),
            "products": len(block.products),
            "fresh": block.pairs / float(self.width[block.shoppers].sum()),
            "shown": len(Pairs.of(self.codes.shopper[seen], self.codes.product[seen])) / block.pairs,
        }

    def guilty(self, about: dict[str, float], settings: Brushing) -> bool:
        """Separate orders, accounts for nothing else, or products that nobody showed them."""
        apart = about["together"] < settings.together
        unseen = self.shown > 2 * settings.unseen and about["shown"] < settings.unseen
        alone = about["fresh"] > settings.fresh and about["products"] >= settings.fresh_products
        return apart or unseen or alone

    def joined(self, ring: Ring, idle: float) -> Ring:
        """The ring with the accounts that did a part of the task and hardly else, without those who want everything."""
        block = self._without_broad(ring.block)
        theirs = np.isin(self.pairs.product, block.products) & ~np.isin(self.pairs.shopper, block.shoppers)
        who, have = np.unique(self.pairs.shopper[theirs], return_counts=True)
        who = who[(have >= 2) & (have >= idle * self.width[who])]
        rows = self.rows(block)
        time, acts = self.codes.time, np.flatnonzero(self.acts & np.isin(self.codes.shopper, who))
        away = (time[acts] < time[rows].min()) | (time[acts] > time[rows].max())
        who = who[~np.isin(who, self.codes.shopper[acts[away]])]
        return replace(ring, block=self._block(np.union1d(block.shoppers, who), block.products))

    def _without_broad(self, block: Block) -> Block:
        """Without accounts whose part of the ring in all that they want is far below the others'."""
        inside = np.isin(self.pairs.product, block.products) & np.isin(self.pairs.shopper, block.shoppers)
        who, have = np.unique(self.pairs.shopper[inside], return_counts=True)
        share = have / self.width[who]
        return self._block(who[share >= BROAD * np.median(share)], block.products)

    def _block(self, shoppers: NDArray[np.int64], products: NDArray[np.int64]) -> Block:
        inside = np.isin(self.pairs.product, products) & np.isin(self.pairs.shopper, shoppers)
        return Block(shoppers, products, int(np.count_nonzero(inside)))

    def _usually_shown(self) -> float:
        """Share of all pairs whose product was shown to the shopper; 0 without impressions."""
        seen = self.codes.is_kind("impression") & (self.codes.shopper >= 0) & (self.codes.product >= 0)
        if not seen.any():
            return 0.0
        size = int(self.codes.product.max()) + 1
        keys = np.unique(self.codes.shopper[seen].astype(np.int64) * size + self.codes.product[seen])
        return float(np.isin(self.pairs.shopper * size + self.pairs.product, keys).mean())


def _events(sure: list[tuple[Ring, dict[str, float]]], told: _Witness) -> Iterator[Found]:
    import pyarrow as pa

    number = np.full(told.codes.rows, -1, np.int64)
    member = np.full(int(told.codes.shopper.max()) + 1, -1, np.int64)
    for index, (ring, _) in enumerate(sure):
        number[told.rows(ring.block)] = index
        member[ring.block.shoppers] = index
    others = told.acts & (told.codes.shopper >= 0) & (number < 0)
    number_of_others = np.where(others, member[told.codes.shopper], -1)
    for problem, which, score in (("ring", number, 0.95), ("ring_account", number_of_others, 0.6)):
        rows = np.flatnonzero(which >= 0)
        facts = [_facts(index, ring, about) for index, (ring, about) in enumerate(sure)]
        columns: dict[str, Any] = {"row_id": pa.array(told.codes.row_id[rows], pa.int64())}
        for name in facts[0]:
            columns[name] = pa.array([facts[index][name] for index in which[rows].tolist()])
        yield Found(pa.table(columns), "events", "product", problem, score)


def _facts(index: int, ring: Ring, about: dict[str, float]) -> dict[str, float]:
    block = ring.block
    size = {"ring": index + 1, "accounts": len(block.shoppers), "products": len(block.products)}
    return size | {"density": block.density, "purity": ring.purity, "nats": ring.nats} | about


def _products(sure: list[tuple[Ring, dict[str, float]]], products: Any, codes: EventCodes) -> Iterator[Found]:
    import pyarrow as pa
    import pyarrow.compute as pc

    names = codes.names("product")
    ring_of = {names[code]: index + 1 for index, (ring, _) in enumerate(sure) for code in ring.block.products.tolist()}
    pushed = products.filter(pc.is_in(products["id"], pa.array(sorted(ring_of), pa.string()))).select(["row_id", "id"])
    number = pa.array([ring_of[id] for id in pushed["id"].to_pylist()], pa.int64())
    yield Found(pushed.append_column("ring", number), "products", "id", "boosted", 0.8)
