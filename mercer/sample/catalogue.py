"""A seed in, the latent products of the shop as columns out: what each thing really is, before any words."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mercer.sample.settings import SampleSettings
from mercer.sample.taxonomy import EN, ZH, Leaf, Taxonomy

__all__ = ["Goods", "draw"]

Whole = NDArray[np.int64]
Real = NDArray[np.float64]

STREAM = 1
"""Each part of the shop draws from its own stream of the seed, so that more shoppers are not other products."""


@dataclass(frozen=True, slots=True)
class Goods:
    """Latent products, one entry each; -1 where a product has no such property."""

    leaf: Whole
    department: Whole
    kind: Whole
    brand: Whole
    colour: Whole
    material: Whole
    style: Whole
    audience: Whole
    option: Whole
    """Number of the value of the kind's first option."""
    second: Whole
    """Number of the value of the kind's second option."""
    language: Whole
    band: Real
    """Log price relative to others of its kind: the price band shoppers have a taste for."""
    price: Real
    list_price: Real
    stock: Whole
    quality: Real
    """Standard normal: what ratings and satisfaction come from."""
    popularity: Real
    """Share of demand, summing to 1: long-tailed."""
    launch: Whole
    """Day of the log from which it can be shown; 0 for most."""
    model: tuple[str, ...]
    """Colour variants of one thing share it."""

    def __len__(self) -> int:
        return len(self.leaf)

    @property
    def id(self) -> tuple[str, ...]:
        return tuple(f"P{number + 10001:05d}" for number in range(len(self)))


