"""Systems' metrics query by query in; means with intervals, comparisons against a baseline, JSON and text out."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from mercer.errors import RequestError
from mercer.measure.compare import Comparison, Interval, Resampling, compare, holm, interval

__all__ = ["Board", "Compared"]

Values = Mapping[str, Mapping[str, float]]
"""Metric → query id → value."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One system against the baseline on one metric."""

    system: str
    baseline: str
    metric: str
    comparison: Comparison
    p_holm: float
    """`comparison.p` corrected for the number of systems compared on this metric (Holm 1979)."""


@dataclass(frozen=True, slots=True)
class Board:
    """Systems by metrics, the first system being the baseline of all comparisons unless another was named."""

    measure: str
    """What was measured: ``search`` or ``recommend``."""
    queries: int
    """How many judged queries or shoppers stand behind every mean."""
    systems: Mapping[str, Mapping[str, Interval]]
    comparisons: tuple[Compared, ...]
    seed: int
    level: float
    facts: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """System → numbers that belong to a system as a whole and have no interval, such as coverage."""

    @classmethod
    def of(
        cls,
        measure: str,
        systems: Mapping[str, Values],
        *,
        seed: int,
        baseline: str | None = None,
        facts: Mapping[str, Mapping[str, float]] | None = None,
        how: Resampling | None = None,
    ) -> Board:
        """Draw the intervals and compare every system with the baseline.

        Args:
            measure: what was measured.
            systems: name → metric → query id → value, all over the same queries.
            seed: of every draw; the same input and seed give the same board.
            baseline: name of a system; None for the first.
            facts: numbers without an interval, by system.
            how: number of draws and level of the intervals.

        Raises:
            RequestError: no system, an unknown baseline, or systems measured over different metrics or queries.
        """
        how, first = how or Resampling(), next(iter(systems), None)
        baseline = baseline or first
        if baseline is None or baseline not in systems:
            known = ", ".join(systems) or "none was given"
            raise RequestError(f"baseline {baseline!r} is no system", cure=f"name one of: {known}")
        names = list(systems[baseline])
        _same_queries(systems, names)
        queries = sorted(systems[baseline][names[0]])  # the order of queries must not change the draw
        means = {
            system: {name: interval([values[name][query] for query in queries], seed=seed, how=how) for name in names}
            for system, values in systems.items()
        }
        others = [system for system in systems if system != baseline]
        compared: list[Compared] = []
        for name in names:
            found = [compare(systems[o][name], systems[baseline][name], seed=seed, how=how) for o in others]
            corrected = holm([comparison.p for comparison in found])
            rows = zip(others, found, corrected, strict=True)
            compared += [Compared(system, baseline, name, comparison, p) for system, comparison, p in rows]
        return cls(measure, len(queries), means, tuple(compared), seed, how.level, dict(facts or {}))

    def json(self) -> dict[str, Any]:
        """The shape that ``mercer measure --json`` prints; numbers are not rounded."""
        systems: dict[str, dict[str, Any]] = {
            system: {name: asdict(spread) for name, spread in metrics.items()}
            for system, metrics in self.systems.items()
        }
        for system, facts in self.facts.items():
            systems[system] |= {name: {"value": value, "low": None, "high": None} for name, value in facts.items()}
        return {
            "measure": self.measure,
            "queries": self.queries,
            "systems": systems,
            "comparisons": [
                {"system": c.system, "baseline": c.baseline, "metric": c.metric}
                | asdict(c.comparison)
                | {"p_holm": c.p_holm}
                for c in self.comparisons
            ],
            "level": self.level,
            "seed": self.seed,
        }

    @property
    def columns(self) -> list[str]:
        """Heads of the columns of `rows`."""
        facts = dict.fromkeys(name for values in self.facts.values() for name in values)
        return ["system", *next(iter(self.systems.values())), *facts]

    def rows(self) -> list[list[str]]:
        """One row a system: ``.580 [.531, .627]``, with a star where it differs from the baseline at .05 after Holm."""
        stars = {(c.system, c.metric) for c in self.comparisons if c.p_holm < 0.05}
        table = []
        for system, metrics in self.systems.items():
            cells = [system]
            for name in self.columns[1:]:
                if name in metrics:
                    spread = metrics[name]
                    star = "*" if (system, name) in stars else ""
                    cells.append(f"{spread.value:.4f} [{spread.low:.4f}, {spread.high:.4f}]{star}")
                else:
                    fact = self.facts.get(system, {}).get(name)
                    cells.append("" if fact is None else f"{fact:.4f}")
            table.append(cells)
        return table

    def text(self) -> str:
        """The board as aligned plain text; Chinese characters count two columns."""
        table = [self.columns, *self.rows()]
        widths = [max(map(_width, column)) for column in zip(*table, strict=True)]
        lines = [
            "  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True))
            for row in table
        ]
        return "\n".join([*(line.rstrip() for line in lines), self.note])

    @property
    def note(self) -> str:
        """What the figures are, in one line."""
        stars = "; * differs from the baseline, p < .05 by a paired randomisation test, Holm-corrected over the systems"
        return (
            f"means over {self.queries} with {self.level:.0%} bootstrap intervals, seed {self.seed}"
            f"{stars if self.comparisons else ''}"
        )


def _same_queries(systems: Mapping[str, Values], names: list[str]) -> None:
    queries = None
    for system, metrics in systems.items():
        if not names or list(metrics) != names:
            raise RequestError(
                f"system {system!r} has metrics {list(metrics)}, the baseline {names}", cure="measure all alike"
            )
        for name, values in metrics.items():
            queries = values.keys() if queries is None else queries
            if values.keys() != queries or not values:
                raise RequestError(
                    f"{name} of system {system!r} is over {len(values)} queries, others over {len(queries)}",
                    cure="measure all systems over the same judgments",
                )


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
