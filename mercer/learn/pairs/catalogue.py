"""Products alone in; pairs of what somebody might type and the product that it means out: no label is needed."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mercer.errors import SettingsError
from mercer.learn.pairs.pair import to_pairs
from mercer.learn.pairs.phrase import pieces
from mercer.records import Product
from mercer.retrieve.text import passage

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["CataloguePairs", "from_catalogue"]


@dataclass(frozen=True, slots=True)
class CataloguePairs:
    """How queries are invented from a catalogue (GPL and InPars ask a generator; here words are drawn)."""

    a_product: int = 4
    """Pairs made of each product."""
    hidden: float = 0.5
    """Share of pairs whose passage does without its title, so that words alone do not give the answer away."""
    longest: int = 5
    """Most words of an invented query."""
    most: int = 200_000
    """Pairs in all; of a larger catalogue products are drawn."""

    def __post_init__(self) -> None:
        for name, low, high in (("a_product", 1, 100), ("longest", 1, 20), ("most", 1, 10_000_000)):
            value = getattr(self, name)
            if not low <= value <= high:
                raise SettingsError(f"{name} is {value}", cure=f"give a number between {low} and {high}")
        if not 0 <= self.hidden <= 1:
            raise SettingsError(f"hidden is {self.hidden}", cure="give a share between 0 and 1")


DEFAULTS = CataloguePairs()


def from_catalogue(products: Iterable[Product], *, settings: CataloguePairs = DEFAULTS, seed: int = 7) -> pa.Table:
    """Pairs of every product, of the kinds that its fields allow, round robin.

    Kinds: ``title`` (the title means the rest), ``bullet`` and ``description`` (a sentence means the product),
    ``words`` (rare words of the title in any order), ``kind`` (brand or attribute with the
    kind of thing), ``category``.
    The group of a pair is its title: products of one title are on one side of a split.
    """
    every = [product for product in products if product.title.strip()]
    chosen = random.Random(f"catalogue {seed}")
    wanted = max(1, settings.most // settings.a_product)
    taken = every if len(every) <= wanted else chosen.sample(every, wanted)
    rarity = _rarity(taken)
    return to_pairs(row for product in taken for row in _of(product, rarity, settings, seed))


def _rarity(products: Sequence[Product]) -> Mapping[str, float]:
    """Inverse document frequency of every word of the titles."""
    counts = Counter(word for product in products for word in set(pieces(product.title)))
    return {word: math.log((len(products) + 1) / count) for word, count in counts.items()}


def _of(
    product: Product, rarity: Mapping[str, float], settings: CataloguePairs, seed: int
) -> Iterator[tuple[Any, ...]]:
    choose = random.Random(f"{seed} {product.id}")
    makers = [made for made in (list(_kinds(product, rarity, settings, choose))) if made[1].strip()]
    choose.shuffle(makers)
    whole, bare = passage(product), passage(replace(product, title=""))
    for kind, query, hides in makers[: settings.a_product]:
        hide = bare and (hides or choose.random() < settings.hidden) and len(bare) > len(query)
        text = _without(bare if hide else whole, query if kind in ("bullet", "description") else "")
        if text:
            yield (
                query,
                product.id,
                text,
                1.0,
                1.0,
                product.title,
                None,
                f"catalogue:{kind}",
                f"products:{product.id}",
            )


def _kinds(
    product: Product, rarity: Mapping[str, float], settings: CataloguePairs, choose: random.Random
) -> Iterator[tuple[str, str, bool]]:
    """Kind, invented query, and whether the title must be hidden."""
    words = pieces(product.title)
    yield "title", product.title, True
    for kind, text in (("bullet", product.bullets), ("description", product.description)):
        sentences = [part.strip() for part in text.replace("。", "\n").replace(". ", "\n").split("\n")]
        good = [part for part in sentences if 12 <= len(part) <= 200]
        if good:
            yield kind, choose.choice(good), False
    for _ in range(2):
        if len(words) > 1:
            yield "words", _drawn(words, rarity, settings.longest, choose), False
    leaf = product.category[-1] if product.category else ""
    told = [value for value in (product.brand, *product.attributes.values()) if value and len(value) <= 30]
    if leaf:
        yield "category", " ".join(product.category[-2:]), False
        if told:
            yield "kind", f"{choose.choice(told)} {leaf}", False


def _drawn(words: Sequence[str], rarity: Mapping[str, float], longest: int, choose: random.Random) -> str:
    """Some words of a title, rarer ones more often, as a shopper remembers them: in order four times in five."""
    number = choose.randint(2, max(2, min(longest, len(words))))
    keyed = sorted(range(len(words)), key=lambda at: choose.random() ** (1 / (rarity.get(words[at], 0.0) + 0.1)))
    places = keyed[-number:]
    if choose.random() < 0.8:
        places.sort()
    chinese = any("\u4e00" <= letter <= "\u9fff" for letter in "".join(words))
    return ("" if chinese and choose.random() < 0.5 else " ").join(words[place] for place in places)


def _without(text: str, part: str) -> str:
    """The passage without the very sentence that is asked for."""
    return text.replace(part, " ").strip(" .") if part else text
