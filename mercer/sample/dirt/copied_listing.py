"""Products in, the same and copies of some under new ids out (C03)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mercer.sample.dirt.ledger import Difficulty, Ledger, replaced, taken, victims

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["inject"]

FULL_WIDTH = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})


def inject(frame: pa.Table, rate: float, difficulty: Difficulty, seed: int) -> tuple[pa.Table, pa.Table]:
    """Append copies: exact (easy), in other width, case and blanks (medium), with a seller's prefix (hard)."""
    import pyarrow as pa

    rng = np.random.default_rng(seed)
    rows = victims(len(frame), rate, rng)
    ledger, ids, titles = Ledger("C03", "products"), {}, {}
    for number, row in enumerate(rows):
        ids[number] = f"{frame['id'][row].as_py()}-2"
        titles[number] = _disguised(frame["title"][row].as_py(), difficulty)
        ledger.add(len(frame) + number, "title", f"copy_{difficulty}", frame["id"][row].as_py(), twin=row)
    added = replaced(replaced(taken(frame, rows), "id", ids), "title", titles)
    return pa.concat_tables([frame, added]), ledger.table()


def _disguised(title: str, difficulty: Difficulty) -> str:
    if difficulty == "easy":
        return title
    if difficulty == "medium":
        return title.upper().translate(FULL_WIDTH).replace(" ", "　")
    return f"【正品】{title}" if any(character > "一" for character in title) else f"GENUINE! {title}"
