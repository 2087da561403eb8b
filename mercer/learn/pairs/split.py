"""Pairs in; the part each belongs to (to learn from, to choose by, to report on), by group or by time, out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from mercer.errors import DataError, SettingsError
from mercer.measure.split import by_group

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["PARTS", "apart"]

PARTS = ("train", "valid", "test")


def apart(
    pairs: pa.Table,
    *,
    by: Literal["group", "time"] = "group",
    valid: float = 0.1,
    test: float = 0.2,
    seed: int = 7,
) -> dict[str, pa.Table]:
    """Cut pairs into train, valid and test; a group is never in two of them.

    By time the last groups are tested: a group stands where its last pair stands, so nothing learned from is later
    than the first thing tested, of groups on the two sides.

    Args:
        pairs: of `schema()`.
        by: what keeps the parts apart.
        valid, test: shares of groups.
        seed: another seed, another split; unused by time.

    Raises:
        SettingsError: shares that leave nothing to learn from.
        DataError: fewer than three groups, or by time where no pair has one.
    """
    if not (0 < valid < 1 and 0 < test < 1 and valid + test < 0.9):
        raise SettingsError(f"valid is {valid}, test {test}", cure="give shares above 0 that leave 10 % to learn from")
    groups = np.asarray(pairs["group"].to_pylist(), dtype=object)
    if len(set(groups)) < len(PARTS):
        raise DataError(f"{len(set(groups))} groups of pairs cannot be split in three", cure="judge more queries")
    place = _by_time(pairs, groups, valid, test) if by == "time" else _by_group(groups, valid, test, seed)
    return {name: pairs.filter(_mask(place == number)) for number, name in enumerate(PARTS)}


def _mask(chosen: NDArray[np.bool_]) -> Any:
    import pyarrow as pa

    return pa.array(chosen)


def _by_group(groups: NDArray[Any], valid: float, test: float, seed: int) -> NDArray[np.int64]:
    outer = by_group(groups.astype(str), test=test, seed=seed)
    inner = by_group(groups[outer.train].astype(str), test=valid / (1 - test), seed=seed)
    place = np.zeros(len(groups), np.int64)
    place[outer.train[inner.test]] = 1
    place[outer.test] = 2
    return place


def _by_time(pairs: pa.Table, groups: NDArray[Any], valid: float, test: float) -> NDArray[np.int64]:
    if pairs["time"].null_count:
        raise DataError(f"{pairs['time'].null_count} pairs have no time", cure='split by = "group"')
    times = pairs["time"].to_numpy()
    names, place = np.unique(groups.astype(str), return_inverse=True)
    last = np.full(len(names), np.iinfo(np.int64).min)
    np.maximum.at(last, place, times)
    order = np.lexsort((names, last))
    part = np.zeros(len(names), np.int64)
    tested, chosen = max(1, round(test * len(names))), max(1, round(valid * len(names)))
    part[order[-tested - chosen : -tested]] = 1
    part[order[-tested:]] = 2
    return part[place]
