"""An answer's candidates and their order in; its first places spread over kinds, with floors for the new, out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from mercer.rank.diverse import MEANING, DiverseSettings, floored, likeness, mmr, rearranged, xquad
from mercer.records import Product

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mercer.rank.hybrid import Scored

__all__ = ["Shelf", "Spread"]

HEAD = 0.2
"""Share of the products with events, most popular first, that are not the tail."""


class Shelf(Protocol):
    """As much of an index as this stage needs."""

    def products(self, ids: Iterable[str]) -> list[Product]: ...

    def vectors(self, ids: Sequence[str]) -> NDArray[np.float32]: ...


class Spread:
    """The stage before rules, of searches and of recommendations. Safe to call from several threads."""

    def __init__(self, index: Shelf, settings: DiverseSettings, popularity: Mapping[str, float]) -> None:
        self.index, self.settings = index, settings
        known = sorted((id for id, share in popularity.items() if share > 0), key=lambda id: (-popularity[id], id))
        self.known, self.head = frozenset(known), frozenset(known[: int(len(known) * HEAD)])

    def __call__(
        self,
        names: Sequence[str],
        scored: Scored,
        order: NDArray[np.int64],
        *,
        shares: Sequence[tuple[NDArray[np.bool_], float]] = (),
    ) -> tuple[Scored, NDArray[np.int64]]:
        """The same products; those below `depth` stay where they are.

        Args:
            names: id of each place of `scored`.
            scored: with its parts.
            order: places, best first.
            shares: who else is sure of how much of the first places: members among `names`, and their share.
        """
        import numpy as np

        settings, first = self.settings, order[: self.settings.depth]
        if len(first) < 2:
            return scored, order
        ids = [names[place] for place in first]
        chosen = list(range(len(first)))
        if settings.how != "off":
            scores = scored.scores[first]
            span = float(scores.max() - scores.min())
            relevance = (scores - scores.min()) / span if span > 0 else np.ones(len(first))
            kinds = self._kinds(ids)
            if settings.how == "mmr":
                chosen = mmr(relevance, likeness(kinds, self._cosines(ids)), weight=settings.weight)
            else:
                chosen = xquad(relevance, kinds, weight=settings.weight)
        if settings.fresh:
            chosen = floored(chosen, np.array([id not in self.known for id in ids]), settings.fresh)
        if settings.tail:
            chosen = floored(chosen, np.array([id not in self.head for id in ids]), settings.tail)
        for member, share in shares:
            chosen = floored(chosen, member[first], share)
        return rearranged(scored, order, chosen)

    def _cosines(self, ids: list[str]) -> NDArray[np.float64] | None:
        """Between every two of the products, where meaning counts; None too where one was deleted meanwhile."""
        if MEANING not in self.settings.by:
            return None
        vectors = self.index.vectors(ids)
        return (vectors @ vectors.T).astype(float) if len(vectors) == len(ids) else None

    def _kinds(self, ids: list[str]) -> NDArray[np.int64]:
        """A number for each value of each field; -1 is unknown. Shape (ids, fields)."""
        import numpy as np

        fields = [field for field in self.settings.by if field != MEANING]
        products = {product.id: product for product in self.index.products(ids if fields else ())}
        kinds = np.full((len(ids), len(fields)), -1, dtype=np.int64)
        for column, field in enumerate(fields):
            codes: dict[str, int] = {}
            for row, id in enumerate(ids):
                value = _value(products[id], field) if id in products else ""
                if value:
                    kinds[row, column] = codes.setdefault(value, len(codes))
        return kinds


def _value(product: Product, field: str) -> str:
    if field == "category":
        return " > ".join(product.category)
    return product.brand if field == "brand" else product.attributes.get(field.removeprefix("attributes."), "")
