"""Products with categories, and what was clicked for queries, in; which categories a query most likely wants out."""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mercer.errors import FormatError
from mercer.records import CATEGORY_SEPARATOR, Product
from mercer.shop import disk_errors, write_json
from mercer.understand.token import key

__all__ = ["Intent", "Wanted"]

FORMAT = 1
"""Layout of the JSON file."""
DEPTH = 2
"""Levels of a category's path: deeper ones have too few products to learn from."""
SMOOTH = 20.0
"""Products of a category that know a word as often as the whole shop does; of 1, 5, 20 best on half of `esci150`."""
KEPT = 12
"""Categories of one word that are kept, those with most products."""
LEAST = 2
"""Products that must have a word."""
CLICKED = 5.0
"""Clicks for the very query that weigh as much as all its words."""
SEVERAL, FEWEST = 3, 0.15
"""Categories that are given at most, and their least probability: an ambiguous query keeps several."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One category that a query may want."""

    category: str
    """Path of at most two levels, as a filter names it."""
    probability: float
    products: int
    """Of the shop in it."""
    clicks: int
    """Products of it that were clicked or bought for this very query."""


class Intent:
    """Naive Bayes over the words of titles, with clicks where a query was asked before.

    >>> shop = [Product(f"{n}", "wool coat", category=("Clothes",)) for n in range(90)]
    >>> shop += [Product(f"c{n}", "coat hook", category=("Home",)) for n in range(90)]
    >>> [(one.category, round(one.probability, 2)) for one in Intent.build(shop, {})("wool coats")]
    [('Clothes', 0.91)]
    """

    def __init__(self, sizes: Mapping[str, int], words: Mapping[str, Mapping[str, int]], totals: Mapping[str, int],
                 clicks: Mapping[str, Mapping[str, int]]) -> None:  # fmt: skip
        """Products by category; by word and category; by word; and products clicked by query and category."""
        self.sizes, self.words, self.totals, self.clicks = sizes, words, totals, clicks
        self._whole = sum(sizes.values()) or 1

    @classmethod
    def build(cls, products: Iterable[Product], wanted: Mapping[str, Collection[str]]) -> Intent:
        """Count words of titles by category; `wanted` are the products that were clicked or bought for a query."""
        sizes: Counter[str] = Counter()
        totals: Counter[str] = Counter()
        words: defaultdict[str, Counter[str]] = defaultdict(Counter)
        of: dict[str, str] = {}
        for product in products:
            if product.category:
                of[product.id] = path = CATEGORY_SEPARATOR.join(product.category[:DEPTH])
                sizes[path] += 1
                for word in set(key(product.title)):
                    words[word][path] += 1
                    totals[word] += 1
        kept = {word: dict(counts.most_common(KEPT)) for word, counts in words.items() if totals[word] >= LEAST}
        clicks = {text: Counter(of[id] for id in ids if id in of) for text, ids in wanted.items()}
        by_query = {" ".join(key(text)): dict(counts) for text, counts in clicks.items() if counts}
        return cls(dict(sizes), kept, {word: totals[word] for word in kept}, by_query)

    def __call__(self, text: str) -> list[Wanted]:
        """The likeliest categories, best first; none for words that no title has, or in a shop of one category."""
        said = [word for word in dict.fromkeys(key(text)) if word in self.words]
        clicks = self.clicks.get(" ".join(key(text)), {})
        if len(self.sizes) < 2 or not (said or clicks):
            return []
        likely = dict.fromkeys([*clicks, *(path for word in said for path in self.words[word])])
        logs = {path: self._log(path, said) for path in likely if path in self.sizes}
        top = max(logs.values(), default=0.0)
        whole = sum(math.exp(value - top) for value in logs.values())
        asked = sum(clicks.values())
        found = []
        for path, value in logs.items():
            share = math.exp(value - top) / whole if said else 0.0
            share = (share * CLICKED * bool(said) + clicks.get(path, 0)) / (CLICKED * bool(said) + asked)
            if share >= FEWEST:
                found.append(Wanted(path, share, self.sizes[path], clicks.get(path, 0)))
        return sorted(found, key=lambda one: (-one.probability, one.category))[:SEVERAL]

    def _log(self, path: str, said: Iterable[str]) -> float:
        """Log probability of a category and the words, each as if it were alone."""
        size = self.sizes[path]
        chance = math.log(size / self._whole)
        for word in said:
            here, share = self.words[word].get(path, 0), self.totals[word] / self._whole
            chance += math.log((here + SMOOTH * share) / (size + SMOOTH))
        return chance

    def save(self, path: Path) -> None:
        """Write JSON, whole or not at all."""
        facts = {"sizes": self.sizes, "words": self.words, "totals": self.totals, "clicks": self.clicks}
        with disk_errors(path):
            write_json(path, {"format": FORMAT, **facts})

    @classmethod
    def load(cls, path: Path) -> Intent:
        """Read what `save` wrote; an index older than that knows no categories.

        Raises:
            FormatError: the file is something else.
        """
        if not path.exists():
            return cls({}, {}, {}, {})
        try:
            data = json.loads(path.read_text("utf-8"))
            if data["format"] != FORMAT:
                raise FormatError(f"{path.name} has format {data['format']!r}", cure="run: mercer index SHOP")
            return cls(data["sizes"], data["words"], data["totals"], data["clicks"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise FormatError(f"{path.name} is damaged: {error}", cure="run: mercer index SHOP") from error
