"""Does C16 see a bad delivery, and leave good ones alone? Sixty clean days, then each kind of fault on days of its own.

python benchmarks/batch_history.py --seeds 11 12 13
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import base as bases
from benchmarks.dirt import changed
from mercer.quality.check import Inputs, find
from mercer.quality.measure_batch import HISTORY, history_table, measure

Hurt = Callable[[pa.Table, str, Any], pa.Table]
DAYS, FAULTS = 60, 20


def half(table: pa.Table, _column: str, rng: Any) -> pa.Table:
    return table.slice(0, int(len(table) * rng.uniform(0.4, 0.6)))


def doubled(table: pa.Table, _column: str, _rng: Any) -> pa.Table:
    return pa.concat_tables([table, table])


def shuffled(table: pa.Table, column: str, rng: Any) -> pa.Table:
    at = table.schema.get_field_index(column)
    return table.set_column(at, table.schema.field(at), table[column].take(pa.array(rng.permutation(len(table)))))


def emptied(table: pa.Table, column: str, rng: Any) -> pa.Table:
    rows = rng.permutation(len(table))[: int(0.3 * len(table))]
    return changed(table.combine_chunks(), column, dict.fromkeys(rows.tolist()))


def constant(table: pa.Table, column: str, _rng: Any) -> pa.Table:
    return changed(table.combine_chunks(), column, dict.fromkeys(range(len(table)), table[column][0].as_py()))


HURTS: dict[str, Hurt] = {
    "half": half,
    "doubled": doubled,
    "shuffled": shuffled,
    "emptied": emptied,
    "constant": constant,
}
COLUMNS = {
    "products": ("price", "brand", "category"),
    "events": ("price", "type", "product"),
    "reviews": ("rating", "text"),
}


def day(table: pa.Table, rng: Any) -> pa.Table:
    """A day's delivery: 70 to 80 % of the rows, with weekly ups and downs of the count."""
    return table.take(pa.array(np.sort(rng.permutation(len(table))[: int(len(table) * rng.uniform(0.7, 0.8))])))


def blocked(family: str, table: pa.Table, history: list[dict[str, dict[str, float]]]) -> bool:
    """Whether C16 blocks a delivery."""
    declared = find("C16")
    settings = declared.settings()
    inputs: Inputs[pa.Table] = Inputs({family: table, HISTORY: history_table(history)}, 0)
    found = list(declared(inputs, settings))
    return any(item.rows.num_rows and declared.action(item.problem, settings) == "block" for item in found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--base", default="sample")
    words = parser.parse_args()
    base = bases.load(words.base, quick=True)
    for family, columns in COLUMNS.items():
        if family not in base:
            continue
        alarms, days, seen, asked = 0, 0, dict.fromkeys(HURTS, 0), dict.fromkeys(HURTS, 0)
        for seed in words.seeds:
            rng = np.random.default_rng([seed, 16])
            history: list[dict[str, dict[str, float]]] = []
            for _ in range(DAYS):
                table = day(base[family].table, rng)
                alarms += blocked(family, table, history)
                days += len(history) >= 8
                history.append({family: measure(family, table)})
            for name, hurt in HURTS.items():
                for number in range(FAULTS):
                    column = columns[number % len(columns)]
                    seen[name] += blocked(family, hurt(day(base[family].table, rng), column, rng), history)
                    asked[name] += 1
        right, total = sum(seen.values()), sum(asked.values())
        recall, precision = right / total, right / max(1, right + alarms * total / max(1, days))
        score = 2 * precision * recall / max(1e-9, precision + recall)
        print(f"{family}: false alarms on {alarms} of {days} days; F1 {score:.3f};",
              {name: round(seen[name] / asked[name], 2) for name in HURTS})  # fmt: skip


if __name__ == "__main__":
    main()
