"""Do the checks help? Search, recommendation and sentiment on untouched, dirty and checked data.

    recovery = (checked - dirty) / (oracle - dirty)        harm = (checked untouched - untouched) / untouched

Catalogues, events and reviews are hurt by the injectors of benchmarks/dirt (search: what is indexed; recommendation:
what lies before the split by time; sentiment: what is learnt from); what is measured on is never touched. `checked` is
what the checks let through even where the gate blocked the batch; `gate` is what a shop serves: the data before, then.
Search knows two scenarios: a first load, and a dirty feed after a clean batch that was accepted and goes on serving.
Where untouched data is not better than dirty data (95 %), there was nothing to win back, and no ratio is given.

    python benchmarks/downstream.py --quick                  # two seeds, by words only, small bases
    python benchmarks/downstream.py --write                  # RESULTS.md, downstream.json, docs/figures/gate.svg
    python benchmarks/downstream.py --tasks search --bases esci150 --seeds 11 12 13
"""

from __future__ import annotations

import argparse
import datetime
import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import base as bases  # noqa: E402
from benchmarks import results  # noqa: E402
from benchmarks.dirt import Tables  # noqa: E402
from benchmarks.dirty_cell import tables_of  # noqa: E402
from benchmarks.downstream_report import MEASURED, keep, plot, report, summary  # noqa: E402
from benchmarks.downstream_task import ATTACKS, Inject, Task, checked, tasks  # noqa: E402
from benchmarks.recovery import AFTER, FIRST, SYSTEMS, Cell, Recovery, recover  # noqa: E402
from benchmarks.task_opinion import macro  # noqa: E402
from mercer.measure.compare import compare  # noqa: E402
from mercer.quality.run import Checked  # noqa: E402

SEEDS = (11, 12, 13, 14, 15)
_DONE: dict[Any, tuple[Tables, pa.Table, Mapping[str, Checked]]] = {}
"""Dirty and checked tables, which search by words and by meaning share."""


@dataclass(frozen=True)
class Run:
    """What one seed of one cell gave."""

    values: Mapping[str, NDArray[np.float64]]
    blocked: bool
    taken: float
    gain: Mapping[str, tuple[float, float, float]]


def spoil(task: Task, cell: Cell, inject: Inject, seed: int) -> dict[str, Run]:
    """One seed of one cell, by scenario."""
    key = (task.label.removesuffix(" hybrid").removesuffix(" lexical"), cell.dirt, cell.rate, seed)
    if key not in _DONE:
        tables, truth = inject(tables_of(task.base), seed)
        with tempfile.TemporaryDirectory() as kept:  # the second scenario asks no check again
            results = {
                scenario: checked(task.base, tables, task.cleaned if scenario == AFTER else None, Path(kept))
                for scenario in task.scenarios
            }
        _DONE[key] = tables, truth, results
    tables, truth, results = _DONE[key]
    dirty = task.measure(tables[task.family])
    runs = {}
    for scenario, result in results.items():
        values = {"oracle": task.oracle, "dirty": dirty, "checked": task.measure(task.used(result))}
        stands = result.gate.blocked and scenario != FIRST
        values["gate"] = task.after_checks if stands else values["checked"]
        gain = {}
        if task.later is not None and cell.dirt in ATTACKS:
            for name, of in (("popularity", task.later.standing), ("exposure", task.later.exposure)):
                gain[name] = _lift(task, of, (tables, truth, result))
        taken = len(result.quarantine[task.family]) / max(1, len(tables[task.family]))
        runs[scenario] = Run(values, result.gate.blocked, taken, gain)
    return runs


def add(cell: Cell, run: Run) -> None:
    """Put one seed into its cell."""
    for name in SYSTEMS:
        cell.values[name].append(run.values[name])
    cell.blocked.append(run.blocked)
    cell.taken.append(run.taken)
    for name, three in run.gain.items():
        cell.lift.setdefault(name, []).append(three)


def kept(path: Path | None) -> dict[str, Run]:
    """Runs that an earlier, stopped call wrote down; they are of the checks as they were then."""
    runs = {}
    for line in path.read_text("utf-8").splitlines() if path and path.exists() else ():
        told = json.loads(line)
        values = {name: np.array(column) for name, column in told["values"].items()}
        gain = {name: tuple(three) for name, three in told["gain"].items()}
        runs[told["key"]] = Run(values, told["blocked"], told["taken"], gain)
    return runs


def write_down(path: Path, key: str, run: Run) -> None:
    """Add a line a run."""
    values = {name: np.round(column, 6).tolist() for name, column in run.values.items()}
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"key": key, **asdict(run), "values": values}) + "\n")


def _lift(
    task: Task, of: Callable[[pa.Table, set[str]], float], run: tuple[Tables, pa.Table, Checked]
) -> tuple[float, float, float]:
    """What the attacked products have of something before the attack, under it, and after the checks."""
    tables, truth, result = run
    rows = [row for row in truth.to_pylist() if not row["kind"].startswith("implied")]
    ids = pa.array([row["row_id"] for row in rows], pa.int64())
    hurt = tables["events"].filter(pc.is_in(tables["events"]["row_id"], value_set=ids))
    targets = set(hurt["product"].to_pylist()) - {None}
    return tuple(  # type: ignore[return-value]  # three
        of(table, targets) for table in (task.base["events"].table, tables["events"], result.trusted["events"])
    )


