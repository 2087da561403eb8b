"""Do the checks help? Search, recommendation and sentiment on untouched, dirty and checked data.

    recovery = (checked - dirty) / (oracle - dirty)        harm = (checked untouched - untouched) / untouched

Catalogues, events and reviews are hurt by the injectors of benchmarks/dirt (search: what is indexed; recommendation:
what lies before the split by time; sentiment: what is learnt from); what is measured on is never touched. `checked` is
what the checks let through even where the gate blocked the batch; `gate` is what a shop serves: the data before, then.
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
from benchmarks.recovery import SYSTEMS, Cell, Recovery, recover  # noqa: E402
from benchmarks.task_opinion import Opinion, flipped, macro  # noqa: E402
from benchmarks.task_recommend import Later  # noqa: E402
from benchmarks.task_search import Shelf  # noqa: E402
from mercer.measure.compare import compare  # noqa: E402
from mercer.quality.check import registry  # noqa: E402
from mercer.quality.run import Checked, check  # noqa: E402

SEEDS = (11, 12, 13, 14, 15)
CATALOGUE = ("C01", "C02", "C03", "C06", "C07", "C08", "C14", "C17")
LOG = ("E01", "E02", "E03", "E05", "E06", "E08", "E09")
ATTACKS = ("E08", "E09")
"""Checks of dirt by which some products are to gain."""
GOODS = {"online_retail": "^[0-9]{5}"}
"""Stock codes of goods; POST, DOT, M, BANK CHARGES and the like are lines of a bill (its description says so)."""
REVIEWS = ("C01", "C07", "T01", "T02", "T08")
MEASURED = {
    "search": "nDCG@10 of each query, the search door's ranking",
    "recommendation": "NDCG@10 of each shopper by item-knn, split by time, over the whole catalogue",
    "sentiment": "Macro-F1 of TF-IDF of characters and logistic regression on reviews that stand once",
}
FIRST = " (by words and meaning: at most the first three)"
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
        self.after_checks = self.measure(self.cleaned.trusted[self.family])


def checked(base: Mapping[str, Any], tables: Mapping[str, pa.Table]) -> Checked:
    """All checks as a shop runs them."""
    return check(bases.raws_of(base, tables), now=bases.now_of(base))


_DONE: dict[Any, tuple[Tables, pa.Table, Checked]] = {}
"""Dirty and checked tables, which search by words and by meaning share."""


@dataclass(frozen=True)
class Run:
    """What one seed of one cell gave."""

    values: Mapping[str, NDArray[np.float64]]
    blocked: bool
    taken: float
    gain: Mapping[str, tuple[float, float, float]]


def spoil(task: Task, cell: Cell, inject: Inject, seed: int) -> Run:
    """One seed of one cell."""
    key = (task.label.partition(" ")[0], cell.dirt, cell.rate, seed)
    if key not in _DONE:
        tables, truth = inject(tables_of(task.base), seed)
        _DONE[key] = tables, truth, checked(task.base, tables)
    tables, truth, result = _DONE[key]
    values = {"oracle": task.oracle, "dirty": task.measure(tables[task.family])}
    values["checked"] = task.measure(result.trusted[task.family])
    values["gate"] = task.after_checks if result.gate.blocked else values["checked"]
    gain = {}
    if task.later is not None and cell.dirt in ATTACKS:
        for name, of in (("popularity", task.later.standing), ("exposure", task.later.exposure)):
            gain[name] = _lift(task, of, (tables, truth, result))
    taken = len(result.quarantine[task.family]) / max(1, len(tables[task.family]))
    return Run(values, result.gate.blocked, taken, gain)


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
    later = Later(whole["events"].table.slice(0, 150_000), goods=GOODS.get(name, ""))
    base = {"products": whole["products"], "events": replace(whole["events"], table=later.before)}
    task = Task("recommendation", base, "events", later.measure, name, later=later)
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
            cell = Cell(task.name, task.label, name, rate)
            for seed in given.seeds[:3] if task.label.endswith("hybrid") else given.seeds:
                started, key = time.perf_counter(), f"{task.name}/{task.label}/{name}/{rate}/{seed}"
                if key not in runs:
                    runs[key] = spoil(task, cell, inject, seed)
                    if given.keep:
                        write_down(given.keep, key, runs[key])
                add(cell, runs[key])
                said = ", ".join(f"{system} {float(np.mean(runs[key].values[system])):.4f}" for system in SYSTEMS)
                block = " blocked" if runs[key].blocked else ""
                print(f"{key}: {said}{block} {time.perf_counter() - started:.1f} s", file=sys.stderr, flush=True)
            if task.metric is None:
                found.append((cell, recover(cell, seed=1)))
            else:
                right = replace_values(cell, task.labels)  # type: ignore[attr-defined]
                found.append((cell, recover(right, seed=1, metric=task.metric(cell))))
    return found, harms


def replace_values(cell: Cell, labels: NDArray[np.float64]) -> Cell:
    """The cell with 1 where a review was judged rightly, for the paired test; its macro-F1 comes from the labels."""
    values = {name: [(said == labels).astype(float) for said in runs] for name, runs in cell.values.items()}
    return replace(cell, values=values)


def recovery_table(found: list[tuple[Cell, Recovery]]) -> list[str]:
    lines = [
        "| task | base | dirt | rate | untouched | dirty | checked | gate on | taken | blocked | recovery | 95 % | p |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for cell, of in found:
        ratio = f"{of.value:.0%}" if of.loss_is_real else "no loss"
        ends = f"{of.low:.0%} to {of.high:.0%}" if of.loss_is_real else ""
        worse = of.checked < of.dirty if not of.loss_is_real else of.value <= 0
        lines.append(
            f"| {cell.task} | {cell.base} | {cell.dirt} | {cell.rate:.0%} | {of.oracle:.4f} | {of.dirty:.4f} | "
            f"{of.checked:.4f} | {of.gate:.4f} | {np.mean(cell.taken):.1%} | {sum(cell.blocked)}/{cell.seeds} | "
            f"{'**' if worse else ''}{ratio}{'**' if worse else ''} | {ends} | {of.p:.3f} |"
        )
    return lines


def attacks(found: list[tuple[Cell, Recovery]]) -> list[str]:
    """Of each attack, what its products gained and how much of that the checks took back."""
    lines = [
        "| attack | base | rate | of what | before | attacked | checked | gain removed, by seed | all | target 80 % |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for cell, _ in found:
        for name, runs in cell.lift.items():
            before, under, after = np.mean(runs, axis=0)
            each = ", ".join(f"{(u - a) / (u - b):.0%}" if u > b else "no gain" for b, u, a in runs)
            gained = under > before
            share = (under - after) / (under - before) if gained else float("nan")
            met = ("pass" if share >= 0.8 else "**miss**") if gained else "no gain"
            all_ = f"{share:.0%}" if gained else ""
            lines.append(
                f"| {cell.dirt} | {cell.base} | {cell.rate:.0%} | {name} | {before:.4f} | {under:.4f} | {after:.4f} | "
                f"{each} | {all_} | {met} |"
            )
    return lines if len(lines) > 2 else []


def harm_table(harms: list[dict[str, Any]]) -> list[str]:
    lines = [
        "| task | base | untouched | checked | harm | 95 % of the difference | taken | target -0.5 % |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in harms:
        lines.append(
            f"| {row['task']} | {row['base']} | {row['untouched']:.4f} | {row['checked']:.4f} | {row['harm']:+.2%} | "
            f"{row['low']:+.4f} to {row['high']:+.4f} | {row['taken']:.2%} | {'pass' if row['met'] else '**miss**'} |"
        )
    return lines


def lost(found: list[tuple[Cell, Recovery]]) -> list[str]:
    """Cells where the checks won nothing back, or made it worse: they are never left out."""
    said = []
    for cell, of in found:
        if (of.loss_is_real and of.value <= 0) or (not of.loss_is_real and of.checked < of.dirty):
            kind = "a real loss, nothing won back" if of.loss_is_real else "no real loss, and the checks cost something"
            said.append(
                f"- {cell.task}, {cell.base}, {cell.dirt} {cell.rate:.0%}: {of.dirty:.4f} → {of.checked:.4f}, {kind}"
            )
    return said or ["- none"]


def report(
    found: list[tuple[Cell, Recovery]], harms: list[dict[str, Any]], given: argparse.Namespace, today: str
) -> str:
    """The section of RESULTS.md of one task."""
    name = harms[0]["task"]
    mixes = [(cell, of) for cell, of in found if cell.dirt == "mixed" and of.loss_is_real]
    met = [of.value >= 0.6 for _, of in mixes]
    parts = [
        f"## downstream, {name}: what the checks win back",
        f"{today}, seeds {', '.join(map(str, given.seeds))}{FIRST if name == 'search' else ''}, "
        f"`python benchmarks/downstream.py {' '.join(sys.argv[1:])}`. {MEASURED[name]}; difficulty medium. Intervals "
        "resample units, paired; p is of checked against dirty. Bold: nothing won back. `taken` is the share of rows "
        "that left trusted data; `gate on` is what a shop serves: the data before, where the batch was blocked.",
        f"Mixed dirt, recovery ≥ 60 %: {sum(met)} of {len(met)} cells with a real loss. "
        f"Harm ≥ −.5 %: {sum(row['met'] for row in harms)} of {len(harms)} sets.",
        "\n".join(recovery_table(found)),
        "### Harm on untouched data",
        "\n".join(harm_table(harms)),
    ]
    if attacks(found):
        said = (
            "`popularity`: mean place of the attacked products by popularity (1 is the top). `exposure`: their share "
            "of everyone's best 20 by item-knn and popularity."
        )
        parts += ["### Attacks", said, "\n".join(attacks(found))]
    parts += ["### Cells with recovery ≤ 0", "\n".join(lost(found))]
    return "\n\n".join(parts)


def plot(told: Mapping[str, Any], path: Path) -> bool:
    """nDCG@10 against injected corruption, gate on and off, of the search base with most rates; False without any."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure
    from matplotlib.ticker import PercentFormatter

    mixes = [cell for cell in told["cells"] if (cell["task"], cell["dirt"]) == ("search", "mixed")]
    labels = [cell["base"] for cell in mixes]
    if not labels:
        return False
    label = max(labels, key=lambda name: (labels.count(name), name.startswith("esci150")))
    cells = sorted((cell for cell in mixes if cell["base"] == label), key=lambda cell: cell["rate"])
    start = next(row for row in told["harm"] if row["base"] == label)
    rates = [0.0, *(cell["rate"] for cell in cells)]
    lines = {
        "gate off": ("#b2432f", "-", "dirty", start["untouched"]),
        "checks, gate overridden": ("#8a8a8a", "--", "checked", start["checked"]),
        "gate on": ("#2a6f97", "-", "gate", start["checked"]),
    }
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "mercer", "font.family": "sans-serif"}):
        figure = Figure(figsize=(6.4, 3.6), layout="constrained")
        axes = figure.subplots()
        for name, (colour, style, key, first) in lines.items():
            values = [first, *(cell[key] for cell in cells)]
            axes.plot(rates, values, style, color=colour, marker="o", markersize=4, label=name, linewidth=1.8)
            if style == "-":
                ends = [(min(cell["by_seed"][key]), max(cell["by_seed"][key])) for cell in cells]
                axes.fill_between(rates[1:], *zip(*ends, strict=True), color=colour, alpha=0.12, linewidth=0)
        blocked = [(cell["rate"], cell["gate"]) for cell in cells if cell["blocked"] * 2 > len(cell["by_seed"]["gate"])]
        if blocked:
            ring = {"color": "#2a6f97", "markersize": 9, "fillstyle": "none"}
            axes.plot(*zip(*blocked, strict=True), "s", label="batch blocked, the last good one serves", **ring)
        axes.set_xlabel("share of products hurt, all kinds of dirt at once")
        axes.set_ylabel("nDCG@10")
        axes.set_title(f"Search on {label}, band: lowest and highest seed", fontsize=10, loc="left")
        axes.xaxis.set_major_formatter(PercentFormatter(1.0))
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", alpha=0.25)
        axes.legend(frameon=False, fontsize=9)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, metadata={"Date": None})
    return True


