"""Findings and the truth about injected dirt in; precision, recall and targets held against them out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from mercer.bench.dirt import IMPLIED

__all__ = ["TARGETS", "Cell", "judge", "pairs_of", "pool", "verdict"]

Pair = tuple[str, int]

TARGETS: Mapping[str, tuple[float, float]] = {
    "C01": (1.0, 1.0),
    "C02": (0.99, 0.95),
    "C03": (0.98, 0.95),
    "C06": (0.95, 0.95),
    "C07": (0.99, 0.98),
    "C08": (0.9, 0.85),
    "C13": (1.0, 1.0),
    "C14": (0.95, 0.9),
    "C16": (0.95, 0.95),
    "C17": (0.98, 0.95),
    "E01": (1.0, 1.0),
    "E02": (1.0, 0.99),
    "E03": (1.0, 1.0),
    "E04": (0.99, 0.98),
    "E05": (0.95, 0.7),
    "E06": (0.98, 0.95),
    "E08": (0.9, 0.75),
    "E09": (0.9, 0.85),
    "E11": (1.0, 1.0),
    "E14": (0.95, 0.95),
    "L02": (0.98, 0.95),
    "L03": (0.99, 0.99),
    "L04": (0.65, 0.85),
    "L06": (0.8, 0.7),
    "T01": (0.95, 0.98),
    "T02": (0.9, 0.85),
    "T08": (0.95, 0.9),
    "T14": (0.0, 0.99),
    "X01": (0.9, 1.0),
    "X02": (0.0, 0.99),
    "X03": (0.99, 0.97),
    "X04": (1.0, 1.0),
    "X05": (0.95, 0.95),
}
"""CHECKS.md, column "measure", at 1 % and medium: precision, recall. E05 and E08 have their medium row of three."""

BY_SEVERITY: Mapping[str, tuple[float, float]] = {"critical": (0.0, 0.99), "high": (0.8, 0.85)}
"""The issue's: precision, recall; a critical check has false positives on at most `FALSE_SHARE` of rows instead."""
OF_CHECK: Mapping[str, tuple[float, float]] = {"L04": (0.65, 0.85), "T01": (0.95, 0.98), "C17": (0.95, 0.98)}
FALSE_SHARE = 0.001
LEAST = 10
"""Injected errors of all seeds together below which a base says nothing of a check."""


