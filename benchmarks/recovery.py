"""Values of a metric on clean, dirty and checked data in; how much of the loss the checks win back, out.

    recovery = (checked - dirty) / (oracle - dirty)        harm = (checked clean - clean) / clean

Units (queries, shoppers, reviews) are paired across systems and averaged over seeds; intervals resample units.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mercer.measure.compare import Resampling, compare

__all__ = ["AFTER", "FIRST", "SYSTEMS", "Cell", "Recovery", "mean"]

SYSTEMS = ("oracle", "dirty", "checked", "gate")
"""Trained on or serving: untouched data, dirty data, what the checks let through, and what a shop with the gate serves
(the data before where the gate blocked the dirty batch, else what the checks let through)."""
FIRST, AFTER = "first load", "after a good batch"
SAMPLES = 2000
Metric = Callable[[NDArray[np.int64]], float]


@dataclass
class Cell:
    """One kind of dirt at one rate on one base: values of every seed, shape (units,), by system."""

    task: str
    base: str
    dirt: str
    rate: float
    values: dict[str, list[NDArray[np.float64]]] = field(default_factory=lambda: {name: [] for name in SYSTEMS})
    blocked: list[bool] = field(default_factory=list)
    """Whether the gate refused the dirty batch, by seed."""
    taken: list[float] = field(default_factory=list)
    """Share of rows that the checks took out, by seed."""
    scenario: str = ""
    """`FIRST` or `AFTER` where it matters whether a good batch was accepted before."""
    lift: dict[str, list[tuple[float, float, float]]] = field(default_factory=dict)
    """Of an attack: what its products gain → how much they had of it before, under attack and checked, by seed."""

    @property
    def seeds(self) -> int:
        return len(self.values["dirty"])


@dataclass(frozen=True)
class Recovery:
    """A ratio with its percentile interval; NaN where there was no loss to win back."""

    oracle: float
    dirty: float
    checked: float
    gate: float
    value: float
    low: float
    high: float
    p: float
    """Of checked against dirty, paired randomisation."""
    loss_is_real: bool
    """Whether the interval of oracle - dirty lies above 0: a ratio over no loss says nothing."""


def mean(cell: Cell, name: str) -> NDArray[np.float64]:
    """Values of a system by unit, averaged over seeds."""
    return np.mean(cell.values[name], axis=0)


def recover(
    cell: Cell, *, seed: int, metric: Mapping[str, Callable[[NDArray[np.int64]], float]] | None = None
) -> Recovery:
    """Recovery of a cell.

    Args:
        cell: with one or more seeds.
        seed: of the resampling.
        metric: system → value over some units, where it is not the mean (macro-F1).
    """
    columns = {name: mean(cell, name) for name in SYSTEMS}
    if metric is None:
        metric = {name: (lambda rows, column=column: float(column[rows].mean())) for name, column in columns.items()}
    count = len(columns["oracle"])
    everyone, rng = np.arange(count), np.random.default_rng(seed)
    values = {name: metric[name](everyone) for name in SYSTEMS}
    losses, ratios = [], []
    for _ in range(SAMPLES if len(cell.values["dirty"][0]) < 3000 else SAMPLES // 4):
        rows = rng.integers(0, count, count)
        oracle, dirty, checked = (metric[name](rows) for name in ("oracle", "dirty", "checked"))
        losses.append(oracle - dirty)
        ratios.append((checked - dirty) / (oracle - dirty) if oracle != dirty else np.nan)
    loss = values["oracle"] - values["dirty"]
    real = bool(np.quantile(losses, 0.025) > 0)
    ends = np.nanquantile(ratios, (0.025, 0.975)) if real else (np.nan, np.nan)
    units = [str(number) for number in range(count)]
    versus = compare(
        dict(zip(units, columns["checked"].tolist(), strict=True)),
        dict(zip(units, columns["dirty"].tolist(), strict=True)),
        seed=seed,
        how=Resampling(samples=1000, swaps=2000),
    )
    ratio = (values["checked"] - values["dirty"]) / loss if loss else float("nan")
    return Recovery(**values, value=ratio, low=float(ends[0]), high=float(ends[1]), p=versus.p, loss_is_real=real)
