"""A recommendation's request and what it may show in; what the shop's rules make of it out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from mercer.rank.rule_book import RuleBook
from mercer.rank.rule_when import Asked
from mercer.rank.rules import Ruling
from mercer.records import CATEGORY_SEPARATOR, Request
from mercer.retrieve.index import Index

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["RULE", "Ruled"]

RULE = "rule "
"""Begins the signal of a rule's line in a ledger."""


class Ruled:
    """The rules of one recommendation door. Safe to call from several threads."""

    def __init__(self, index: Index, book: RuleBook | None) -> None:
        self.index, self.book = index, book

    def __call__(self, request: Request) -> Ruling:
        """What holds for a request; a category is one that it filters by, or its item's."""
        if self.book is None or not self.book.rules.rules:
            return Ruling()
        paths = [
            tuple(value.split(CATEGORY_SEPARATOR))
            for wanted in request.filters
            if wanted.field == "category"
            for value in wanted.values
        ]
        if request.item:
            paths.extend(product.category for product in self.index.products([request.item]) if product.category)
        held = self.book(Asked(request.scene, (), tuple(paths), request.context))
        return Ruling(held.of("hide", "filter", "pin", "boost", "bury"))

    def allowed(self, ruling: Ruling, allowed: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Rows that may be shown, without what is hidden or does not meet the rules' filters."""
        import numpy as np

        columns, size = self.index.columns, len(allowed)
        if ruling.filters:
            met = columns.mask(ruling.filters)[:size]
            allowed = allowed & np.pad(met, (0, size - len(met)))
        out = [columns.row.get(id, size) for id in ruling.hidden(columns.mask, columns.ids)]
        allowed = allowed.copy()
        allowed[[row for row in out if row < size]] = False
        return allowed

    def points(self, ruling: Ruling, size: int) -> Iterator[tuple[str, NDArray[np.float64], NDArray[np.float64]]]:
        """Each boost and bury: its signal, the values that a ledger shows, and the points of each row."""
        import numpy as np

        if ruling.of("boost", "bury"):
            columns = self.index.columns
            for rule, met, points in ruling.wishes(columns.mask, np.arange(size), columns.ids[:size]):
                yield RULE + rule.id, np.where(met, points, np.nan), np.where(met, points, 0.0)

    def pins(self, ruling: Ruling, allowed: NDArray[np.bool_]) -> Mapping[int, tuple[int, str]]:
        """Pinned rows that may be shown, each with its place from 0 and its rule's signal."""
        row = self.index.columns.row
        found = ruling.pins(lambda id: (at := row.get(id, len(allowed))) < len(allowed) and bool(allowed[at]))
        return {row[id]: (position - 1, RULE + rule.id) for id, (position, rule) in found.items() if id in row}
