"""Columns of rows in; row numbers to learn from and to be tested on, never the same, out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mercer.errors import RequestError

__all__ = ["Split", "by_group", "by_query", "by_time", "folds", "leave_one_out"]

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Split:
    """Row numbers, ascending; no row is in two of the three."""

    train: NDArray[np.int64]
    test: NDArray[np.int64]
    left_out: NDArray[np.int64]
    """Rows that may be in neither, because they would give the answer away."""


def by_group(groups: ArrayLike, *, test: float = 0.2, seed: int) -> Split:
    """Put a share of the groups (a query id, a shopper, a session: one a row) to the test, each group whole.

    Which group goes where depends on its name and the seed alone, not on the order of rows.

    Args:
        groups: (n,) names; numpy, Arrow or a list.
        test: share of the groups, between 0 and 1; at least one group is on either side.
        seed: another seed, another split.

    Raises:
        RequestError: `test` is out of range or there are fewer than two groups.
    """
    names, place = _groups(groups)
    _share(test)
    taken = min(len(names) - 1, max(1, round(test * len(names))))
    chosen = np.zeros(len(names), dtype=np.bool_)
    chosen[_shuffled(names, seed)[:taken]] = True
    return _split(chosen[place])


def by_query(truth: Mapping[str, Value], *, test: float = 0.2, seed: int) -> tuple[dict[str, Value], dict[str, Value]]:
    """Split judgments (or anything by query id) by query: to learn from, to be tested on."""
    queries = list(truth)
    split = by_group(queries, test=test, seed=seed)
    return tuple({queries[row]: truth[queries[row]] for row in rows} for rows in (split.train, split.test))  # type: ignore[return-value]  # mypy sees a tuple of any length


def folds(groups: ArrayLike, *, k: int = 5, seed: int) -> list[Split]:
    """Cut into k folds by group; each row is tested in exactly one of them.

    Raises:
        RequestError: k is below 2 or there are fewer groups than folds.
    """
    names, place = _groups(groups)
    if not 2 <= k <= len(names):
        raise RequestError(f"k is {k} for {len(names)} groups", cure=f"give k between 2 and {len(names)}")
    fold = np.empty(len(names), dtype=np.int64)
    fold[_shuffled(names, seed)] = np.arange(len(names)) % k
    return [_split(fold[place] == number) for number in range(k)]


def by_time(times: ArrayLike, *, test: float = 0.2, at: int | None = None) -> Split:
    """Test on what came last: every row of `train` is strictly earlier than every row of `test`.

    Args:
        times: (n,) UTC milliseconds.
        test: about this share of rows is tested; rows of one moment stay together, on the side of the test.
        at: the first moment of the test instead.

    Raises:
        RequestError: one side would be empty.
    """
    column = _column(times, np.int64)
    if at is None:
        _share(test)
        at = int(np.sort(column)[min(len(column) - 1, int((1 - test) * len(column)))]) if len(column) else 0
        if len(column) and at == column.min() and at != column.max():  # one moment holds most rows
            at = int(column[column > at].min())
    split = _split(column >= at)
    if not len(split.train) or not len(split.test):
        raise RequestError(
            f"a cut at {at} leaves {len(split.train)} rows before and {len(split.test)} after",
            cure="give more rows, or another moment within their times",
        )
    return split


def leave_one_out(
    shoppers: ArrayLike, products: ArrayLike, times: ArrayLike, *, strict: bool = True, new_only: bool = False
) -> Split:
    """Test on each shopper's last row, learn from the rows before it.

    This is not a split by time: another shopper's row may be later than the tested one. Report `by_time` as well.
    Rows of equal time keep their order. A shopper with nothing before the last row is learned from, not tested.

    Args:
        shoppers: (n,) ids; rows with an empty id are learned from, as nobody's.
        products: (n,) ids.
        times: (n,) UTC milliseconds.
        strict: leave out the shopper's other rows of the last moment (the same basket would give it away).
        new_only: test only where the product is new to the shopper; the last row of the others is left out.
    """
    who, what = _column(shoppers, np.str_), _column(products, np.str_)
    when = _column(times, np.int64)
    if not len(who) == len(what) == len(when):
        raise RequestError(f"columns have {len(who)}, {len(what)} and {len(when)} rows", cure="give equal lengths")
    order = np.lexsort((np.arange(len(who)), when, who))
    owner, moment = who[order], when[order]
    last = np.append(owner[1:] != owner[:-1], True)[: len(order)]
    end = _last_of_each(last)
    together = moment == moment[end] if len(end) else np.zeros(0, dtype=np.bool_)
    withheld = (together if strict else last) & (owner != "")
    known = _any_of_each(~withheld, last)  # has the shopper something to learn from?
    if new_only:
        same = (what[order] == what[order][end]) & ~withheld if len(end) else withheld
        repeated = _any_of_each(same, last)
    else:
        repeated = np.zeros(len(order), dtype=np.bool_)
    withheld &= known
    tested = withheld & last & ~repeated
    return Split(*(np.sort(order[rows]).astype(np.int64) for rows in (~withheld, tested, withheld & ~tested)))


def _last_of_each(last: NDArray[np.bool_]) -> NDArray[np.int64]:
    """For each row of sorted groups, the row that ends its group."""
    ends = np.flatnonzero(last)
    return np.repeat(ends, np.diff(ends, prepend=-1)).astype(np.int64)


def _any_of_each(flags: NDArray[np.bool_], last: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """For each row of sorted groups, whether any row of its group has the flag."""
    ends = np.flatnonzero(last)
    if not len(ends):
        return np.zeros(0, dtype=np.bool_)
    starts = np.append(0, ends[:-1] + 1)
    return np.repeat(np.logical_or.reduceat(flags, starts), np.diff(ends, prepend=-1))


def _split(tested: NDArray[np.bool_]) -> Split:
    return Split(np.flatnonzero(~tested), np.flatnonzero(tested), np.empty(0, dtype=np.int64))


def _groups(groups: ArrayLike) -> tuple[NDArray[np.str_], NDArray[np.int64]]:
    names, place = np.unique(_column(groups, np.str_), return_inverse=True)
    if len(names) < 2:
        raise RequestError(f"there is {len(names)} group to split", cure="give at least two groups")
    return names, place


def _shuffled(names: NDArray[np.str_], seed: int) -> NDArray[np.int64]:
    """Places of the names in an order that depends on each name and the seed alone."""
    keys = [hashlib.blake2b(f"{seed}\x00{name}".encode(), digest_size=8).digest() for name in names.tolist()]
    return np.array(sorted(range(len(keys)), key=keys.__getitem__), dtype=np.int64)


def _share(test: float) -> None:
    if not 0 < test < 1:
        raise RequestError(f"the share to test is {test}", cure="give a share between 0 and 1, as 0.2")


def _column(values: Any, kind: type[np.str_ | np.int64]) -> NDArray[Any]:
    """A numpy column from numpy, Arrow (whose arrays know ``to_numpy``) or a list."""
    if hasattr(values, "combine_chunks"):
        values = values.combine_chunks()
    if getattr(values, "null_count", None):
        raise RequestError(f"{values.null_count} of {len(values)} values are null", cure="leave those rows out")
    plain = values.to_numpy(zero_copy_only=False) if hasattr(values, "null_count") else values
    return np.asarray(plain).astype(kind) if len(plain) else np.empty(0, dtype=kind)