@dataclass
class Cell:
    """One check (or a baseline beside it) on one dirty set, or on several added up."""

    injected: int = 0
    """Errors that should be found; those on rows that it flagged before any were injected are left out."""
    right: int = 0
    wrong: int = 0
    """Flagged, not injected, and not flagged on the untouched data."""
    before: int = 0
    """Flagged, not injected, and flagged on the untouched data too: its own dirt, or a false alarm there."""
    elsewhere: int = 0
    """Of `wrong`, those on rows that another injector hurt (mixed dirt only)."""
    wrong_acting: int = 0
    """Of `wrong`, those with an action above warn."""
    right_acting: int = 0
    rows: int = 0
    precision_curve: list[float] = field(default_factory=list)
    """Average precision of each run whose scores differ."""
    kinds: Counter[tuple[str, bool]] = field(default_factory=Counter)
    """(kind, found) → errors."""
    problems: Counter[tuple[str, bool]] = field(default_factory=Counter)
    """(problem, right) → findings."""

    @property
    def recall(self) -> float:
        return self.right / self.injected if self.injected else float("nan")

    @property
    def precision(self) -> float:
        """Of what it flags beyond the untouched data."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else float("nan")

    @property
    def precision_raw(self) -> float:
        """Of everything it flags: on real data its own dirt counts as wrong."""
        flagged = self.right + self.wrong + self.before
        return self.right / flagged if flagged else float("nan")

    @property
    def precision_explained(self) -> float:
        """As `precision`, where a row that another injector hurt is not wrong to flag."""
        flagged = self.right + self.wrong - self.elsewhere
        return self.right / flagged if flagged else float("nan")

    @property
    def f1(self) -> float:
        if self.right == 0:
            return 0.0
        return 2 * self.precision * self.recall / (self.precision + self.recall)

    @property
    def false_share(self) -> float:
        return self.wrong / self.rows if self.rows else 0.0


def pairs_of(findings: pa.Table, check: str) -> dict[Pair, list[dict[str, Any]]]:
    """(family, row) → what one check says of it."""
    found: dict[Pair, list[dict[str, Any]]] = {}
    names = ("check_id", "family", "row_id", "problem", "score", "action")
    for row in findings.select(list(names)).to_pylist():
        if row["check_id"] == check:
            found.setdefault((row["family"], row["row_id"]), []).append(row)
    return found


def judge(
    found: Mapping[Pair, list[dict[str, Any]]],
    truth: Iterable[Mapping[str, Any]],
    *,
    check: str,
    before: Iterable[Pair],
    rows: int,
) -> Cell:
    """Hold what was flagged against what was injected.

    Args:
        found: as `pairs_of` gives it.
        truth: rows of `dirt.TRUTH`, of all checks.
        check: whose truth it is.
        before: what was flagged on the untouched data.
        rows: of all families that the check looks at.
    """
    known = set(before)
    kinds: dict[Pair, str] = {}
    allowed: set[Pair] = set()
    others: set[Pair] = set()
    for row in truth:
        pair = (row["family"], row["row_id"])
        if row["check"] != check:
            others.add(pair)
        elif row["kind"].startswith(IMPLIED):
            allowed.add(pair)
        elif pair not in known:
            kinds[pair] = row["kind"]
        else:
            allowed.add(pair)
    cell = Cell(injected=len(kinds), rows=rows)
    ordered: list[tuple[float, bool]] = []
    for pair, lines in found.items():
        acting = any(line["action"] != "warn" for line in lines)
        score = max((line["score"] for line in lines if line["score"] is not None), default=1.0)
        if pair in kinds:
            cell.right += 1
            cell.right_acting += acting
        elif pair in allowed:
            continue
        elif pair in known:
            cell.before += 1
            continue
        else:
            cell.wrong += 1
            cell.wrong_acting += acting
            cell.elsewhere += pair in others
        ordered.append((score, pair in kinds))
        for problem in {line["problem"] for line in lines}:
            cell.problems[(problem, pair in kinds)] += 1
    for pair, kind in kinds.items():
        cell.kinds[(kind, pair in found)] += 1
    if len({score for score, _ in ordered}) > 1 and kinds:
        cell.precision_curve.append(_average_precision(ordered, len(kinds)))
    return cell


def _average_precision(ordered: list[tuple[float, bool]], total: int) -> float:
    """Area under precision against recall, ties together; errors that were never flagged add nothing."""
    area, right, seen = 0.0, 0, 0
    by_score: dict[float, list[bool]] = {}
    for score, good in ordered:
        by_score.setdefault(score, []).append(good)
    for score in sorted(by_score, reverse=True):
        gained = sum(by_score[score])
        right, seen = right + gained, seen + len(by_score[score])
        area += gained / total * right / seen
    return area


def pool(cells: Iterable[Cell]) -> Cell:
    """Counts of several runs added up."""
    whole = Cell()
    for cell in cells:
        for name in ("injected", "right", "wrong", "before", "elsewhere", "wrong_acting", "right_acting", "rows"):
            setattr(whole, name, getattr(whole, name) + getattr(cell, name))
        whole.precision_curve += cell.precision_curve
        whole.kinds += cell.kinds
        whole.problems += cell.problems
    return whole


def verdict(check: str, severity: str, cell: Cell) -> list[tuple[str, bool, str]]:
    """(target, met, figures) of one check at 1 % and medium."""
    if cell.injected < LEAST and check not in FEW:
        return []
    said = []
    precision, recall = OF_CHECK.get(check, BY_SEVERITY.get(severity, (0.0, 0.0)))
    if severity == "critical" and check not in OF_CHECK:
        met = cell.recall >= recall and cell.false_share <= FALSE_SHARE
        said.append((f"recall >= {recall}, false <= 0.1 %", met, f"{cell.recall:.3f}, {cell.false_share:.3%}"))
    elif recall:
        met = cell.recall >= recall and cell.precision >= precision
        figures = f"P {cell.precision:.3f}, R {cell.recall:.3f}"
        said.append((f"P >= {precision}, R >= {recall}", met, figures))
    if check in TARGETS:
        precision, recall = TARGETS[check]
        met = cell.recall >= recall and (cell.precision >= precision or not cell.right + cell.wrong)
        said.append((f"catalogue P {precision}, R {recall}", met, f"P {cell.precision:.3f}, R {cell.recall:.3f}"))
    acting = cell.right_acting + cell.wrong_acting
    if acting:
        share = cell.right_acting / acting
        said.append(("acting P >= 0.5", share >= 0.5, f"P {share:.3f}"))
    return said


FEW = ("C16", "E11", "E14", "X01", "X02", "X04", "X05", "X06", "X11", "X12", "X13", "T14")
"""One error spoils a whole file: a few injected ones are all there are."""
