"""Products that the live index was built from, and those of now, in; how the catalogue changed out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercer.encode.language import language_of
from mercer.watch.change import Change, centres, kinds, numbers, told_apart
from mercer.watch.drift import Question

__all__ = ["Vectors", "compared"]

Row = Mapping[str, Any]
Vectors = Callable[[Sequence[Row]], NDArray[np.float32]]
"""Products' vectors, (n, dimension), as the live index has them."""

TEXTS = ("title", "description", "brand", "category", "image")
REALS = ("price", "list_price", "stock", "rating", "rating_count")
VECTORS = 500
"""Products of each side whose vectors are compared."""


def compared(before: Sequence[Row], now: Sequence[Row], *, vectors: Vectors | None = None) -> Iterator[Question]:
    """What is missing where, numbers, categories, brands, languages, wording and the centre of the vectors."""
    for name in (*TEXTS, *REALS):
        yield Question("catalogue", f"{name} missing", partial(_both, before, now, partial(_missing, name=name), kinds))
    text = partial(_texts, name="title")
    ask = partial(_both, before, now)
    yield Question("catalogue", "price", partial(ask, _logs, numbers))
    yield Question("catalogue", "rating", partial(ask, partial(_reals, name="rating"), numbers))
    yield Question("catalogue", "category", partial(ask, _top, kinds))
    yield Question("catalogue", "brand", partial(ask, partial(_texts, name="brand"), kinds))
    yield Question("catalogue", "language", partial(ask, lambda rows: [language_of(one) for one in text(rows)], kinds))
    yield Question("catalogue", "title length", partial(ask, lambda rows: [len(one) for one in text(rows)], numbers))
    yield Question("catalogue", "wording of titles", partial(ask, text, told_apart))
    if vectors:
        yield Question("catalogue", "vectors", partial(ask, lambda rows: vectors(_some(rows)), centres))


def _both(
    before: Sequence[Row], now: Sequence[Row], column: Callable[[Sequence[Row]], Any], compare: Callable[..., Change]
) -> Change:
    return compare(column(before), column(now))


def _some(rows: Sequence[Row]) -> list[Row]:
    order = np.random.default_rng(0).permutation(len(rows))[:VECTORS]
    return [rows[place] for place in order]


def _missing(rows: Sequence[Row], name: str) -> list[str]:
    return ["yes" if row.get(name) in (None, "") else "no" for row in rows]


def _texts(rows: Sequence[Row], name: str) -> list[str]:
    return [row.get(name) or "" for row in rows]


def _top(rows: Sequence[Row]) -> list[str]:
    return [(row.get("category") or "").split(" > ")[0] for row in rows]


def _reals(rows: Sequence[Row], name: str) -> list[float]:
    return [float("nan") if row.get(name) is None else float(row[name]) for row in rows]


def _logs(rows: Sequence[Row]) -> NDArray[np.float64]:
    prices = np.array(_reals(rows, "price"), np.float64)
    return np.log(np.where(prices > 0, prices, np.nan))