def summary(
    found: list[tuple[Cell, Recovery]], harms: list[dict[str, Any]], given: argparse.Namespace, today: str
) -> dict[str, Any]:
    """What downstream.json keeps of one task."""
    cells = [
        {
            "task": cell.task,
            "base": cell.base,
            "dirt": cell.dirt,
            "rate": cell.rate,
            "date": today,
            "seeds": list(given.seeds[: cell.seeds]),
            **{name: round(getattr(of, name), 5) for name in ("oracle", "dirty", "checked", "gate", "p")},
            "recovery": round(of.value, 4) if of.loss_is_real else None,
            "interval": [round(of.low, 4), round(of.high, 4)] if of.loss_is_real else None,
            "blocked": sum(cell.blocked),
            "by_seed": {name: [round(float(run.mean()), 5) for run in cell.values[name]] for name in SYSTEMS},
            "gain": {name: np.round(runs, 5).tolist() for name, runs in cell.lift.items()},
        }
        for cell, of in found
    ]
    return {"cells": cells, "harm": harms}


def keep(told: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """downstream.json with what was measured now in place of what it had of the same bases."""
    before = json.loads(path.read_text("utf-8")) if path.exists() else {"cells": [], "harm": []}
    now = {(row["task"], row["base"]) for row in told["harm"]}
    whole = {
        name: [row for row in before[name] if (row["task"], row["base"]) not in now] + list(told[name])
        for name in ("cells", "harm")
    }
    path.write_text(json.dumps(whole, indent=1) + "\n", "utf-8")
    return whole


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
