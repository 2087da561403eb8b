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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import base as bases  # noqa: E402
from benchmarks.dirt import TRUTH, Tables, injectors, mixed  # noqa: E402
from benchmarks.dirty_shop import replace_section, tables_of  # noqa: E402
from benchmarks.downstream_report import MEASURED, keep, plot, report, summary  # noqa: E402
from benchmarks.recovery import AFTER, FIRST, SYSTEMS, Cell, Recovery, recover  # noqa: E402
from benchmarks.task_opinion import Opinion, flipped, macro  # noqa: E402
from benchmarks.task_recommend import Later  # noqa: E402
from benchmarks.task_search import Shelf  # noqa: E402
from mercer.doors.copies import left_out  # noqa: E402
from mercer.measure.compare import compare  # noqa: E402
from mercer.quality.check import registry  # noqa: E402
from mercer.quality.last_good import Before  # noqa: E402
from mercer.quality.run import Checked, check  # noqa: E402
from mercer.records import Product  # noqa: E402

SEEDS = (11, 12, 13, 14, 15)
CATALOGUE = ("C01", "C02", "C03", "C06", "C07", "C08", "C14", "C17")
LOG = ("E01", "E02", "E03", "E05", "E06", "E08", "E09")
ATTACKS = ("E08", "E09")
"""Checks of dirt by which some products are to gain."""
GOODS = {"online_retail": "^[0-9]{5}"}
"""Stock codes of goods; POST, DOT, M, BANK CHARGES and the like are lines of a bill (its description says so)."""
REVIEWS = ("C01", "C07", "T01", "T02", "T08")
PLOTTED = (0.01, 0.05, 0.1, 0.2, 0.4)
Measure = Callable[[pa.Table], NDArray[np.float64]]
Inject = Callable[[Tables, int], tuple[Tables, pa.Table]]


@dataclass
class Task:
    """One base, what is measured on it, and its untouched figures."""

    name: str
    base: Mapping[str, Any]
    family: str
    measure: Measure
    label: str
    later: Later | None = None
    metric: Callable[[Cell], Mapping[str, Callable[[NDArray[np.int64]], float]]] | None = None

    def __post_init__(self) -> None:
        self.oracle = self.measure(self.base[self.family].table)
        self.cleaned = checked(self.base, tables_of(self.base))
        self.after_checks = self.measure(self.used(self.cleaned))

    @property
    def scenarios(self) -> tuple[str, ...]:
        """Rows of products alone go on serving: nothing else depends on what was accepted before."""
        return (AFTER, FIRST) if self.family == "products" else ("",)

    def used(self, result: Checked) -> pa.Table:
        """What is indexed or learnt from of a checked batch."""
        table = result.trusted[self.family]
        if self.family != "products":
            return table
        products = {row["id"]: Product.from_row(row) for row in table.to_pylist()}
        copies = left_out(products, table.select(["row_id", "id"]), result.findings, result.served)
        return table.filter(pc.invert(pc.is_in(table["id"], value_set=pa.array(sorted(copies), pa.string()))))


def checked(
    base: Mapping[str, Any], tables: Mapping[str, pa.Table], before: Checked | None = None, kept: Path | None = None
) -> Checked:
    """All checks as a shop runs them, after a batch that was accepted before."""
    accepted = before and Before(before.version, before.trusted["products"], before.served)
    return check(bases.raws_of(base, tables), now=bases.now_of(base), before=accepted, kept=kept)


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


def by_check(id: str, rate: float, difficulty: Any = "medium") -> Inject:
    return lambda tables, seed: injectors()[id].inject(tables, rate, difficulty, seed)


def by_all(ids: Sequence[str], rate: float) -> Inject:
    """All of these at once, about `rate` of the rows."""
    return lambda tables, seed: mixed.inject(tables, rate, "medium", seed, checks=known(ids))


