"""Clean tables in, tables with every kind of dirt at once out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from mercer.bench.dirt import TRUTH, Difficulty, Tables, injectors

FILE_LEVEL = ("C16", "E11", "E12", "E14", "X01", "X04", "X05", "X12", "X13")
"""What spoils a whole file is measured alone: it would block a batch whatever else is in it, or (E12) replace the
events that others have hurt."""
LAST = ("E03",)
"""Wrong times come last: other injectors look at the log's times to invent rows of their own."""


def inject(
    tables: Tables, rate: float, difficulty: Difficulty, seed: int, *, checks: Sequence[str] | None = None
) -> tuple[Tables, pa.Table]:
    """Every injector in turn, each at `rate` over their number, so that about `rate` of the rows are hurt.

    What one hurts another may hurt again, as in life; rows that cannot be parsed leave first.
    """
    known = injectors()
    chosen = sorted((id for id in (checks or known) if id not in FILE_LEVEL), key=lambda id: (id in LAST, id))
    seeds = np.random.SeedSequence(seed).generate_state(len(chosen))
    truths = [TRUTH.empty_table()]
    for id, own in zip(chosen, seeds.tolist(), strict=True):
        tables, truth = known[id].inject(tables, rate / len(chosen), difficulty, own)
        truths.append(truth.select(TRUTH.names).cast(TRUTH))
    return tables, pa.concat_tables(truths)
