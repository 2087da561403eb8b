"""Token counts of a collection in, BM25 scores out: the statistics every index shares, and scoring in memory."""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from mercer.errors import ShopError
from mercer.shop import disk_errors, write_json

__all__ = ["K1", "B", "Postings", "Statistics"]

K1, B = 1.2, 0.75
"""Robertson's usual values; zvec has the same built in, so both members give the same scores."""


class Statistics:
    """How many products hold each token, and how long they are: what idf and length normalisation need."""

    def __init__(self, frequency: Mapping[str, int] | None = None, *, products: int = 0, length: int = 0) -> None:
        self.frequency: Counter[str] = Counter(frequency or {})
        self.products = products
        self.length = length
        """Tokens in all products together."""

    def add(self, tokens: Sequence[str], times: int = 1) -> None:
        """Count a product in, or out with `times` -1."""
        for token in set(tokens):
            self.frequency[token] += times
        self.products += times
        self.length += times * len(tokens)

    def idf(self, token: str) -> float:
        """ln(1 + (N - n + 0.5) / (n + 0.5)), Lucene's form, never negative."""
        holding = self.frequency.get(token, 0)
        return math.log(1 + max(self.products - holding + 0.5, 0.5) / (holding + 0.5))

    def score(self, query: Mapping[str, int], counts: Mapping[str, int], length: int) -> float:
        """BM25 of one product, from the counts of its tokens and its length in tokens."""
        mean = self.length / self.products if self.products else 1.0
        norm = K1 * (1 - B + B * length / mean)
        return sum(
            times * self.idf(token) * counts[token] * (K1 + 1) / (counts[token] + norm)
            for token, times in query.items()
            if token in counts
        )

    def attainable(self, query: Iterable[str]) -> float:
        """The score that no product can exceed: every token of the query, each saturated.

        >>> statistics = Statistics({"cup": 1}, products=1, length=1)
        >>> statistics.attainable(["cup"]) > statistics.score({"cup": 1}, {"cup": 1}, 1)
        True
        """
        return sum(self.idf(token) * (K1 + 1) for token in query)

    def save(self, path: Path) -> None:
        """Write as JSON, whole or not at all."""
        with disk_errors(path):
            write_json(path, {"products": self.products, "length": self.length, "frequency": dict(+self.frequency)})

    @classmethod
    def load(cls, path: Path) -> Statistics:
        """Read what `save` wrote; a missing file is an empty collection."""
        if not path.exists():
            return cls()
        try:
            found = json.loads(path.read_text("utf-8"))
            return cls(found["frequency"], products=found["products"], length=found["length"])
        except (ValueError, KeyError, TypeError) as error:
            raise ShopError(f"{path} is damaged: {error}", cure="build the index again: mercer index SHOP") from error


class Postings:
    """Tokens by product in memory, searched exactly: small shops, and products newer than an engine's last merge."""

    def __init__(self, statistics: Statistics) -> None:
        self.statistics = statistics
        self._counts: dict[str, tuple[Counter[str], int]] = {}
        self._holding: defaultdict[str, set[str]] = defaultdict(set)

    def __contains__(self, id: str) -> bool:
        return id in self._counts

    def __len__(self) -> int:
        return len(self._counts)

    def add(self, id: str, tokens: Sequence[str]) -> None:
        """Insert or replace one product's tokens; the statistics are the caller's to keep."""
        self.remove(id)
        counts = Counter(tokens)
        self._counts[id] = (counts, len(tokens))
        for token in counts:
            self._holding[token].add(id)

    def remove(self, id: str) -> None:
        """Forget a product; nothing happens where it is unknown."""
        counts, _ = self._counts.pop(id, (Counter[str](), 0))
        for token in counts:
            self._holding[token].discard(id)

    def ids(self) -> list[str]:
        return list(self._counts)

    def forget(self, ids: Iterable[str], marks: Mapping[str, object]) -> None:
        """Remove those whose tokens are still the ones that `marks` saw."""
        for id in ids:
            if id in self._counts and self._counts[id][0] is marks[id]:
                self.remove(id)

    def marks(self, ids: Iterable[str]) -> dict[str, object]:
        """What identifies the present tokens of each product."""
        return {id: self._counts[id][0] for id in ids}

    def __call__(self, query: Sequence[str]) -> dict[str, float]:
        """BM25 of every product that shares a token with the query."""
        wanted = Counter(query)
        found = set().union(*(self._holding[token] for token in wanted if token in self._holding))
        return {id: self.statistics.score(wanted, *self._counts[id]) for id in found}
