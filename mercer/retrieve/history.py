"""Checked events in; who did what, how strongly and when, as frozen arrays, out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercer.errors import FormatError, NotFoundError, SettingsError
from mercer.retrieve.vocabulary import Vocabulary

__all__ = ["ANONYMOUS", "DAY", "History", "HistorySettings"]

DAY = 86_400_000
"""Milliseconds."""
ANONYMOUS = "\x1fsession "
"""Before the name of a session that stands in for a shopper nobody knows; no id in a checked file has it."""

WANTED = ("type", "shopper", "session", "product", "time")


@dataclass(frozen=True, slots=True)
class HistorySettings:
    """How strongly each action says that a shopper wants a product; a purchase is 1.

    All values but the purchase are guesses that keep the order purchase > add_to_cart > click > view; the time split
    of ``benchmarks/recommend_baselines.py`` will settle them where a shop logs more than purchases. Impressions are
    what the shop did, not the shopper: they count nothing.
    """

    view: float = 0.2
    click: float = 0.3
    add_to_cart: float = 0.6
    like: float = 0.6
    purchase: float = 1.0
    refund: float = -1.0
    """Takes one purchase back: a product bought, returned and never looked at otherwise is as if it had not been."""
    dislike: float = -1.0

    def __post_init__(self) -> None:
        for name in ("view", "click", "add_to_cart", "like", "purchase"):
            if not 0 <= getattr(self, name) <= 1:
                raise SettingsError(f"{name} weighs {getattr(self, name)}", cure="give a number from 0 to 1")
        for name in ("refund", "dislike"):
            if not -1 <= getattr(self, name) <= 0:
                raise SettingsError(f"{name} weighs {getattr(self, name)}", cure="give a number from -1 to 0")


@dataclass(frozen=True, slots=True)
class History:
    """One row an action, ordered by shopper, then time, then row of the file; all columns have shape (rows,)."""

    shoppers: Vocabulary
    products: Vocabulary
    shopper: NDArray[np.int32]
    product: NDArray[np.int32]
    time: NDArray[np.int64]
    """UTC, milliseconds."""
    strength: NDArray[np.float32]
    """-1 to 1; see `HistorySettings`."""
    bought: NDArray[np.bool_]
    """Whether the row is a purchase."""
    basket: NDArray[np.int64]
    """Rows of one session have one number; without a session, rows of one shopper and day (UTC)."""

    @classmethod
    def of(cls, events: Path | Any | None, settings: HistorySettings | None = None) -> History:
        """Build from an Arrow table or a Parquet file in the canonical columns of events; None is no events.

        Rows without a product, a time, or either shopper or session are left out.

        Raises:
            NotFoundError: the file is not there.
            FormatError: it is no Parquet, or lacks a column.
        """
        import pyarrow as pa

        table = _read(events) if isinstance(events, Path) else events
        if table is None:
            table = pa.table({name: pa.array([], pa.int64() if name == "time" else pa.string()) for name in WANTED})
        if missing := [name for name in ("type", "product", "time") if name not in table.column_names]:
            raise FormatError(f"events have no column {missing[0]!r}", cure="check them first: mercer check SHOP")
        return _ordered(_columns(table, settings or HistorySettings()))

    def __len__(self) -> int:
        return len(self.product)

    @property
    def end(self) -> int:
        """The last moment, UTC milliseconds; 0 where there is nothing."""
        return int(self.time.max()) if len(self) else 0

    def where(self, rows: NDArray[np.bool_]) -> History:
        """The same vocabularies with fewer rows; shape of `rows` (rows,)."""
        names = ("shopper", "product", "time", "strength", "bought", "basket")
        return replace(self, **{name: getattr(self, name)[rows] for name in names})

    def with_products(self, names: Iterable[str]) -> History:
        """The same rows over a larger vocabulary: products that nobody has wanted yet get a code, too."""
        products = Vocabulary.of([*self.products.names.to_pylist(), *names])
        new = products.codes(self.products.names.to_pylist()).astype(np.int32)
        return replace(self, products=products, product=new[self.product] if len(self) else self.product)

    def wanted(self) -> History:
        """One row a shopper and product, at the last time it was wanted: strength summed and capped at 1.

        What refunds and dislikes brought to 0 or below is left out, so it is nobody's neighbour.
        """
        if not len(self):
            return self
        key = self.shopper.astype(np.int64) * max(1, len(self.products)) + self.product
        order = np.argsort(key, kind="stable")  # rows of one pair stay in the order of time
        start = np.flatnonzero(np.diff(key[order], prepend=-1))
        strength = np.add.reduceat(self.strength[order].astype(np.float64), start)
        positive = np.where(self.strength[order] > 0, order, -1)  # rows are in order of time, so the largest is last
        last = np.maximum.reduceat(positive, start)
        bought = np.logical_or.reduceat(self.bought[order], start)
        keep = (strength > 1e-6) & (last >= 0)
        rows, by_row = last[keep], np.argsort(last[keep], kind="stable")
        found = replace(
            self,
            shopper=self.shopper[rows],
            product=self.product[rows],
            time=self.time[rows],
            strength=np.minimum(strength[keep], 1.0).astype(np.float32),
            bought=bought[keep],
            basket=self.basket[rows],
        )
        return found.where(by_row)  # type: ignore[arg-type]  # row numbers reorder as a mask selects


def _read(path: Path) -> Any:
    """Only the columns that count, texts as dictionaries, so that 20 M rows fit in about a gigabyte."""
    import pyarrow as pa
    from pyarrow import parquet

    if not path.exists():
        raise NotFoundError(f"{path} is not there", cure="check the shop's data first: mercer check SHOP")
    try:
        have = parquet.read_schema(path).names
        columns = [name for name in WANTED if name in have]
        texts = [name for name in columns if name != "time"]
        return parquet.read_table(path, columns=columns, read_dictionary=texts)
    except (OSError, pa.ArrowException) as error:
        raise FormatError(f"{path} is no Parquet: {error}", cure="check the data again: mercer check SHOP") from error


def _columns(table: Any, settings: HistorySettings) -> dict[str, Any]:
    """Codes and numbers of the rows that say something, in the order of the file."""
    import pyarrow as pa
    import pyarrow.compute as pc

    types, kind = Vocabulary.encode(table.column("type"))
    weight = {name: getattr(settings, name) for name in settings.__dataclass_fields__}
    by_type = np.array([*(weight.get(types[code], 0.0) for code in range(len(types))), 0.0], dtype=np.float32)
    strength = by_type[kind]
    time = table.column("time")
    keep = (strength != 0) & pc.is_valid(time).to_numpy() & pc.is_valid(table.column("product")).to_numpy()
    empty = pa.nulls(len(table), pa.string())
    text = {name: table.column(name) if name in table.column_names else empty for name in ("shopper", "session")}
    shoppers, shopper = Vocabulary.encode(text["shopper"])
    sessions, session = Vocabulary.encode(text["session"])
    keep &= (shopper >= 0) | (session >= 0)
    rows = np.flatnonzero(keep)
    products, product = Vocabulary.encode(table.column("product").filter(pa.array(keep)))
    purchase = types.code("purchase")
    moment = time.fill_null(0).to_numpy().astype(np.int64)[rows]
    shoppers, shopper = _someone(shoppers, shopper[rows], sessions, session[rows])
    day = shopper.astype(np.int64) * 200_000 + moment // DAY  # days since 1970 stay below 200,000 for 500 years
    return {
        "shoppers": shoppers,
        "products": products,
        "shopper": shopper,
        "product": product,
        "time": moment,
        "strength": strength[rows],
        "bought": kind[rows] == purchase if purchase >= 0 else np.zeros(len(rows), dtype=bool),
        "basket": np.where(session[rows] >= 0, session[rows].astype(np.int64), len(sessions) + day),
    }


def _someone(
    shoppers: Vocabulary, shopper: NDArray[np.int32], sessions: Vocabulary, session: NDArray[np.int32]
) -> tuple[Vocabulary, NDArray[np.int32]]:
    """Let a session stand in where nobody is named; vocabulary and codes of those who occur."""
    import pyarrow as pa

    nameless = shopper < 0
    used = np.unique(shopper[~nameless])
    alone = np.unique(session[nameless])
    names = shoppers.take(used) + [ANONYMOUS + name for name in sessions.take(alone)]
    order = np.array(sorted(range(len(names)), key=names.__getitem__), dtype=np.int64)
    place = np.empty(len(names), dtype=np.int32)
    place[order] = np.arange(len(names), dtype=np.int32)
    code = np.empty(len(shopper), dtype=np.int32)
    code[~nameless] = place[np.searchsorted(used, shopper[~nameless])]
    code[nameless] = place[len(used) + np.searchsorted(alone, session[nameless])]
    return Vocabulary(pa.array([names[at] for at in order], pa.string())), code


def _ordered(columns: dict[str, Any]) -> History:
    order = np.lexsort((columns["time"], columns["shopper"]))  # stable: equal times keep the order of the file
    rest: dict[str, Any] = {
        name: column if isinstance(column, Vocabulary) else column[order] for name, column in columns.items()
    }
    return History(**rest)
