"""CSV lines in, lines of which some have one comma too many or too few out (E01)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mercer.sample.dirt.ledger import Difficulty, Ledger, replaced, victims

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["inject"]


def inject(frame: pa.Table, rate: float, _difficulty: Difficulty, seed: int) -> tuple[pa.Table, pa.Table]:
    """Shift the fields of a line: an unquoted comma in a place name, or a field left out."""
    rng = np.random.default_rng(seed)
    ledger, values = Ledger("E01", "events"), {}
    for number, row in enumerate(victims(len(frame), rate, rng)):
        line = frame["line"][row].as_py()
        fields = line.split(",")
        at = int(rng.integers(2, len(fields) - 2))
        values[row] = ",".join([*fields[:at], "", *fields[at:]] if number % 2 else [*fields[:at], *fields[at + 1 :]])
        ledger.add(row, "", "one_too_many" if number % 2 else "one_too_few", line)
    return replaced(frame, "line", values), ledger.table()
