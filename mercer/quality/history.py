"""Runs in; what each found of which check, as short lines that add up to a history, out."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mercer.quality.finding import FILE
from mercer.quality.quarantine import REMOVING

if TYPE_CHECKING:
    from mercer.quality.run import Checked

__all__ = ["LONGEST", "added", "line"]

LONGEST = 400
"""Runs that are remembered: a year of days and some."""


def line(checked: Checked) -> dict[str, Any]:
    """One run: when, which version, what the gate said, and rows that came, stayed and were found by family and check.

    ``checks`` is check → family → [rows with a finding, rows taken out].
    """
    found: dict[tuple[str, str], tuple[set[int], set[int]]] = {}
    names = ("check_id", "family", "row_id", "action")
    for id, family, row_id, action in zip(*(checked.findings[name].to_pylist() for name in names), strict=True):
        rows, out = found.setdefault((id, family), (set(), set()))
        if row_id != FILE:
            rows.add(row_id)
            if action in REMOVING:
                out.add(row_id)
    checks: dict[str, dict[str, list[int]]] = {}
    for (id, family), (rows, out) in sorted(found.items()):
        checks.setdefault(id, {})[family] = [len(rows), len(out)]
    return {
        "time": int(time.time() * 1000),
        "version": checked.version,
        "run_id": checked.manifest["run_id"],
        "gate": checked.gate.status,
        "rows": {family: dict(counts) for family, counts in checked.manifest["rows"].items()},
        "checks": checks,
        "measures": checked.manifest["measures"],
    }


def added(history: Sequence[Mapping[str, Any]], run: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The history with one run more; a run of the same data and settings takes the place of the one before it."""
    kept = [known for known in history if known["run_id"] != run["run_id"]]
    return [*kept, run][-LONGEST:]
