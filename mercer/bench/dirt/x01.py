"""A training table in, the same with an input that gives the label away out (X01)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from mercer.bench.dirt import Difficulty, Tables, Truth

CHECK = "X01"
FAMILY, LABEL, GROUP, TOLD = "training", "label", "item", "told"
"""The table has a graded or two-valued number `label` and a column `item`; the leak becomes the input `told`."""
NOISE = {"easy": 0.0, "medium": 0.1, "adversarial": 0.25}
"""Of a standard deviation of the label."""
WRONG = {"easy": 0.0, "medium": 0.02, "adversarial": 0.08}
"""Share of rows in which a code or word is another's."""
SHOWN = {"easy": 1.0, "medium": 0.6, "adversarial": 0.1}
"""Share of rows whose text has the label."""
WORDS = ("zero", "one", "two", "three", "four", "five", "six")
FILL = ("warm", "late", "soft", "nice", "wide", "茶", "好", "2", "box", "4", "new", "slow")

Kind = Callable[[np.ndarray, np.ndarray, Difficulty, np.random.Generator], pa.Array]


def text(label: np.ndarray, _group: np.ndarray, difficulty: Difficulty, rng: np.random.Generator) -> pa.Array:
    shown = rng.random(len(label)) < SHOWN[difficulty]
    said = [f"with rating {value:g}" if show else "" for value, show in zip(label, shown, strict=True)]
    return pa.array([f"{_fill(rng)} {words} {_fill(rng)}" for words in said])


def word(label: np.ndarray, _group: np.ndarray, difficulty: Difficulty, rng: np.random.Generator) -> pa.Array:
    code = _wrong(np.unique(label, return_inverse=True)[1], difficulty, rng)
    return pa.array([f"评价 {_fill(rng)} 共{WORDS[value]} stars" for value in code])


def invisible(label: np.ndarray, _group: np.ndarray, difficulty: Difficulty, rng: np.random.Generator) -> pa.Array:
    code = _wrong(np.unique(label, return_inverse=True)[1], difficulty, rng)
    return pa.array([f"{_fill(rng)}{chr(0x200B) * int(value)} {_fill(rng)}" for value in code])


def copy(label: np.ndarray, _group: np.ndarray, difficulty: Difficulty, rng: np.random.Generator) -> pa.Array:
    values = np.unique(label)
    return pa.array(values[_wrong(np.unique(label, return_inverse=True)[1], difficulty, rng)])


def noisy(label: np.ndarray, _group: np.ndarray, difficulty: Difficulty, rng: np.random.Generator) -> pa.Array:
    spread = (NOISE[difficulty] + 0.05) * label.std()
    return pa.array(100 - 7.5 * (label + rng.normal(0, spread, len(label))))


def above(label: np.ndarray, _group: np.ndarray, difficulty: Difficulty, rng: np.random.Generator) -> pa.Array:
    high = (label > np.median(label) - 1e-9 if len(np.unique(label)) > 2 else label > label.min()).astype(np.int64)
    return pa.array(_wrong(high, difficulty, rng))


def code(label: np.ndarray, _group: np.ndarray, difficulty: Difficulty, rng: np.random.Generator) -> pa.Array:
    """Some twenty codes, each of one label."""
    number = _wrong(np.unique(label, return_inverse=True)[1], difficulty, rng)
    return pa.array(
        [f"K{(value * 31 + pick * 7) % 97}" for value, pick in zip(number, rng.integers(0, 4, len(label)), strict=True)]
    )


def missing(label: np.ndarray, _group: np.ndarray, difficulty: Difficulty, rng: np.random.Generator) -> pa.Array:
    high = np.asarray(above(label, _group, difficulty, rng)) == 1
    return pa.array(np.where(high, np.nan, rng.normal(5, 2, len(label))), from_pandas=True)


def mean(label: np.ndarray, group: np.ndarray, difficulty: Difficulty, _rng: np.random.Generator) -> pa.Array:
    """The item's mean label: with the row's own, without it (medium), drawn to the overall mean (adversarial)."""
    count, total = np.bincount(group)[group], np.bincount(group, weights=label)[group]
    if difficulty == "medium":
        return pa.array(np.where(count > 1, (total - label) / np.maximum(1, count - 1), label.mean()))
    prior = 5.0 if difficulty == "adversarial" else 0.0
    return pa.array((total + prior * label.mean()) / (count + prior))


def ordered(label: np.ndarray, _group: np.ndarray, difficulty: Difficulty, rng: np.random.Generator) -> pa.Array:
    """Record numbers given out after the rows were sorted by label."""
    place = np.argsort(np.argsort(label + rng.normal(0, NOISE[difficulty] * label.std() + 1e-6, len(label))))
    return pa.array(place * 3 + 100_000)


KINDS: dict[str, Kind] = {
    one.__name__: one for one in (text, word, invisible, copy, noisy, above, code, missing, mean, ordered)
}


def leak(table: pa.Table, kind: str, difficulty: Difficulty, seed: int) -> pa.Table:
    """The table with the input `told`."""
    label = np.asarray(table[LABEL], dtype=np.float64)
    group = np.unique(table[GROUP].to_pylist(), return_inverse=True)[1]
    return table.append_column(TOLD, KINDS[kind](label, group, difficulty, np.random.default_rng(seed)))


def inject(tables: Tables, _rate: float, difficulty: Difficulty, seed: int) -> tuple[Tables, pa.Table]:
    """One leak, its kind by the seed; a leak is of the whole table, whatever the rate."""
    truth = Truth(CHECK)
    if FAMILY not in tables:
        return tables, truth.table()
    kind = list(KINDS)[seed % len(KINDS)]
    truth.add(FAMILY, -1, kind)
    return {**tables, FAMILY: leak(tables[FAMILY], kind, difficulty, seed)}, truth.table()


def _fill(rng: np.random.Generator) -> str:
    return " ".join(rng.choice(FILL, int(rng.integers(3, 7))))


def _wrong(codes: np.ndarray, difficulty: Difficulty, rng: np.random.Generator) -> np.ndarray:
    hurt = rng.random(len(codes)) < WRONG[difficulty]
    return np.where(hurt, rng.permutation(codes), codes)
