"""Products in, the same with words that shoppers search for stuffed into some titles out (C08)."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa

from mercer.bench.dirt import Difficulty, Tables, Truth, changed, filled, victims

CHECK = "C08"
COUNTS: dict[Difficulty, tuple[int, int]] = {"easy": (15, 31), "medium": (8, 16), "adversarial": (5, 8)}
"""Words that are added, least and most: CHECKS.md asks for 5 to 30."""
WORD = re.compile(r"[A-Za-z]{4,}|[\u4e00-\u9fff]{2}")
POPULAR = 300
TITLES = 5
"""In so many a popular word stands at least: in a small shop the 300 most frequent are mostly said once."""


def inject(tables: Tables, rate: float, difficulty: Difficulty, seed: int) -> tuple[Tables, pa.Table]:
    """Popular words of all titles after the title; in one of four, one word or other brands again and again."""
    truth = Truth(CHECK)
    if "products" not in tables:
        return tables, truth.table()
    rng = np.random.default_rng([seed, 208])
    table = tables["products"]
    titles = table["title"].to_pylist()
    words = {han: _popular(titles, han=han) for han in (False, True)}
    brands = sorted({brand for brand in table["brand"].to_pylist() if brand and len(brand) > 3})
    values: dict[int, object] = {}
    for number, row in enumerate(victims(table, rate, rng, among=filled(table, "title"))):
        title = titles[row]
        count = int(rng.integers(*COUNTS[difficulty]))
        kind = ("popular", "popular", "repeated", "brands")[number % 4]
        if kind == "brands" and len(brands) < 10:
            kind = "popular"
        added = _added(kind, count, words[_is_han(title)] or words[True] or words[False], brands, rng)
        values[row] = f"{title} {' '.join(added)}"
        truth.add("products", table["row_id"][row].as_py(), kind)
    return {**tables, "products": changed(table, "title", values)}, truth.table()


def _added(kind: str, count: int, words: list[str], brands: list[str], rng: Any) -> list[str]:
    if kind == "brands":
        return [brands[at] for at in rng.permutation(len(brands))[: max(4, count // 2)]]
    if kind == "repeated":
        return [words[int(rng.integers(len(words)))]] * max(5, count // 2)
    return [words[at] for at in rng.permutation(len(words))[:count]]


def _popular(titles: list[str | None], *, han: bool) -> list[str]:
    return [word for word, count in _counts(titles, han=han).most_common(POPULAR) if count >= TITLES]


def _is_han(title: str) -> bool:
    return sum("\u4e00" <= letter <= "\u9fff" for letter in title) > 4


def _counts(titles: list[str | None], *, han: bool) -> Counter[str]:
    found: Counter[str] = Counter()
    for title in titles:
        if title and _is_han(title) == han:
            found.update({word for word in WORD.findall(title) if ("\u4e00" <= word[0] <= "\u9fff") == han})
    return found