def by_flips(rate: float) -> Inject:
    return lambda tables, seed: (
        {**tables, "reviews": flipped(tables["reviews"], rate, seed)},
        TRUTH.empty_table(),
    )


def known(ids: Sequence[str]) -> list[str]:
    """Those that have an injector and a check."""
    return [id for id in ids if id in injectors() and id in registry()]


def search_task(name: str, system: str, given: argparse.Namespace) -> tuple[Task, list[tuple[str, float, Inject]]]:
    whole = bases.load(name, quick=True)
    shelf = Shelf(name, whole, vectors=given.cache)
    base = {"products": whole["products"]}  # nothing else is indexed, and checks of judgments take minutes
    task = Task("search", base, "products", partial(shelf.measure, system=system), f"{name} {system}")
    rates = (0.05, 0.2) if given.quick or system == "hybrid" else PLOTTED
    plans = [("mixed", rate, by_all(CATALOGUE, rate)) for rate in rates]
    if not given.plot_only and system == "lexical":
        plans += [(id, 0.2, by_check(id, 0.2)) for id in known(CATALOGUE)]
    return task, plans


def recommend_task(name: str, given: argparse.Namespace) -> tuple[Task, list[tuple[str, float, Inject]]]:
    whole = bases.load(name, quick=given.quick or name == "sample")
    events = whole["events"].table.slice(0, 150_000)
    later = Later(events, goods=GOODS.get(name, ""))
    base = {"products": whole["products"], "events": replace(whole["events"], table=later.before)}
    task = Task("recommendation", base, "events", later.measure, f"{name}, {len(events):,} events", later=later)
    plans = [("mixed", rate, by_all(LOG, rate)) for rate in (0.05, 0.2)]
    plans += [(id, 0.2 if id not in ATTACKS else 0.05, None) for id in known(LOG)]
    return task, [(id, rate, inject or by_check(id, rate)) for id, rate, inject in plans]


def opinion_task(given: argparse.Namespace) -> tuple[Task, list[tuple[str, float, Inject]]]:
    opinion = Opinion(bases.load("online_shopping", quick=given.quick)["reviews"].table)
    raw = bases.load("online_shopping", quick=given.quick)["reviews"]
    base = {"reviews": replace(raw, table=opinion.train)}

    def metric(cell: Cell) -> Mapping[str, Callable[[NDArray[np.int64]], float]]:
        return {name: partial(macro, opinion.labels, cell.values[name]) for name in SYSTEMS}

    task = Task("sentiment", base, "reviews", opinion.measure, "online_shopping", metric=metric)
    task.labels = opinion.labels  # type: ignore[attr-defined]  # for harm
    plans = [("flips", rate, by_flips(rate)) for rate in (0.05, 0.2, 0.4)]
    plans += [(id, 0.2, by_check(id, 0.2)) for id in known(REVIEWS)]
    plans += [("mixed", rate, by_all(REVIEWS, rate)) for rate in (0.05, 0.2)]
    return task, plans


def tasks(given: argparse.Namespace) -> Any:
    """Every task as the arguments ask, made when its turn comes."""
    if "search" in given.tasks:
        systems = {"esci150": ("lexical",) if given.quick else ("lexical", "hybrid"), "sample": ("lexical",)}
        for name, wanted in systems.items():
            for system in [one for one in wanted if one in given.systems and name in given.bases]:
                yield partial(search_task, name, system, given)
    if "recommendation" in given.tasks:
        for name in ("online_retail", "sample"):
            if name in given.bases:
                yield partial(recommend_task, name, given)
    if "sentiment" in given.tasks and "online_shopping" in given.bases:
        yield partial(opinion_task, given)


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
            replace_section(ROOT / "benchmarks" / "RESULTS.md", f"downstream {name}", text)
            told = keep(summary(found, mine, given, today), ROOT / "benchmarks" / "downstream.json")
            plot(told, ROOT / "docs" / "figures" / "gate.svg")


if __name__ == "__main__":
    main()
