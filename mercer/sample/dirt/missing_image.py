"""Products in, products of which some point to an image that is not there out (C13)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mercer.sample.dirt.ledger import Difficulty, Ledger, replaced, victims

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["inject"]


def inject(frame: pa.Table, rate: float, _difficulty: Difficulty, seed: int) -> tuple[pa.Table, pa.Table]:
    """Change the file name of images; products without one are left as they are."""
    rng = np.random.default_rng(seed)
    ledger, values = Ledger("C13", "products"), {}
    pictured = np.flatnonzero([image is not None for image in frame["image"].to_pylist()])
    for row in victims(len(frame), rate, rng, among=pictured):
        image = frame["image"][row].as_py()
        values[row] = image.replace(".png", "_old.png")
        ledger.add(row, "image", "missing_image", image)
    return replaced(frame, "image", values), ledger.table()
