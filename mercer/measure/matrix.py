"""Figures of each version on each period's queries in; what was forgotten and what came back out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercer.errors import RequestError

__all__ = ["Matrix"]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Row i: the version that learned from periods up to i; column j: queries of period j. NaN where nobody measured.

    >>> told = Matrix(("before", "spring", "summer"), ("spring", "summer"), ((0.5, 0.4), (0.7, 0.4), (0.63, 0.6)))
    >>> round(told.forgetting, 3), round(told.backward, 3), round(told.forward, 3)
    (0.1, -0.07, 0.0)
    """

    versions: tuple[str, ...]
    """The first is what the first period started from."""
    periods: tuple[str, ...]
    """Period j is learned from first by version j + 1."""
    values: tuple[tuple[float, ...], ...]
    metric: str = "nDCG@10"
    seconds: tuple[float, ...] = field(default=())
    """That each version after the first took to learn."""

    def __post_init__(self) -> None:
        if len(self.values) != len(self.versions) or any(len(row) != len(self.periods) for row in self.values):
            shape = f"{len(self.values)} rows for {len(self.versions)} versions of {len(self.periods)} periods"
            raise RequestError(f"a matrix of {shape}", cure="give one row a version and one value a period")
        if len(self.versions) > len(self.periods) + 1:
            said = f"{len(self.versions)} versions, {len(self.periods)} periods"
            raise RequestError(said, cure="name the period that each version after the first learned from")

    @property
    def _grid(self) -> NDArray[np.float64]:
        return np.array(self.values, np.float64).reshape(len(self.versions), len(self.periods))

    @property
    def _learned(self) -> list[tuple[float, float, float]]:
        """Of each period but the last: right after it was learned, best since, now."""
        grid, last = self._grid, len(self.versions) - 1
        return [
            (grid[j + 1, j], float(np.nanmax(grid[j + 1 :, j])), grid[last, j])
            for j in range(len(self.periods))
            if j + 1 < last and not np.isnan(grid[[j + 1, last], j]).any()
        ]

    @property
    def forgetting(self) -> float:
        """Mean share of its best figure that a period has lost since (Chaudhry et al. 2018); NaN with one period."""
        lost = [(best - now) / best for _, best, now in self._learned if best > 0]
        return float(np.mean(lost)) if lost else math.nan

    @property
    def backward(self) -> float:
        """Backward transfer: mean of the figure now less right after learning (Lopez-Paz and Ranzato 2017)."""
        moved = [now - then for then, _, now in self._learned]
        return float(np.mean(moved)) if moved else math.nan

    @property
    def forward(self) -> float:
        """Forward transfer: what a period gains before it is learned, against the very first version."""
        grid = self._grid
        ahead = [grid[j, j] - grid[0, j] for j in range(1, len(self.periods)) if j < len(self.versions)]
        known = [value for value in ahead if not math.isnan(value)]
        return float(np.mean(known)) if known else math.nan

    def with_version(
        self, name: str, period: str, row: Sequence[float], older: Sequence[float], *, seconds: float
    ) -> Matrix:
        """One more period and the version that learned from it.

        Args:
            name: of the version.
            period: what it learned from.
            row: its figures on every period, the new one last.
            older: figures of the versions before on the new period, NaN where they were not asked.
            seconds: that it took.
        """
        rows = [(*values, value) for values, value in zip(self.values, older, strict=True)]
        return Matrix(
            (*self.versions, name), (*self.periods, period), (*rows, tuple(row)), self.metric, (*self.seconds, seconds)
        )

    def json(self) -> dict[str, Any]:
        """As it stands in a card; what was not measured is null."""

        def plain(value: float) -> float | None:
            return None if math.isnan(value) else value

        return {
            "versions": list(self.versions),
            "periods": list(self.periods),
            "values": [[plain(value) for value in row] for row in self.values],
            "metric": self.metric,
            "seconds": [plain(value) for value in self.seconds],
            **{name: plain(getattr(self, name)) for name in ("forgetting", "backward", "forward")},
        }

    @classmethod
    def of_json(cls, told: Mapping[str, Any]) -> Matrix:
        """What a card says."""
        values = tuple(tuple(math.nan if value is None else float(value) for value in row) for row in told["values"])
        names = tuple(told["versions"]), tuple(told["periods"])
        seconds = tuple(math.nan if value is None else float(value) for value in told.get("seconds", ()))
        return cls(*names, values, told["metric"], seconds)
