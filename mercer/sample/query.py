"""Latent products in, judged queries of several kinds in both languages out."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mercer.sample.catalogue import Goods
from mercer.sample.misspell import misspelt
from mercer.sample.settings import SampleSettings
from mercer.sample.taxonomy import EN, ZH, Pair, Taxonomy
from mercer.sample.wording import option_words

__all__ = ["KINDS", "Query", "draw", "grades"]

KINDS = {
    "category": 0.12,
    "thing": 0.22,
    "attribute": 0.28,
    "brand": 0.1,
    "model": 0.09,
    "need": 0.12,
    "misspelt": 0.04,
    "budget": 0.03,
}
"""Kind → share of all. `thing` names a kind of product, `need` says what it is for in words that no listing uses."""

SYNONYMS = (0.42, 0.33, 0.25)
"""Chance of a thing's most common, second and third name in a query; no title uses the third."""

BUDGETS = (30, 50, 80, 100, 150, 200, 300, 500, 800, 1000, 1500, 2000, 3000, 5000)


@dataclass(frozen=True, slots=True)
class Query:
    """What was typed, and what was meant."""

    text: str
    kind: str
    language: int
    leaf: int
    product_kind: int = -1
    """-1 where any kind of the leaf will do."""
    wishes: dict[str, float] = field(default_factory=dict)
    """Column of `Goods` → the value wished for; for price the most to be paid."""
    like: int = -1
    """For a model query, the product that was meant."""


def draw(settings: SampleSettings, goods: Goods, world: Taxonomy) -> list[Query]:
    """Draw `settings.queries` different queries, half in each language, going round the leaves."""
    choose = random.Random(f"query {settings.seed}")
    kinds = [kind for kind, share in KINDS.items() for _ in range(max(1, round(share * settings.queries)))]
    choose.shuffle(kinds)
    leaves = choose.sample(range(len(world.leaves)), len(world.leaves))
    weight = goods.popularity**0.3
    found: dict[str, Query] = {}
    turn = 0
    while len(found) < settings.queries:
        number = len(found)
        leaf = leaves[(number + turn) % len(leaves)]
        there = np.flatnonzero(goods.leaf == leaf).tolist()
        turn += 1
        if there:
            meant = choose.choices(there, [weight[product] for product in there])[0]
            query = WRITERS[kinds[number % len(kinds)]](choose, meant, number % 2, goods, world)
            if query is not None:
                found.setdefault(query.text, query)
    return list(found.values())


def grades(query: Query, goods: Goods) -> NDArray[np.int64]:
    """Grade of every product: 3 exact, 2 the right kind but for one wish, 1 another kind of the leaf, else 0.

    A model query has the model's own colours at 3 and what else its brand makes of the kind at 1.
    """
    leaf = goods.leaf == query.leaf
    if query.like >= 0:
        same = np.array([model == goods.model[query.like] for model in goods.model])
        kind = leaf & (goods.kind == query.product_kind)
        return np.where(same, 3, np.where(kind & (goods.brand == goods.brand[query.like]), 1, 0))
    misses = np.zeros(len(goods), np.int64)
    for name, value in query.wishes.items():
        column = getattr(goods, name)
        misses += (column > value) if name == "price" else (column != value)
    kind = leaf & ((goods.kind == query.product_kind) | (query.product_kind < 0))
    return np.where(kind & (misses == 0), 3, np.where(kind & (misses == 1), 2, np.where(leaf, 1, 0)))


def _noun(choose: random.Random, names: Pair, language: int) -> str:
    words = names[language]
    return choose.choices(words, SYNONYMS[: len(words)])[0]


def _thing(choose: random.Random, meant: int, language: int, goods: Goods, world: Taxonomy) -> Query:
    leaf, kind = int(goods.leaf[meant]), int(goods.kind[meant])
    return Query(_noun(choose, world.leaves[leaf].kinds[kind], language), "thing", language, leaf, kind)


