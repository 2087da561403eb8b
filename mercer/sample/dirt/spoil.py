"""Clean tables or lines in, dirty ones and the truth about every error out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mercer.sample.dirt import (
    broken_text,
    copied_listing,
    half_line,
    missing_image,
    missing_title,
    repeated_query,
    resent_event,
    reused_id,
    shifted_columns,
    unknown_product,
    unknown_type,
    wrong_clock,
    wrong_price,
)
from mercer.sample.dirt.ledger import Difficulty, Ledger

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["LINES", "ROWS", "Spoilt", "spoil", "spoil_lines"]

Inject = Callable[[Any, float, Difficulty, int], tuple[Any, Any]]

ROWS: dict[str, tuple[Inject, ...]] = {
    "products": (
        missing_title.inject,
        reused_id.inject,
        copied_listing.inject,
        wrong_price.inject,
        broken_text.inject,
        missing_image.inject,
    ),
    "events": (unknown_product.inject_events, unknown_type.inject, resent_event.inject, wrong_clock.inject),
    "queries": (repeated_query.inject_queries,),
    "judgments": (unknown_product.inject_judgments, repeated_query.inject_judgments),
    "reviews": (unknown_product.inject_reviews,),
}
"""Family → injectors that work on its columns; a new injector is one file and one line here."""

LINES: dict[str, Inject] = {"products": half_line.inject, "events": shifted_columns.inject}
"""Family → the injector that works on the lines of its file, a table with the one column `line`."""

LATE = 500
"""Rows within which a repeated row follows the row it repeats."""


@dataclass(frozen=True, slots=True)
class Spoilt:
    """A dirty table, its truth, and the rows that were kept for the family's line injector."""

    table: pa.Table
    truth: pa.Table
    spare: NDArray[np.int64]


def spoil(family: str, table: pa.Table, rate: float, seed: int, *, difficulty: Difficulty = "medium") -> Spoilt:
    """Hurt about `rate` of the rows of a family.

    Each injector ``inject(frame, rate, difficulty, seed) -> (frame, truth)`` gets its own part of the rows, so that no
    row is hurt twice; rows that it adds stand after the others of the frame, and the truth numbers rows of that frame.
    What follows from an error is not in the truth: events of a product whose line was cut are orphans, too.
    """
    import pyarrow as pa

    injectors = ROWS.get(family, ())
    rng = np.random.default_rng([seed, len(table), sum(family.encode())])
    if not rate:
        return Spoilt(table, Ledger("", family).table(), np.empty(0, np.int64))
    parts = len(injectors) + (family in LINES)
    blocks = [np.sort(block) for block in np.array_split(rng.permutation(len(table)), max(parts, 1))]
    pieces, keys, truths, spare, done = [], [], [], np.empty(0, np.int64), 0
    for number, block in enumerate(blocks):
        piece, truth = table.take(block), None
        if number < len(injectors):
            piece, truth = injectors[number](piece, rate, difficulty, int(rng.integers(2**31)))
            truths.append(_moved(truth, np.arange(done, done + len(piece))))
        else:
            spare = np.arange(done, done + len(piece))
        pieces.append(piece)
        keys.append(_places(block, truth, len(piece), rng))
        done += len(piece)
    order = np.argsort(np.concatenate(keys), kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    truth = pa.concat_tables([_moved(part, place) for part in truths]) if truths else Ledger("", family).table()
    return Spoilt(pa.concat_tables(pieces).take(order), truth, np.sort(place[spare]))


def spoil_lines(
    family: str, lines: list[str], rate: float, seed: int, *, spare: NDArray[np.int64]
) -> tuple[list[str], pa.Table]:
    """Hurt about `rate` of the `spare` lines of a family's file; the others stay."""
    import pyarrow as pa

    block = pa.table({"line": [lines[row] for row in spare]})
    hurt, truth = LINES[family](block, rate, "medium", seed)
    lines = list(lines)
    for row, line in zip(spare, hurt["line"].to_pylist(), strict=True):
        lines[row] = line
    return lines, _moved(truth, spare)


def _places(
    block: NDArray[np.int64], truth: pa.Table | None, length: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Sort keys: rows stay where they were, and a repeated row comes some rows after its twin."""
    keys = np.concatenate([block.astype(np.float64), np.zeros(length - len(block))])
    if truth is not None:
        rows, twins = truth["row_id"].to_numpy(), truth["twin"].to_numpy()
        added = rows >= len(block)
        keys[rows[added]] = block[twins[added]] + rng.uniform(0.1, LATE, int(added.sum()))
    return keys


def _moved(truth: pa.Table, place: NDArray[np.int64]) -> pa.Table:
    """The truth with row numbers (and twins) looked up in `place`."""
    import pyarrow as pa

    for name in ("row_id", "twin"):
        old = truth[name].to_numpy()
        new = np.where(old >= 0, place[np.maximum(old, 0)], -1) if len(old) else old
        truth = truth.set_column(truth.schema.get_field_index(name), name, pa.array(new, pa.int64()))
    return truth
