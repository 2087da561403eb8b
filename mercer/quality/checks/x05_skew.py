"""A training table and the log of what the running shop fed its model in; inputs that are not the same out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mercer.errors import SettingsError
from mercer.quality.check import CheckSettings, Inputs, Problem, check
from mercer.quality.finding import FILE, Found
from mercer.quality.roles import TRAINING, TrainingInputs

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = ["Skew", "skew"]

LOG = f"{TRAINING}.log"


@dataclass(frozen=True)
class Skew(CheckSettings):
    """How far training may be from serving."""

    differing: float = 0.01
    """Share of the rows found on both sides (0 to 1) whose value may differ."""
    tolerance: float = 1e-4
    """Relative difference of two numbers that are the same."""
    psi: float = 0.2
    """Population stability index, in tenths, from which a distribution has shifted (Siddiqi 2006: .25 is large)."""
    fewest: int = 100
    """Rows on each side below which nothing is compared."""

    def __post_init__(self) -> None:
        CheckSettings.__post_init__(self)
        if not 0 <= self.differing <= 1 or self.tolerance < 0 or self.psi <= 0:
            raise SettingsError(
                f"differing is {self.differing}, tolerance {self.tolerance}, psi {self.psi}",
                cure="give a share, a tolerance of 0 or more and an index above 0",
            )


@check(
    "X05",
    families=(TRAINING,),
    tier="global",
    severity="critical",
    problems={
        "value_differs": Problem("the model is fed other values when it serves", "线上特征与训练特征取值不同", "block"),
        "distribution_shifted": Problem("values are distributed otherwise in serving", "线上特征分布偏移", "block"),
        "not_logged": Problem("the log lacks this input", "日志缺少该输入", "warn"),
    },
    settings=Skew,
    english="a model is trained on what it is fed in serving",
    chinese="训练特征与线上特征一致",
)
def skew(inputs: Inputs[Any], settings: Skew) -> Iterator[Found]:
    """Train-serve skew of each input against ``training.log``.

    Rows are matched by ids, groups and time, where these name a row on both sides, and compared one by one; else,
    and for rows that are not matched, distributions are: PSI, Jensen-Shannon (bits) and the largest difference.
    """
    if not isinstance(inputs, TrainingInputs) or LOG not in inputs:
        return
    table, log, roles = inputs.table, inputs[LOG], inputs.roles
    if min(table.num_rows, log.num_rows) < settings.fewest:
        return
    pairs = _matched(inputs)
    for name in roles.inputs:
        if name not in log.column_names:
            yield Found(_told(rows=log.num_rows), TRAINING, name, "not_logged")
            continue
        one, other = table[name], log[name]
        if pairs is not None and len(pairs[0]) >= settings.fewest:
            share = float((~_same(one, other, pairs, settings.tolerance)).mean())
            if share > settings.differing:
                yield Found(_told(matched=len(pairs[0]), share=share), TRAINING, name, "value_differs")
            continue
        figures = _distance(one, other)
        if figures and figures["psi"] > settings.psi:
            yield Found(_told(**figures), TRAINING, name, "distribution_shifted")


def _told(**values: Any) -> pa.Table:
    import pyarrow as pa

    return pa.Table.from_pylist([{"row_id": FILE, **values}])


def _matched(inputs: TrainingInputs) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Places of the same example in the table and in the log; None where ids and time do not name one."""
    roles = inputs.roles
    key = [name for name in (*roles.ids, *roles.groups, *([roles.time] if roles.time else [])) if name]
    log = inputs[LOG]
    if not key or any(name not in log.column_names for name in key):
        return None
    sides = []
    for table in (inputs.table, log):
        rows = zip(*(map(str, table[name].to_pylist()) for name in key), strict=True)
        sides.append({row: place for place, row in enumerate(rows)})
        if len(sides[-1]) < 0.95 * table.num_rows:
            return None
    both = [row for row in sides[0] if row in sides[1]]
    places = [np.array([side[row] for row in both], dtype=np.int64) for side in sides]
    return places[0], places[1]


def _number(column: pa.ChunkedArray) -> NDArray[np.float64] | None:
    import pyarrow as pa

    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_boolean(column.type)):
        return None
    return np.asarray(column.cast(pa.float64()).fill_null(np.nan), dtype=np.float64)


def _same(
    one: pa.ChunkedArray, other: pa.ChunkedArray, pairs: tuple[NDArray[np.int64], NDArray[np.int64]], tolerance: float
) -> NDArray[np.bool_]:
    left, right = _number(one), _number(other)
    if left is None or right is None:
        texts = (np.array([str(value) for value in column.to_pylist()], dtype=object) for column in (one, other))
        first, second = texts
        return np.asarray(first[pairs[0]] == second[pairs[1]], dtype=bool)
    near = np.isclose(left[pairs[0]], right[pairs[1]], rtol=tolerance, atol=1e-9, equal_nan=True)
    return np.asarray(near, dtype=bool)


def _distance(one: pa.ChunkedArray, other: pa.ChunkedArray) -> dict[str, float]:
    """PSI, Jensen-Shannon divergence and largest difference of shares: tenths of numbers, the 50 most common texts."""
    left, right = _number(one), _number(other)
    if left is None or right is None:
        texts = [[str(value) for value in column.to_pylist()] for column in (one, other)]
        values, counts = np.unique(texts[0], return_counts=True)
        kept = set(values[np.argsort(-counts, kind="stable")[:50]].tolist())
        if len(values) > len(texts[0]) / 2:
            return {}  # texts of their own: their distribution says nothing
        names = [*sorted(kept), ""]
        place = {name: number for number, name in enumerate(names)}
        sides = [np.bincount([place.get(text, len(kept)) for text in side], minlength=len(names)) for side in texts]
    else:
        edges = np.unique(np.nanquantile(left, np.linspace(0.1, 0.9, 9)))
        sides = []
        for numbers in (left, right):
            codes = np.where(np.isnan(numbers), len(edges) + 1, np.searchsorted(edges, numbers, side="left"))
            sides.append(np.bincount(codes, minlength=len(edges) + 2))
    first, second = ((side + 0.5) / (side + 0.5).sum() for side in sides)
    middle = (first + second) / 2
    return {
        "psi": float(((first - second) * np.log(first / second)).sum()),
        "js_bits": float((first * np.log2(first / middle) + second * np.log2(second / middle)).sum() / 2),
        "largest_difference": float(np.abs(first - second).max()),
    }