def _category(choose: random.Random, meant: int, language: int, goods: Goods, world: Taxonomy) -> Query:
    leaf = int(goods.leaf[meant])
    name = world.leaves[leaf].path[language][2]
    return Query(
        name.lower().replace(" & ", choose.choice([" and ", " "])) if language == EN else name,
        "category",
        language,
        leaf,
    )


def _attribute(choose: random.Random, meant: int, language: int, goods: Goods, world: Taxonomy) -> Query | None:
    thing = _thing(choose, meant, language, goods, world)
    item = world.leaves[thing.leaf]
    words: dict[str, str] = {}
    for name, table, names in (
        ("colour", world.colours, item.colours),
        ("material", world.materials, item.materials[thing.product_kind]),
        ("audience", world.audiences, item.audience),
        ("style", world.styles, tuple(world.styles)),
    ):
        chosen = int(getattr(goods, name)[meant])
        if chosen >= 0:
            words[name] = _noun(choose, table[names[chosen]], language)
    options = option_words(goods, meant, world, language)
    if options:
        words["option"] = options[0][-1]
    wished = choose.sample(sorted(words), min(len(words), choose.choice([1, 1, 2])))
    before = [words[name] for name in ("style", "colour", "material", "audience") if name in wished]
    after = [words["option"]] if "option" in wished else []
    text = (
        " ".join([*before, thing.text, *after])
        if language == EN
        else "".join([*before, thing.text]) + "".join(" " + word for word in after)
    )
    wishes = {name: float(getattr(goods, name)[meant]) for name in wished}
    return Query(text, "attribute", language, thing.leaf, thing.product_kind, wishes) if wishes else None


def _brand(choose: random.Random, meant: int, language: int, goods: Goods, world: Taxonomy) -> Query:
    thing = _thing(choose, meant, language, goods, world)
    name = world.brands[goods.brand[meant]].names[language]
    text = f"{name.lower()} {thing.text}" if language == EN else f"{name}{thing.text}"
    return Query(text, "brand", language, thing.leaf, thing.product_kind, {"brand": float(goods.brand[meant])})


def _model(choose: random.Random, meant: int, language: int, goods: Goods, world: Taxonomy) -> Query:
    model = goods.model[meant]
    text = choose.choice([model, model.lower(), model.replace("-", ""), model])
    if choose.random() < 0.4:
        text = f"{world.brands[goods.brand[meant]].names[language]} {text}"
    return Query(text, "model", language, int(goods.leaf[meant]), int(goods.kind[meant]), like=meant)


def _need(_choose: random.Random, meant: int, language: int, goods: Goods, world: Taxonomy) -> Query:
    leaf, kind = int(goods.leaf[meant]), int(goods.kind[meant])
    return Query(world.leaves[leaf].asks[kind][language][0], "need", language, leaf, kind)


def _misspelt(choose: random.Random, meant: int, language: int, goods: Goods, world: Taxonomy) -> Query | None:
    leaf, kind = int(goods.leaf[meant]), int(goods.kind[meant])
    wrong = misspelt(world.leaves[leaf].kinds[kind][language][0], language, choose, slips=world.words["slips"])
    return Query(wrong, "misspelt", language, leaf, kind) if wrong else None


def _budget(choose: random.Random, meant: int, language: int, goods: Goods, world: Taxonomy) -> Query:
    thing = _thing(choose, meant, language, goods, world)
    most = next((budget for budget in BUDGETS if budget >= goods.price[meant]), BUDGETS[-1])
    text = f"{thing.text} under {most}" if language == EN else f"{most}元以内的{thing.text}"
    return Query(text, "budget", language, thing.leaf, thing.product_kind, {"price": float(most)})


Writer = Callable[[random.Random, int, int, Goods, Taxonomy], Query | None]
WRITERS: dict[str, Writer] = {
    "category": _category,
    "thing": _thing,
    "attribute": _attribute,
    "brand": _brand,
    "model": _model,
    "need": _need,
    "misspelt": _misspelt,
    "budget": _budget,
}
assert ZH == 0, "languages alternate as number % 2"
