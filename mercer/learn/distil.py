"""Pairs and a cross-encoder in; the pairs with what it thinks of each, for an encoder to learn from, out."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from mercer.learn.hard import Rankings, hard
from mercer.learn.pairs import joined
from mercer.rank.reranker import Reranker

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["invented", "taught"]

LEAST = 1e-6
"""Chances are kept this far from 0 and 1 before their log-odds are taken."""


def taught(
    pairs: pa.Table,
    teacher: Reranker,
    *,
    seed: int = 7,
    seconds: float = math.inf,
    tick: Callable[[int], None] | None = None,
) -> pa.Table:
    """`pairs` with a column ``teacher`` (float32): the log-odds that the cross-encoder gives each.

    Log-odds are what objective ``distil`` wants differences of (margin-MSE, Hofstätter et al. 2020). A pair that comes
    twice is read once. Queries that `seconds` are not enough for, the last of an order drawn by `seed`, get NaN, which
    the objective leaves out; one is read always. `tick` is told after each query how many more pairs are done.
    """
    import pyarrow as pa

    queries, texts = pairs["query"].to_pylist(), pairs["text"].to_pylist()
    asked: dict[str, dict[str, list[int]]] = {}
    for row, (query, text) in enumerate(zip(queries, texts, strict=True)):
        asked.setdefault(query, {}).setdefault(text, []).append(row)
    column = np.full(len(queries), np.nan, np.float32)
    end, order = time.monotonic() + seconds, np.random.default_rng([seed, 6]).permutation(len(asked))
    queried = list(asked.items())
    for turn, (query, found) in enumerate(queried[at] for at in order):
        if turn and time.monotonic() > end:
            break
        chance = np.clip(teacher(query, list(found)).astype(np.float64), LEAST, 1 - LEAST)
        for rows, odds in zip(found.values(), np.log(chance / (1 - chance)).tolist(), strict=True):
            column[rows] = odds
        if tick is not None:
            tick(sum(map(len, found.values())))
    kept = pairs.drop_columns(["teacher"]) if "teacher" in pairs.column_names else pairs
    return kept.append_column("teacher", pa.array(column, pa.float32()))


def invented(
    pairs: pa.Table,
    rankings: Rankings,
    texts: Mapping[str, str],
    teacher: Reranker,
    *,
    each: int = 8,
    seed: int = 7,
    tick: Callable[[int], None] | None = None,
) -> pa.Table:
    """Pairs of queries that nobody judged (`pairs.from_catalogue`) with what the first stage finds beside, taught.

    The gain of what was found is the teacher's chance that it is right, so that other objectives can learn from it
    too (pseudo-labels as in GPL, Wang et al. 2022); that of the invented pairs stays.
    """
    import pyarrow as pa

    found = taught(joined(pairs, hard(pairs, rankings, texts, each=each, seed=seed)), teacher, tick=tick)
    mined = np.array([source == "mined" for source in found["source"].to_pylist()], bool)
    chance = 1 / (1 + np.exp(-found["teacher"].to_numpy().astype(np.float64)))
    gains = np.where(mined, chance, found["gain"].to_numpy()).astype(np.float32)
    return found.set_column(found.column_names.index("gain"), "gain", pa.array(gains, pa.float32()))
