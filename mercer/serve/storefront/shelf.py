"""A catalogue in; its widest categories, remembered for a while, out."""

from __future__ import annotations

import re
import time
from collections import Counter

from mercer.errors import MercerError
from mercer.serve.doors import Doors

__all__ = ["Shelves"]

HAN = re.compile("[\u3400-\u9fff]")

SAMPLE = 1000
"""Products looked at: a category of 1 % of the shop is met with certainty for all purposes."""

KEEP = 300.0
"""Seconds that the answer is remembered."""


class Shelves:
    """The shop's top-level categories, largest first."""

    def __init__(self, doors: Doors, *, most: int = 10) -> None:
        self.doors = doors
        self.most = most
        self._until = 0.0
        self._names: list[str] = []

    def __call__(self, language: str) -> list[str]:
        """Those named in the language of the page first: a bilingual shop has its shelves twice."""
        chinese = language == "zh"
        return sorted(self._known(), key=lambda name: bool(HAN.search(name)) != chinese)[: self.most]

    def _known(self) -> list[str]:
        if time.monotonic() >= self._until:
            try:
                self._names = self._look()
            except MercerError:  # a page without its shelves is still a page; /ready tells of the index
                self._names = []
            self._until = time.monotonic() + KEEP if self._names else 0.0
        return self._names

    def _look(self) -> list[str]:
        ids = self.doors.index.ids()
        sample = ids[:: max(1, len(ids) // SAMPLE)][:SAMPLE]
        counts = Counter(product.category[0] for product in self.doors.index.products(sample) if product.category)
        return [name for name, _ in counts.most_common()]
