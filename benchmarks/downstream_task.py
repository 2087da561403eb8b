"""The name of a base in; the task measured on it, and the dirt that it is hurt with, out."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from benchmarks import base as bases
from benchmarks.dirt import TRUTH, Tables, injectors, mixed
from benchmarks.dirty_cell import tables_of
from benchmarks.recovery import AFTER, FIRST, SYSTEMS, Cell
from benchmarks.task_opinion import Opinion, flipped, macro
from benchmarks.task_recommend import Later
from benchmarks.task_search import Shelf
from mercer.doors.copies import left_out
from mercer.quality.check import registry
from mercer.quality.last_good import Before
from mercer.quality.run import Checked, check
from mercer.records import Product

__all__ = ["ATTACKS", "Inject", "Task", "checked", "tasks"]

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
