"""Pairs of shoppers and products in; rings, blocks of the two that neither chance nor taste explains, out."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mercer.quality.dense_block import Block, Links, Pairs, components, core, peel, surprise

__all__ = ["Ring", "RingRules", "rings"]

Whole = NDArray[np.int64]
Real = NDArray[np.float64]

LEVELS = (0.7, 0.55, 0.4, 0.25)
"""Share of a product's shoppers that it must have in common with another to be linked: the clearest rings first."""
WORK = 60_000
"""Linked pairs above which a level is what the whole shop does, and no ring: looking closer costs minutes."""
SEEDS = 3000
"""Products that rings are grown from at each level, the most wanted first: some seconds."""
ROUNDS = 20
"""Blocks looked for in one connected part."""
CUSHION = 5.0
"""Added to a product's shoppers under the logarithm of its weight, as in FRAUDAR."""


@dataclass(frozen=True, slots=True)
class RingRules:
    """What makes a block a ring."""

    shoppers: int = 8
    """Fewer shoppers are no ring."""
    products: int = 3
    """Fewer products are no ring."""
    density: float = 0.5
    """Share of all pairs of its shoppers and products that are there."""
    loyalty: float = 0.35
    """Share of the products that each of its shoppers has."""
    purity: float = 0.3
    """Share of the products' pairs that are its shoppers': others hardly want them."""
    between: float = 0.6
    """Shoppers with half the products that make one of the ring (two at least), yet too few, by those of the ring:
    taste falls off gradually, a task sheet does not."""
    odds: float = 4.0
    """Times what a shopper's breadth explains that it must have of the products: who buys everything is no member."""
    nats: float = 10.0
    """Surprise at which two products are linked."""
    most: int = 1000
    """Products of a shopper above which it links none, and is of no ring."""


@dataclass(frozen=True, slots=True)
class Ring:
    """A block with what speaks for it."""

    block: Block
    purity: float
    between: float
    nats: float
    """Surprise beyond what the best block of this size of a shop of chance would have; above 0."""