def draw(settings: SampleSettings, world: Taxonomy) -> Goods:
    """Draw `settings.products` products; every leaf has some, popular leaves more."""
    rng = np.random.default_rng([settings.seed, STREAM])
    count = settings.products
    share = rng.lognormal(0, 0.35, len(world.leaves))
    leaf = np.concatenate([np.arange(len(share)), rng.choice(len(share), count - len(share), p=share / share.sum())])
    leaf = rng.permutation(leaf)
    leaves = [world.leaves[number] for number in leaf]
    kind = rng.choice(3, count, p=[0.45, 0.33, 0.22])
    brand = _brands(rng, leaf, world)
    language = np.where(rng.permutation(count) % 2 == 0, ZH, EN)
    band = rng.normal(0, 1, count) * 0.8 + np.array([world.brands[number].band for number in brand])
    popularity = (1 / np.arange(1, count + 1) ** 0.85)[rng.permutation(count)]
    price = np.array(
        [
            ending(item.price * item.scale[k] * np.exp(item.spread * b * 0.7))
            for item, k, b in zip(leaves, kind, band, strict=True)
        ]
    )
    columns = {
        "material": _choose(rng, [len(item.materials[k]) for item, k in zip(leaves, kind, strict=True)]),
        "colour": _choose(rng, [_colours(item, k) for item, k in zip(leaves, kind, strict=True)], skew=0.6),
        "audience": _choose(rng, [len(item.audience) for item in leaves], skew=0.8),
        "style": _styles(rng, leaves, kind, world),
        "option": _choose(rng, [_values(item, k, 0) for item, k in zip(leaves, kind, strict=True)]),
        "second": _choose(rng, [_values(item, k, 1) for item, k in zip(leaves, kind, strict=True)]),
    }
    stock = np.where(rng.random(count) < 0.05, 0, rng.geometric(1 / 60, count))
    late = rng.random(count) < 0.12
    goods = Goods(
        leaf=leaf,
        department=np.array([item.department for item in leaves]),
        kind=kind,
        brand=brand,
        language=language,
        band=band,
        price=price,
        list_price=_before(rng, price),
        stock=stock,
        quality=rng.normal(0, 1, count),
        popularity=popularity / popularity.sum(),
        launch=np.where(late, rng.integers(1, settings.days * 3 // 4, count), 0),
        model=_models(rng, brand, world),
        **columns,
    )
    return _variants(rng, goods, world)


def ending(price: float) -> float:
    """A price as shops write it: 9.9, 49, 399, 1299.

    >>> [ending(price) for price in (9.2, 47.3, 402.0, 1287.0)]
    [9.9, 47.9, 399.0, 1299.0]
    """
    if price < 30:
        return round(max(int(price), 2) + 0.9, 1)
    if price < 100:
        return float(np.floor(price)) + 0.9
    if price < 1000:
        return float(np.round(price / 10) * 10 - 1)
    return float(np.round(price / 100) * 100 - 1)


def _colours(leaf: Leaf, kind: int) -> int:
    """How many colours a kind comes in: none where its leaf is made of something and it is not (toothpaste)."""
    return 0 if any(leaf.materials) and not leaf.materials[kind] else len(leaf.colours)


def _values(leaf: Leaf, kind: int, number: int) -> int:
    options = leaf.options[kind]
    return len(options[number][1]) if number < len(options) else 0


def _choose(rng: np.random.Generator, sizes: list[int], *, skew: float = 0.0) -> Whole:
    """One number below each size, -1 where the size is 0; `skew` prefers the first ones."""
    size = np.array(sizes)
    chosen = np.floor(rng.random(len(size)) ** (1 + skew) * size).astype(np.int64)
    return np.where(size > 0, chosen, -1)


def _styles(rng: np.random.Generator, leaves: list[Leaf], kind: Whole, world: Taxonomy) -> Whole:
    """A style that the department knows, for things that are made of something."""
    number = {name: index for index, name in enumerate(world.styles)}
    known = [
        [number[name] for name in world.words["styles_of"][department].split(",") if name]
        for department in world.departments
    ]
    chosen = rng.random(len(leaves))
    return np.array(
        [
            known[leaf.department][int(share * len(known[leaf.department]))]
            if leaf.materials[k] and known[leaf.department]
            else -1
            for leaf, k, share in zip(leaves, kind, chosen, strict=True)
        ]
    )


def _brands(rng: np.random.Generator, leaf: Whole, world: Taxonomy) -> Whole:
    """A brand that trades in the leaf's department; some are larger than others."""
    size = rng.lognormal(0, 0.6, len(world.brands))
    brand = np.empty(len(leaf), np.int64)
    for number, department in enumerate(world.departments):
        there = np.flatnonzero([world.leaves[index].department == number for index in leaf])
        weight = size * [department in maker.departments for maker in world.brands]
        brand[there] = rng.choice(len(size), len(there), p=weight / weight.sum())
    return brand


def _before(rng: np.random.Generator, price: Real) -> Real:
    """The price before a reduction for one in four; the same as `price` for the others."""
    reduced = rng.random(len(price)) < 0.25
    factor = rng.choice([1.15, 1.25, 1.4, 1.6], len(price))
    return np.where(reduced, [ending(value) for value in price * factor], price)


def _models(rng: np.random.Generator, brand: Whole, world: Taxonomy) -> tuple[str, ...]:
    """``LU-4820``: letters of the English brand and four digits, each used once."""
    digits = rng.permutation(9000)[: len(brand)] + 1000 if len(brand) <= 9000 else np.arange(len(brand)) + 10_000
    return tuple(
        "".join(letter for letter in world.brands[number].names[EN].upper() if letter.isalpha())[:2] + f"-{digit}"
        for number, digit in zip(brand, digits, strict=True)
    )


SHARED = ("leaf", "department", "kind", "brand", "material", "style", "audience", "option", "second", "band")
"""What the colour variants of one thing have in common, besides its model, price and make."""


def _variants(rng: np.random.Generator, goods: Goods, world: Taxonomy) -> Goods:
    """Make about one product in twelve a further colour of another one in its language."""
    sources, targets = [], []
    for language in (ZH, EN):
        taken = rng.permutation(np.flatnonzero((goods.colour >= 0) & (goods.language == language)))
        count = len(goods) // 24
        sources += taken[:count].tolist()
        targets += taken[count : 2 * count].tolist()
    values = {name: getattr(goods, name).copy() for name in (*SHARED, "colour", "price", "list_price", "quality")}
    model = list(goods.model)
    for column in values.values():
        column[targets] = column[sources]
    for source, target in zip(sources, targets, strict=True):
        model[target] = model[source]
    sizes = np.array([len(world.leaves[number].colours) for number in goods.leaf[sources]])
    values["colour"][targets] = (values["colour"][sources] + 1 + rng.integers(0, np.maximum(sizes - 1, 1))) % sizes
    return replace(goods, model=tuple(model), **values)