def harm(task: Task) -> dict[str, Any]:
    """What the checks do to untouched data."""
    before, after = task.oracle, task.after_checks
    if task.name == "sentiment":
        labels = task.labels  # type: ignore[attr-defined]
        rows = np.arange(len(labels))
        means = macro(labels, [before], rows), macro(labels, [after], rows)
        before, after = (before == labels).astype(float), (after == labels).astype(float)
    else:
        means = float(before.mean()), float(after.mean())
    units = [str(number) for number in range(len(before))]
    pair = [dict(zip(units, column.tolist(), strict=True)) for column in (after, before)]
    versus = compare(*pair, seed=1)
    taken = len(task.cleaned.quarantine[task.family]) / max(1, len(task.base[task.family].table))
    return {
        "task": task.name,
        "base": task.label,
        "untouched": means[0],
        "checked": means[1],
        "harm": means[1] / means[0] - 1,
        "low": versus.low,
        "high": versus.high,
        "taken": taken,
        "blocked": task.cleaned.gate.blocked,
        "met": means[1] / means[0] - 1 >= -0.005,
    }


def measure(given: argparse.Namespace) -> tuple[list[tuple[Cell, Recovery]], list[dict[str, Any]]]:
    found, harms = [], []
    runs = kept(given.keep)
    for make in tasks(given):
        task, plans = make()
        harms.append(harm(task))
        print(harms[-1], file=sys.stderr, flush=True)
        for name, rate, inject in plans:
            if (given.dirt and name not in given.dirt) or (given.rates and rate not in given.rates):
                continue
            cells = {key: Cell(task.name, task.label, name, rate, scenario=key) for key in task.scenarios}
            for seed in given.seeds[:3] if task.label.endswith("hybrid") else given.seeds:
                _seed(task, cells, inject, seed, runs, given.keep)
            for cell in cells.values():
                right = cell if task.metric is None else replace_values(cell, task.labels)  # type: ignore[attr-defined]
                metric = None if task.metric is None else task.metric(cell)
                found.append((cell, recover(right, seed=1, metric=metric)))
    return found, harms


def _seed(
    task: Task, cells: Mapping[str, Cell], inject: Inject, seed: int, runs: dict[str, Run], keep: Path | None
) -> None:
    """One seed of the cells of all scenarios, unless it is among the `runs` done."""
    started, first = time.perf_counter(), next(iter(cells.values()))
    key = f"{task.name}/{task.label}/{first.dirt}/{first.rate}/{seed}"
    if not all(f"{key}/{scenario}" in runs for scenario in cells):
        for scenario, run in spoil(task, first, inject, seed).items():
            runs[f"{key}/{scenario}"] = run
            if keep:
                write_down(keep, f"{key}/{scenario}", run)
    for scenario, cell in cells.items():
        run = runs[f"{key}/{scenario}"]
        add(cell, run)
        said = ", ".join(f"{system} {float(np.mean(run.values[system])):.4f}" for system in SYSTEMS)
        block = " blocked" if run.blocked else ""
        print(f"{key}/{scenario}: {said}{block} {time.perf_counter() - started:.1f} s", file=sys.stderr, flush=True)


def replace_values(cell: Cell, labels: NDArray[np.float64]) -> Cell:
    """The cell with 1 where a review was judged rightly, for the paired test; its macro-F1 comes from the labels."""
    values = {name: [(said == labels).astype(float) for said in runs] for name, runs in cell.values.items()}
    return replace(cell, values=values)


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two seeds, search by words only, small bases")
    parser.add_argument("--tasks", nargs="*", default=["search", "recommendation", "sentiment"])
    parser.add_argument("--bases", nargs="*", default=list(bases.BASES))
    parser.add_argument("--dirt", nargs="*", default=[], help="only these kinds: mixed, flips, or ids of checks")
    parser.add_argument("--rates", nargs="*", type=float, default=[], help="only these")
    parser.add_argument("--keep", type=Path, help="write runs down here as they are done, and go on from there")
    parser.add_argument("--seeds", nargs="*", type=int, default=[])
    parser.add_argument("--plot-only", action="store_true", help="search: mixed dirt only")
    parser.add_argument("--systems", nargs="*", default=["lexical", "hybrid"], help="of search")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "mercer" / "benchmark-vectors")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args(argv)
    given.seeds = given.seeds or list(SEEDS[:2] if given.quick else SEEDS)
    return given


def main() -> None:
    given = arguments()
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    every, harms = measure(given)
    for name in MEASURED:
        found = [(cell, of) for cell, of in every if cell.task == name]
        mine = [row for row in harms if row["task"] == name]
        if not mine:
            continue
        text = report(found, mine, given, today)
        print(text, end="\n\n")
        if given.write:
            results.replace(f"downstream {name}", text)
            told = keep(summary(found, mine, given, today), ROOT / "benchmarks" / "downstream.json")
            plot(told, ROOT / "docs" / "figures" / "gate.svg")


if __name__ == "__main__":
    main()
