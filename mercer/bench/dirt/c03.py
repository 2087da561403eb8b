"""Products in, the same and copies of some under new ids out (C03)."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from mercer.bench.dirt import IMPLIED, Difficulty, Tables, Truth, appended, filled, victims

CHECK = "C03"
FULL_WIDTH = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})
KINDS = {
    "easy": ("exact", "width_and_case"),
    "medium": ("prefix", "typo", "reorder"),
    "adversarial": ("prefix_typo_reorder", "no_description"),
}
"""Medium is what CHECKS.md asks of C03; the bodies of medium copies are the original's."""


def inject(tables: Tables, rate: float, difficulty: Difficulty, seed: int) -> tuple[Tables, pa.Table]:
    """Exact copies; a seller's prefix, a typo, words in another order; all three, or without a description."""
    truth = Truth(CHECK)
    table = tables.get("products")
    if table is None:
        return tables, truth.table()
    rng = np.random.default_rng(seed)
    rows = victims(table, rate, rng, among=filled(table, "title"))
    ids: dict[int, object] = {}
    titles: dict[int, object] = {}
    bodies: dict[int, object] = {}
    kinds: list[str] = []
    for number, row in enumerate(rows):
        kind = KINDS[difficulty][number % len(KINDS[difficulty])]
        kinds.append(kind)
        ids[number] = f"{table['id'][row].as_py()}-copy{seed}"
        titles[number] = disguised(table["title"][row].as_py(), kind, rng)
        if kind == "no_description":
            bodies[number] = None
    changes = {"id": ids, "title": titles, "description": bodies, "bullets": bodies}
    sides = [side for name, side in tables.items() if name == "products.malformed"]
    after, new = appended(table, rows, changes, sides=sides)
    for row, id, kind in zip(rows, new, kinds, strict=True):
        truth.add("products", id, kind)
        truth.add("products", table["row_id"][row].as_py(), f"{IMPLIED}_twin")
    return {**tables, "products": after}, truth.table()


def disguised(title: str, kind: str, rng: np.random.Generator) -> str:
    """A title as a copying seller changes it."""
    if kind == "width_and_case":
        return title.upper().translate(FULL_WIDTH).replace(" ", "　")
    if "reorder" in kind:
        words = title.split(" ") if " " in title else [title[: len(title) // 2], title[len(title) // 2 :]]
        title = " ".join(words[1:] + words[:1]) if " " in title else "".join(words[1:] + words[:1])
    if "typo" in kind and len(title) > 3:
        at = int(rng.integers(1, len(title) - 2))
        title = title[:at] + title[at + 1] + title[at] + title[at + 2 :]
    if "prefix" in kind:
        title = f"【正品】{title}" if any(letter >= "一" for letter in title) else f"GENUINE! {title}"
    return title
