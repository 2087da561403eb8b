"""Do the checks of splits, time, skew and ids (X02 to X06) find what is planted, and nothing else? Seeds 11 to 15.

python benchmarks/split_leaks.py
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.leakage import ratings  # noqa: E402
from mercer.quality.check import registry  # noqa: E402
from mercer.quality.moment import known_then  # noqa: E402
from mercer.quality.run import QualitySettings  # noqa: E402
from mercer.quality.training import check_training  # noqa: E402

Told = dict[str, object]
Case = tuple[str, str, Callable[[pa.Table, np.random.Generator], tuple[pa.Table, Told, set[int] | None]]]


def put(table: pa.Table, name: str, values: object) -> pa.Table:
    column = pa.array(values)
    if name in table.column_names:
        return table.set_column(table.schema.get_field_index(name), name, column)
    return table.append_column(name, column)


def sides(table: pa.Table, learned: np.ndarray) -> pa.Table:
    return put(table, "split", np.where(learned, "train", "test").tolist())


def by_time(table: pa.Table) -> pa.Table:
    return sides(table, np.arange(len(table)) < 0.8 * len(table))


def clean(table: pa.Table, _rng: np.random.Generator) -> tuple[pa.Table, Told, set[int] | None]:
    return by_time(noted(table)), {"split": "split", "time": "time", "log": table}, set()


def noted(table: pa.Table) -> pa.Table:
    rng = np.random.default_rng(5)
    bag = ["".join(rng.choice(list("abcdefghijklmnop"), 6)) for _ in range(400)]
    return put(table, "note", [" ".join(rng.choice(bag, 7)) for _ in range(len(table))])


def late_rows(table: pa.Table, rng: np.random.Generator) -> tuple[pa.Table, Told, set[int] | None]:
    learned = np.arange(len(table)) < 0.8 * len(table)
    wrong = rng.choice(np.flatnonzero(~learned), 20, replace=False)
    learned[wrong] = True
    return sides(table, learned), {"split": "split", "time": "time"}, set(wrong.tolist())


def known_later(table: pa.Table, rng: np.random.Generator) -> tuple[pa.Table, Told, set[int] | None]:
    known = np.asarray(table["time"]) - rng.integers(0, 10**7, len(table))
    wrong = rng.choice(len(table), len(table) // 20, replace=False)
    known[wrong] = np.asarray(table["time"])[wrong] + rng.integers(1, 10**7, len(wrong))
    return put(table, "priced", known), {"time": "time", "known": {"price": "priced"}}, set(wrong.tolist())


def future_window(table: pa.Table, rng: np.random.Generator) -> tuple[pa.Table, Told, set[int] | None]:
    codes = np.unique(table["item"].to_pylist(), return_inverse=True)[1]
    count, total = known_then(codes, np.asarray(table["time"], float), np.asarray(table["label"], float))
    mean = np.where(count > 0, total / np.maximum(count, 1), 3.0)
    wrong = rng.choice(len(table), len(table) // 20, replace=False)
    every = np.bincount(codes, weights=np.asarray(table["label"], float)) / np.bincount(codes)
    told = np.isfinite(mean) & (count > 0) & ~np.isclose(mean, every[codes])
    mean[wrong] = every[codes][wrong]
    return put(table, "mean", mean), {"time": "time", "add": "mean"}, {row for row in wrong.tolist() if told[row]}


def overlap(table: pa.Table, rng: np.random.Generator) -> tuple[pa.Table, Told, set[int] | None]:
    table = by_time(noted(table))
    border = int(0.8 * len(table))
    wrong, source = rng.choice(border, 60, replace=False), rng.integers(border, len(table), 60)
    notes, prices = table["note"].to_pylist(), table["price"].to_pylist()
    for number, (row, other) in enumerate(zip(wrong.tolist(), source.tolist(), strict=True)):
        words = notes[other].split()
        said = (words, words[1:] + words[:1], words[:-1], [*words, "extra"])[number % 4]
        notes[row], prices[row] = " ".join(said).upper() + "!" * (number % 3), prices[other]
    table = put(put(table, "note", notes), "price", prices)
    return table, {"split": "split", "time": "time", "add": "note"}, set(wrong.tolist())


def random_split(table: pa.Table, rng: np.random.Generator) -> tuple[pa.Table, Told, set[int] | None]:
    return sides(table, rng.random(len(table)) < 0.8), {"split": "split", "time": "time"}, None


def through_groups(table: pa.Table, rng: np.random.Generator) -> tuple[pa.Table, Told, set[int] | None]:
    return sides(table, rng.random(len(table)) < 0.8), {"split": "split", "groups": ["user"]}, None


def another_transform(table: pa.Table, rng: np.random.Generator) -> tuple[pa.Table, Told, set[int] | None]:
    price = np.asarray(table["price"])
    kinds = (price * 1.06, np.round(price), np.log1p(price), np.minimum(price, 40), np.where(price < 10, np.nan, price))
    log = put(table, "price", kinds[int(rng.integers(len(kinds)))])
    return table, {"log": log, "time": "time", "ids": ["user", "item"]}, None


def ids_in_text(table: pa.Table, _rng: np.random.Generator) -> tuple[pa.Table, Told, set[int] | None]:
    pairs = zip(table["user"].to_pylist(), table["item"].to_pylist(), strict=True)
    return put(table, "told", [f"user {user} sees item {item}" for user, item in pairs]), {"add": "told"}, None


CASES: tuple[Case, ...] = (
    ("X02", "train rows after the split, 20", late_rows),
    ("X02", "input known later, 5 %", known_later),
    ("X02", "mean over the future, 5 %", future_window),
    ("X03", "rows on both sides, 60, changed", overlap),
    ("X04", "split by chance", random_split),
    ("X04", "groups on both sides", through_groups),
    ("X05", "one transform differs", another_transform),
    ("X06", "ids in the text", ids_in_text),
)


def main() -> None:
    print("| check | planted | precision | recall |\n|---|---|---|---|")
    alarms: dict[str, int] = {}
    for seed in range(11, 16):
        for id, rows in found(ratings(seed), clean, seed, ("X01", "X02", "X03", "X04", "X05", "X06")).items():
            alarms[id] = alarms.get(id, 0) + len(rows)
    for id, name, plant in CASES:
        right = told = asked = 0
        for seed in range(11, 16):
            _, _, wrong = plant(ratings(seed), np.random.default_rng(seed))
            rows = found(ratings(seed), plant, seed, (id,)).get(id, set())
            truth = {-1} if wrong is None else wrong
            right, told, asked = right + len(rows & truth), told + len(rows), asked + len(truth)
        print(f"| {id} | {name} | {right / max(1, told):.3f} | {right / asked:.3f} |", flush=True)
    print("\nfalse alarms on five clean tables:", json.dumps(alarms))


def found(table: pa.Table, plant: object, seed: int, ids: tuple[str, ...]) -> dict[str, set[int]]:
    made, told, _ = plant(table, np.random.default_rng(seed))  # type: ignore[operator]
    told = dict(told)
    inputs = ["category", "price", *([told.pop("add")] if "add" in told else [])]
    told = {"ids": ["user", "item"], **told}
    settings = QualitySettings(disable=tuple(id for id in registry() if id not in ids))
    rows = check_training(made, label="label", inputs=inputs, settings=settings, **told).findings.to_pylist()
    by_check: dict[str, set[int]] = {}
    for row in rows:
        if row["action"] != "warn":
            by_check.setdefault(row["check_id"], set()).add(row["row_id"])
    return by_check


if __name__ == "__main__":
    main()
