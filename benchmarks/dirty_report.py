"""Cells of dirty_shop.py in; the tables of RESULTS.md and what a report says of each check out."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from benchmarks import base as bases
from benchmarks.dirty_cell import Cells, rows_of, untouched
from benchmarks.score import Cell, pairs_of, pool, verdict
from mercer.quality.check import registry

__all__ = ["HEADLINE", "RATES", "report", "scores"]

RATES = (0.001, 0.01, 0.05, 0.2)
HEADLINE = (0.01, "medium")


def pooled(cells: Cells, **wanted: Any) -> Cell:
    """All cells with these values of `Key`, added up."""
    return pool(
        cell for key, cell in cells.items() if all(getattr(key, name) == value for name, value in wanted.items())
    )


def headline(cells: Cells) -> list[str]:
    """A row a check at 1 % and medium: Mercer beside the baselines, base by base, and which targets are missed."""
    lines = [
        "| check | base | system | injected | precision | recall | F1 | PR-AUC | raw P | on untouched | new false |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    groups = sorted(
        {
            (key.check, key.base, key.system != "mercer", key.system)
            for key in cells
            if not key.mixed and (key.rate, key.difficulty) == HEADLINE
        }
    )
    for check, name, _, system in groups:
        cell = pooled(cells, check=check, base=name, system=system, rate=0.01, difficulty="medium", mixed=False)
        area = f"{sum(cell.precision_curve) / len(cell.precision_curve):.3f}" if cell.precision_curve else ""
        seeds = len({key.seed for key in cells if (key.check, key.base, key.system) == (check, name, system)})
        lines.append(
            f"| {check} | {name} | {system} | {cell.injected} | {number(cell.precision)} | {number(cell.recall)} | "
            f"{cell.f1:.3f} | {area} | {number(cell.precision_raw)} | {cell.before / max(1, seeds):.0f} | "
            f"{cell.false_share:.3%} |"
        )
    return lines


def number(value: float) -> str:
    return "–" if value != value else f"{value:.3f}"


def acceptance(cells: Cells) -> list[str]:
    """Every check against its targets: pass, or miss with the figure and the base."""
    lines = ["| check | severity | target | result | where |", "|---|---|---|---|---|"]
    for check in sorted({key.check for key in cells if not key.mixed}):
        severity = registry()[check].severity
        names = sorted({key.base for key in cells if key.check == check and not key.mixed})
        wanted: dict[str, list[tuple[str, bool, str]]] = {}
        for name in names:
            cell = pooled(cells, check=check, base=name, system="mercer", rate=0.01, difficulty="medium", mixed=False)
            for target, met, figures in verdict(check, severity, cell):
                wanted.setdefault(target, []).append((name, met, figures))
        for target, said in wanted.items():
            missed = [f"{name}: {figures}" for name, met, figures in said if not met]
            where = "; ".join(missed) or "; ".join(f"{name}: {figures}" for name, _, figures in said)
            lines.append(f"| {check} | {severity} | {target} | {'**miss**' if missed else 'pass'} | {where} |")
    return lines


def sweep(cells: Cells) -> list[str]:
    """Precision and recall by rate and by difficulty, where these were run."""
    columns = [(rate, "medium") for rate in RATES] + [(0.01, "easy"), (0.01, "adversarial")]
    title = [f"{rate:.1%} {difficulty}" for rate, difficulty in columns]
    lines = ["| check | base | " + " | ".join(title) + " |", "|---|---|" + "---|" * len(columns)]
    groups = sorted(
        {(key.check, key.base) for key in cells if not key.mixed and (key.rate, key.difficulty) != HEADLINE}
    )
    for check, name in groups:
        shown = []
        for rate, difficulty in columns:
            cell = pooled(cells, check=check, base=name, rate=rate, difficulty=difficulty, system="mercer", mixed=False)
            shown.append(f"{number(cell.precision)} / {number(cell.recall)}" if cell.injected else "")
        lines.append(f"| {check} | {name} | " + " | ".join(shown) + " |")
    return lines


def mixture(cells: Cells) -> list[str]:
    """Each check under mixed dirt, all bases together."""
    lines = [
        "| check | injected | precision | precision, other dirt forgiven | recall | recall alone |",
        "|---|---|---|---|---|---|",
    ]
    for check in sorted({key.check for key in cells if key.mixed}):
        cell = pooled(cells, check=check, mixed=True)
        alone = pooled(cells, check=check, rate=0.01, difficulty="medium", mixed=False, system="mercer")
        lines.append(
            f"| {check} | {cell.injected} | {number(cell.precision)} | {number(cell.precision_explained)} | "
            f"{number(cell.recall)} | {number(alone.recall)} |"
        )
    return lines


def clean_table(given: argparse.Namespace) -> list[str]:
    """What each check says of untouched data: false alarms on the invented shop, elsewhere perhaps real dirt."""
    lines = ["| check | " + " | ".join(given.bases) + " |", "|---|" + "---|" * len(given.bases)]
    for check in registry():
        if given.checks and check not in given.checks:
            continue
        shown = []
        for name in given.bases:
            base = bases.load(name, quick=given.quick)
            rows = rows_of(check, base)
            lines_of = pairs_of(untouched(name, check, quick=given.quick), check) if rows else {}
            acting = sum(any(line["action"] != "warn" for line in found) for found in lines_of.values())
            shown.append(f"{len(lines_of)} ({acting} act) of {rows:,}" if rows else "")
        lines.append(f"| {check} | " + " | ".join(shown) + " |")
    return lines


def kinds(cells: Cells) -> list[str]:
    """Recall of each kind of dirt and precision of each problem, all bases together."""
    lines = []
    for check, difficulty in sorted({(key.check, key.difficulty) for key in cells if not key.mixed}):
        cell = pooled(cells, check=check, system="mercer", mixed=False, difficulty=difficulty)
        names = sorted({kind for kind, _ in cell.kinds})
        by_kind = ", ".join(
            f"{kind} {cell.kinds[kind, True]}/{cell.kinds[kind, True] + cell.kinds[kind, False]}" for kind in names
        )
        problems = sorted({problem for problem, _ in cell.problems})
        by_problem = ", ".join(
            f"{name} {cell.problems[name, True]}/{cell.problems[name, True] + cell.problems[name, False]}"
            for name in problems
        )
        lines.append(f"- {check} {difficulty}: found {by_kind or '–'}; right {by_problem or '–'}")
    return lines


def scores(cells: Cells, today: str) -> dict[str, Any]:
    """Check → what the report shows of it."""
    said = {}
    for check in sorted({key.check for key in cells if not key.mixed}):
        cell = pooled(cells, check=check, rate=0.01, difficulty="medium", system="mercer", mixed=False)
        mine = [key for key in cells if key.check == check and not key.mixed and (key.rate, key.difficulty) == HEADLINE]
        said[check] = {
            "precision": None if cell.precision != cell.precision else round(cell.precision, 4),
            "recall": round(cell.recall, 4),
            "f1": round(cell.f1, 4),
            "injected": cell.injected,
            "rate": 0.01,
            "difficulty": "medium",
            "seeds": sorted({key.seed for key in mine}),
            "bases": sorted({key.base for key in mine}),
            "version": registry()[check].version,
            "date": today,
        }
    return said


def report(cells: Cells, given: argparse.Namespace, today: str) -> str:
    """The section of RESULTS.md."""
    seeds = sorted({key.seed for key in cells})
    parts = [
        "## dirty_shop: what each check finds of injected dirt",
        f"{today}, seeds {', '.join(map(str, seeds))}, `python benchmarks/dirty_shop.py {' '.join(sys.argv[1:])}`. "
        "Precision is of findings that the untouched data did not have; raw P counts those too (real data has dirt "
        "of its own). The invented shop has none, so whatever is found there untouched counts as wrong.",
        "### Targets at 1 %, medium",
        "\n".join(acceptance(cells)),
        "### 1 %, medium, beside baselines on the same dirt",
        "\n".join(headline(cells)),
    ]
    if len({(key.rate, key.difficulty) for key in cells}) > 1:
        parts += ["### Precision / recall by rate and difficulty", "\n".join(sweep(cells))]
    if any(key.mixed for key in cells):
        parts += ["### All dirt at once (1 % of rows over all kinds)", "\n".join(mixture(cells))]
    parts += ["### Untouched data: rows flagged", "\n".join(clean_table(given))]
    if given.kinds or given.write:
        parts += ["### By kind of dirt, and by problem", "\n".join(kinds(cells))]
    return "\n\n".join(parts)
