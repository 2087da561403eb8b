"""Events that came since in; what was learnt before, brought up to date without counting all again, out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercer.retrieve.behaviour import Behaviour, BehaviourSettings
from mercer.retrieve.context import Context
from mercer.retrieve.history import ANONYMOUS, DAY, History
from mercer.retrieve.item_knn import ItemKnn, _blocks, _usual
from mercer.retrieve.linear import Linear
from mercer.retrieve.neighbours import Neighbours, gather
from mercer.retrieve.past import Pasts
from mercer.retrieve.popular import Popular
from mercer.retrieve.repeat import Repeat
from mercer.retrieve.together import Together, _sure
from mercer.retrieve.trending import Trending
from mercer.retrieve.vocabulary import Vocabulary

__all__ = ["Refresh"]

COLUMNS = ("type", "shopper", "session", "product", "time", "device", "place")
NOTHING = 1e-5
"""Share of a pair's count below which what is left after a subtraction is rounding."""


@dataclass(frozen=True, slots=True)
class _Counts:
    """Sums over shoppers (or baskets), which can be added to and taken from; codes are those of `products`."""

    products: Vocabulary
    pairs: Any
    """scipy CSR, (products, products)."""
    each: NDArray[np.float64]
    """(products,)"""
    total: float = 0.0

    def moved(self, products: Vocabulary) -> _Counts:
        """The same in the codes of another vocabulary, which has every product of this one that counts."""
        from scipy.sparse import csr_matrix

        code = products.codes(self.products.names.to_pylist())
        entries, known = self.pairs.tocoo(), code >= 0
        keep = known[entries.row] & known[entries.col]
        size = len(products)
        rows = entries.data[keep], (code[entries.row[keep]], code[entries.col[keep]])
        each = np.zeros(size)
        each[code[known]] = self.each[known]
        return _Counts(products, csr_matrix(rows, shape=(size, size)), each, self.total)

    def changed(self, before: _Counts, after: _Counts, products: Vocabulary) -> _Counts:
        """Without `before`, with `after`, in the codes of `products`."""
        mine, gone, come = (one.moved(products) for one in (self, before, after))
        rest = mine.pairs - gone.pairs
        rest.data[np.abs(rest.data) <= NOTHING * _at(mine.pairs, rest)] = 0.0
        pairs = (rest + come.pairs).tocsr()
        pairs.eliminate_zeros()
        each = np.where(np.abs(mine.each - gone.each) <= NOTHING * mine.each, 0.0, mine.each - gone.each) + come.each
        return _Counts(products, pairs, each, self.total - before.total + after.total)


