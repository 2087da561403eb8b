"""A history in; what to learn from, whom to ask for, and what they chose next, never the same rows, out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mercer.errors import RequestError
from mercer.measure.split import by_time
from mercer.retrieve.history import ANONYMOUS, History
from mercer.retrieve.sequence import Sequences

__all__ = ["Trial", "after", "leave_one_out"]


@dataclass(frozen=True, slots=True)
class Trial:
    """One split of a history; codes are those of `train.products`."""

    train: History
    shoppers: tuple[str, ...]
    """Who is asked for."""
    asked: Sequences
    """What each of them had in `train`, in the same order; empty for someone new."""
    chosen: dict[str, list[str]]
    """Shopper → products that were chosen afterwards."""
    moment: int = 0
    """The first moment of the test (UTC milliseconds) of a split by time."""

    def sample(self, most: int, *, seed: int) -> Trial:
        """At most so many of the shoppers, drawn at random; what is learnt from stays whole."""
        if len(self.shoppers) <= most:
            return self
        taken = np.sort(np.random.default_rng(seed).choice(len(self.shoppers), most, replace=False))
        names = tuple(self.shoppers[place] for place in taken)
        chosen = {name: self.chosen[name] for name in names}
        counts = np.diff(self.asked.start)[taken]
        start = np.append(0, np.cumsum(counts))
        rows = np.repeat(self.asked.start[:-1][taken] - start[:-1], counts) + np.arange(start[-1])
        asked = Sequences(start, self.asked.product[rows], self.asked.step[rows])
        return Trial(self.train, names, asked, chosen, self.moment)


def leave_one_out(history: History) -> Trial:
    """Put each shopper's last product to the test; rows of the same moment are left out, as they would tell.

    Each product counts once a shopper, so what is tested is new to them. Someone with nothing before is learnt from
    only. Call it again on `train` for the validation part. This is not a split by time: report `after` as well.

    Raises:
        RequestError: nobody has two products at two moments.
    """
    wanted = history.wanted()
    last = np.append(np.flatnonzero(np.diff(wanted.shopper)), len(wanted) - 1) if len(wanted) else np.empty(0, np.int64)
    first = np.append(0, last[:-1] + 1)[: len(last)]
    testable = wanted.time[first] < wanted.time[last]
    testable &= _named(history)[wanted.shopper[last]]
    if not testable.any():
        raise RequestError(
            f"none of {len(last)} shoppers has two products at two moments", cure="give longer histories"
        )
    final = np.repeat(wanted.time[last], last - first + 1)
    tested = np.repeat(testable, last - first + 1)
    train = wanted.where(~tested | (wanted.time < final))
    rows = last[testable]
    names = tuple(history.shoppers.take(wanted.shopper[rows]))
    products = history.products.take(wanted.product[rows])
    chosen = {name: [product] for name, product in zip(names, products, strict=True)}
    return Trial(train, names, Sequences.of(train, wanted.shopper[rows]), chosen)


def after(history: History, *, share: float, new_only: bool = True, basket: bool = False) -> Trial:
    """Learn from everything before a moment and test on what each shopper bought from then on.

    Args:
        history: with true times; where nothing is bought at all, every wanted product counts.
        share: of rows that come at or after the moment.
        new_only: count only what the shopper had not wanted before.
        basket: count only each shopper's first basket.

    Raises:
        RequestError: one side would be empty.
    """
    split = by_time(history.time, test=share)
    moment = int(history.time[split.test].min())
    train = history.where(history.time < moment)
    bought = history.bought if history.bought.any() else history.strength > 0
    late = np.flatnonzero((history.time >= moment) & bought & _named(history)[history.shopper])
    if basket:
        _, first = np.unique(history.shopper[late], return_index=True)  # rows are in order of shopper and time
        firsts = history.basket[late[first]]
        owner = np.searchsorted(history.shopper[late[first]], history.shopper[late])
        late = late[history.basket[late] == firsts[owner]]
    size = max(1, len(history.products))
    pairs = np.unique(history.shopper[late].astype(np.int64) * size + history.product[late])
    wanted = train.wanted()
    if new_only:
        pairs = np.setdiff1d(pairs, wanted.shopper.astype(np.int64) * size + wanted.product)
    if not len(pairs):
        raise RequestError("nothing new was bought after the split", cure="give more events, or count repeats")
    shoppers, counts = np.unique(pairs // size, return_counts=True)
    names = tuple(history.shoppers.take(shoppers))
    ids = iter(history.products.take(pairs % size))
    chosen = {name: [next(ids) for _ in range(count)] for name, count in zip(names, counts.tolist(), strict=True)}
    return Trial(train, names, Sequences.of(wanted, shoppers), chosen, moment)


def _named(history: History) -> NDArray[np.bool_]:
    import pyarrow.compute as pc

    named: NDArray[np.bool_] = ~pc.starts_with(history.shoppers.names, ANONYMOUS).to_numpy(zero_copy_only=False)
    return named