def rings(pairs: Pairs, rules: RingRules) -> list[Ring]:
    """All rings, largest first.

    Products that share their shoppers are linked; what is linked is peeled into dense blocks, the clearest links
    first; a block is a ring if its shoppers stand apart from all others and chance does not give it.
    """
    if not len(pairs):
        return []
    graph = _Graph(pairs)
    dense = core(pairs, products=rules.products, shoppers=rules.shoppers // 2)
    links = Links(dense, nats=rules.nats, least=LEVELS[-1], most=rules.most)
    found: list[Ring] = []
    for share in LEVELS:
        left = links.vouched(dense, share=share, support=rules.products - 1)
        left = core(left, products=rules.products, shoppers=rules.shoppers // 2)
        if len(left) > WORK:
            break
        for ring in _search(left, graph, rules):
            found.append(ring)
            dense, left = (some.where(~_inside(some, ring.block)) for some in (dense, left))
        for ring in _around(left, links, graph, rules=rules, share=share):
            found.append(ring)
            dense = dense.where(~_inside(dense, ring.block))
    return sorted(found, key=lambda ring: (-ring.block.pairs, int(ring.block.products[0])))


class _Graph:
    """All pairs, by product and by shopper."""

    def __init__(self, pairs: Pairs) -> None:
        self.pairs = pairs
        self.by_shopper, self.by_product = np.bincount(pairs.shopper), np.bincount(pairs.product)
        self.weight: Real = 1 / np.log(self.by_product + CUSHION)
        self.order = np.argsort(pairs.product, kind="stable")
        self.start = np.concatenate([[0], np.cumsum(self.by_product)])

    def shoppers(self, products: Whole) -> Whole:
        """Who has any of some products, once for each."""
        places = [self.order[self.start[product] : self.start[product + 1]] for product in products.tolist()]
        return self.pairs.shopper[np.concatenate(places)]

    def products(self, shoppers: Whole) -> Whole:
        """What some shoppers have, once for each of them."""
        first = np.searchsorted(self.pairs.shopper, shoppers, side="left").tolist()
        last = np.searchsorted(self.pairs.shopper, shoppers, side="right").tolist()
        return np.concatenate([self.pairs.product[start:end] for start, end in zip(first, last, strict=True)])

    def usual(self, who: Whole, products: Whole, members: NDArray[np.bool_]) -> Real:
        """How many of some products each shopper would have, going by its breadth and by who else has them."""
        everyone = int(self.by_product[products].sum())
        share = max(1, everyone - self._have(who[members], products)) / len(self.pairs)
        return np.asarray(self.by_shopper[who] * share, np.float64)

    def _have(self, who: Whole, products: Whole) -> int:
        return int(np.isin(self.shoppers(products), who).sum())


def _inside(pairs: Pairs, block: Block) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = np.isin(pairs.shopper, block.shoppers) & np.isin(pairs.product, block.products)
    return inside


def _search(pairs: Pairs, graph: _Graph, rules: RingRules) -> Iterator[Ring]:
    for part in components(pairs):
        left = part
        for _ in range(ROUNDS):
            if len(left) < rules.shoppers * rules.products * rules.density / 2:
                break
            seed = peel(left, graph.weight)
            ring = _grown(seed.products, graph, rules)
            if ring is not None:
                yield ring
                left = left.where(~_inside(left, ring.block))
            left = left.where(~_inside(left, seed))
            left = core(left, products=rules.products, shoppers=rules.shoppers // 2)


def _around(left: Pairs, links: Links, graph: _Graph, *, rules: RingRules, share: float) -> Iterator[Ring]:
    """Rings too small to outweigh what hangs together with them: grown from each product and its links."""
    wanted = np.bincount(left.product) if len(left) else np.zeros(0, np.int64)
    taken: set[int] = set()
    for product in np.argsort(-wanted, kind="stable")[: min(SEEDS, np.count_nonzero(wanted))].tolist():
        near = links.near(product, share=share)
        if product in taken or len(near) < rules.products:
            continue
        ring = _grown(near, graph, rules)
        if ring is not None and taken.isdisjoint(ring.block.products.tolist()):
            taken.update(ring.block.products.tolist())
            yield ring


def _grown(products: Whole, graph: _Graph, rules: RingRules) -> Ring | None:
    """The block of some products, all who have them and all that those have, if it is a ring."""
    for _ in range(3):
        if len(products) < rules.products:
            return None
        who, have = np.unique(graph.shoppers(products), return_counts=True)
        need = max(rules.products, math.ceil(rules.loyalty * len(products)))
        broad = graph.by_shopper[who] > rules.most
        members = who[(have >= need) & ~broad & (have > rules.odds * graph.usual(who, products, have >= need))]
        if len(members) < rules.shoppers:
            return None
        goods, count = np.unique(graph.products(members), return_counts=True)
        theirs = (count >= rules.loyalty * len(members)) & (count >= rules.purity * graph.by_product[goods])
        if np.array_equal(goods[theirs], products):
            break
        products = goods[theirs]
    return _judged(members, products, graph, rules) if len(products) >= rules.products else None


def _judged(members: Whole, products: Whole, graph: _Graph, rules: RingRules) -> Ring | None:
    who, have = np.unique(graph.shoppers(products), return_counts=True)
    inside = np.isin(who, members)
    block = Block(members, products, int(have[inside].sum()))
    half = max(2.0, max(rules.products, rules.loyalty * len(products)) / 2)
    apart = ~inside & (have >= half) & (have > rules.odds * graph.usual(who, products, inside))
    between = float(np.count_nonzero(apart)) / len(members)
    purity = block.pairs / int(graph.by_product[products].sum())
    if block.density < rules.density or purity < rules.purity or between > rules.between:
        return None
    nats = _beyond_chance(block, graph)
    return Ring(block, purity, between, nats) if nats > 0 else None


def _beyond_chance(block: Block, graph: _Graph) -> float:
    """Surprise at the block given its shoppers' and its products' other pairs, less that of having searched for it."""
    other = int(graph.by_product[block.products].sum()) - block.pairs
    total = max(1, len(graph.pairs) - block.pairs)
    expected = float(graph.by_shopper[block.shoppers].sum()) * max(other, 1) / total
    seen = surprise(np.array([float(block.pairs)]), np.array([expected]))[0]
    everyone, everything = (int(np.count_nonzero(count)) for count in (graph.by_shopper, graph.by_product))
    return float(seen) - _choices(everyone, len(block.shoppers)) - _choices(everything, len(block.products))


def _choices(total: int, some: int) -> float:
    """Logarithm of the ways to choose `some` of `total`."""
    return math.lgamma(total + 1) - math.lgamma(some + 1) - math.lgamma(total - some + 1)