class Refresh:
    """Keeps the counts behind item-knn and baskets; only what the shoppers of new events did is counted again.

    What is sums over all events in one pass (popularity, trends, context, pasts) is summed anew, which is cheap.
    """

    def __init__(
        self, events: Path | Any | None, settings: BehaviourSettings | None = None, *, ids: Iterable[str] = ()
    ) -> None:
        """Count everything once.

        Args:
            events: a Parquet file or Arrow table of checked events, or None.
            settings: as for `Behaviour.fit`.
            ids: products of the catalogue, which the result knows whether an event named them or not.
        """
        self.settings, self._ids = settings or BehaviourSettings(), sorted(ids)
        self._events = _columns(events)
        history = History.of(self._events, self.settings.strength)
        self._start = history.end
        self._knn, self._baskets = self._pairs(history), self._bought(history)

    def add(self, events: Any) -> None:
        """Count new events: an Arrow table in the canonical columns."""
        import pyarrow as pa
        import pyarrow.compute as pc

        fresh = _columns(events)
        if not len(fresh):
            return
        if not len(self._events):
            self._start = pc.max(fresh["time"]).as_py() or 0
        known, every = self._events, pa.concat_tables([self._events, fresh])
        self._events = every
        products = self._history().products
        for name, key in (("_knn", _actors), ("_baskets", _baskets)):
            touched = pc.unique(key(fresh))
            before = known.filter(pc.is_in(key(known), value_set=touched))
            count = self._pairs if name == "_knn" else self._bought
            old, new = (
                count(History.of(table, self.settings.strength))
                for table in (before, pa.concat_tables([before, fresh]))
            )
            setattr(self, name, getattr(self, name).changed(old, new, products))

    def behaviour(self, before: Behaviour) -> Behaviour:
        """What `Behaviour.fit` of all the events would be, but for rounding and the linear model.

        That one stays as `before` has it: an equation over all products is not brought up to date by a few rows. What
        is new since has no weights in it, and goes by the other signals.
        """
        history, settings = self._history(), self.settings
        return Behaviour(
            products=history.products,
            knn=self._neighbours(history),
            popular=Popular.fit(history, settings.popular),
            trending=Trending.fit(history, settings.trending),
            together=self._together(history),
            pasts=Pasts.fit(history, kept=settings.kept),
            end=history.end,
            events=len(history),
            context=Context.fit(self._events, history.products, settings.context),
            linear=_recoded(before.linear, history.products),
            repeat=Repeat.fit(history, settings.repeat),
            settings=settings,
        )

    def _history(self) -> History:
        history = History.of(self._events, self.settings.strength)
        return history.with_products(self._ids) if self._ids else history

    def _pairs(self, history: History) -> _Counts:
        """Counts behind item-knn, faded to the moment at which counting began."""
        from scipy.sparse import csr_matrix, vstack

        wanted, settings, size = history.wanted(), self.settings.knn, len(history.products)
        age = (self._start - wanted.time) / DAY
        fresh = (0.5 ** (age / settings.half_life) if settings.half_life else np.ones(len(age))).astype(np.float32)
        each = np.bincount(wanted.product, weights=wanted.strength * fresh, minlength=size).astype(np.float64)
        blocks = [block.astype(np.float64) for block in _blocks(wanted, fresh, settings)]
        pairs = vstack(blocks).tocsr() if blocks else csr_matrix((size, size))
        pairs.sum_duplicates()
        return _Counts(history.products, pairs, each)

    def _neighbours(self, history: History) -> ItemKnn:
        settings, counts = self.settings.knn, self._knn.moved(history.products)
        faded = 0.5 ** ((history.end - self._start) / DAY / settings.half_life) if settings.half_life else 1.0
        floor = np.maximum(counts.each * faded, 1e-9)

        def score(first: int, entries: Any) -> NDArray[np.float64]:
            own, other = floor[entries.row + first] ** settings.own, floor[entries.col] ** settings.other
            value: NDArray[np.float64] = faded * entries.data / (own * other)
            return value

        found = gather(iter([counts.pairs]), products=len(history.products), most=settings.neighbours, score=score)
        fitted = ItemKnn(history.products, found, settings, 1.0)
        fitted.usual = _usual(fitted, history.wanted())
        return fitted

    def _bought(self, history: History) -> _Counts:
        """Baskets of each product and of each pair."""
        from scipy.sparse import csr_matrix

        size = len(history.products)
        _, basket = np.unique(history.basket[history.bought], return_inverse=True)
        pairs = np.unique(basket * max(1, size) + history.product[history.bought])
        basket, product = pairs // max(1, size), pairs % max(1, size)
        sizes = np.bincount(basket)
        fits = (sizes > 1) & (sizes <= self.settings.together.largest)
        keep = fits[basket]
        bought = csr_matrix((np.ones(int(keep.sum())), (basket[keep], product[keep])), shape=(len(sizes), size))
        each = np.bincount(product[keep], minlength=size).astype(np.float64)
        return _Counts(history.products, (bought.T @ bought).tocsr(), each, float(fits.sum()))

    def _together(self, history: History) -> Together:
        settings, counts = self.settings.together, self._baskets.moved(history.products)

        def score(first: int, entries: Any) -> NDArray[np.float64]:
            own, other = counts.each[entries.row + first], counts.each[entries.col]
            return _sure(entries.data, own, other, total=int(counts.total), settings=settings)

        found = gather(iter([counts.pairs]), products=len(history.products), most=settings.neighbours, score=score)
        return Together(history.products, found, settings)


def _recoded(linear: Linear, products: Vocabulary) -> Linear:
    """The same weights in the codes of another vocabulary."""
    from scipy.sparse import csr_matrix

    code = products.codes(linear.products.names.to_pylist())
    entries = linear.neighbours.matrix.tocoo()
    keep = (code[entries.row] >= 0) & (code[entries.col] >= 0)
    size, rows = len(products), (entries.data[keep], (code[entries.row[keep]], code[entries.col[keep]]))
    moved = csr_matrix(rows, shape=(size, size))
    return Linear(products, Neighbours.largest(moved, linear.settings.neighbours), linear.settings, linear.usual)


def _columns(events: Path | Any | None) -> Any:
    """The columns that count, as plain texts and whole numbers; missing ones are null."""
    import pyarrow as pa
    from pyarrow import parquet

    schema = pa.schema([(name, pa.int64() if name == "time" else pa.string()) for name in COLUMNS])
    if events is None or (isinstance(events, Path) and not events.exists()):
        return schema.empty_table()
    table: Any = events
    if isinstance(events, Path):
        have = set(parquet.read_schema(events).names)
        table = parquet.read_table(events, columns=[name for name in COLUMNS if name in have])
    columns = [
        table[one.name].cast(one.type) if one.name in table.column_names else pa.nulls(len(table), one.type)
        for one in schema
    ]
    return pa.table(columns, schema=schema)


def _actors(table: Any) -> Any:
    """Who acted: the shopper, or the session that stands in for one."""
    import pyarrow.compute as pc

    return pc.coalesce(table["shopper"], pc.binary_join_element_wise(ANONYMOUS, table["session"], ""))


def _baskets(table: Any) -> Any:
    """Which basket a row is in: its session, or the shopper's day."""
    import pyarrow as pa
    import pyarrow.compute as pc

    day = pc.divide(table["time"], DAY).cast(pa.string())
    return pc.coalesce(table["session"], pc.binary_join_element_wise(ANONYMOUS, table["shopper"], day, "\x1f"))


def _at(counts: Any, where: Any) -> NDArray[np.float64]:
    """Values of one matrix at the entries of another; 0 where it has none."""
    entries = where.tocoo()
    return np.abs(np.asarray(counts[entries.row, entries.col]).ravel()) if entries.nnz else np.zeros(0)
