"""A training table and its roles in; the inputs that give the label away, and how, out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from mercer.quality.one_feature import Targets, binned, codes_of
from mercer.quality.slot import Slot, area_of, frequent, masked, values

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from mercer.quality.probe import Sheet

__all__ = ["Leak", "means", "of_columns", "of_pairs", "of_texts"]

MOST_PAIRED = 12
"""Columns tried two by two: 66 pairs."""
ROUNDS = 8
"""Slots of one text that may be found one after the other."""
LITERAL_ROWS = 30
"""Rows in which a slot must hold the label itself."""


@dataclass(frozen=True, slots=True)
class Leak:
    """One input that gives the label away."""

    column: str
    problem: str
    area: float
    """AUC of this alone."""
    how: str
    """For people."""
    slot: Slot | None = None
    coverage: float = 1.0
    """Share of rows that have it."""


def of_columns(
    table: pa.Table, names: Sequence[str], targets: Targets, folds: NDArray[np.int64], *, least: float
) -> Iterator[Leak]:
    """Columns that alone reach an AUC of `least`: copies, codes, noise, missing values, what came after the event."""
    for name in names:
        found = targets.told_by(binned(table[name]), folds)
        if found >= least:
            yield Leak(name, "label_in_column", found, "its value alone tells the label")
        elif (absent := _absent(table[name], targets, folds)) >= least:
            yield Leak(name, "label_in_column", absent, "whether it is missing tells the label")


def _absent(column: pa.ChunkedArray, targets: Targets, folds: NDArray[np.int64]) -> float:
    if not column.null_count:
        return 0.5
    codes = np.asarray(column.is_null()).astype(np.int64)
    return targets.told_by(codes, folds)


def of_texts(
    sheet: Sheet,
    label: Sequence[Any],
    targets: Targets,
    folds: NDArray[np.int64],
    *,
    least: float,
    coverage: float,
) -> Iterator[Leak]:
    """Slots of texts that give the label away, one after the other, each masked before the next is looked for."""
    own = [_plain(value) for value in label]
    for name, given in sheet.texts.items():
        rows: Sequence[list[str]] = given
        for _ in range(ROUNDS):
            found = _slot(name, rows, targets, folds, least=least, coverage=coverage) or _literal(name, rows, own)
            if found is None or found.slot is None:
                break
            yield found
            rows = masked(rows, found.slot)
        lengths = np.array([len(row) for row in given], dtype=np.int64)
        alone = targets.told_by(lengths, folds)
        if alone >= least:
            yield Leak(name, "label_in_column", alone, "the length of the text alone tells the label")


def _slot(
    name: str,
    rows: Sequence[list[str]],
    targets: Targets,
    folds: NDArray[np.int64],
    *,
    least: float,
    coverage: float,
) -> Leak | None:
    best: tuple[tuple[float, ...], Leak] | None = None
    for slot, words in values(rows, frequent(rows, coverage=coverage)).items():
        if len(set(words)) < 2:
            continue
        alone, covered = area_of(words, targets, folds)
        if not alone >= least:
            continue
        share = float(covered.mean())
        leak = Leak(name, "label_in_text", alone, f"the word at {str(slot)!r} alone tells the label", slot, share)
        # a longer context of the same place says no more, and words before it read best
        rank = (round(share, 2), round(alone, 3), slot.kind == "after", slot.kind != "count", -len(slot.words))
        if best is None or rank > best[0]:
            best = (rank, leak)
    return best[1] if best else None


def _literal(name: str, rows: Sequence[list[str]], own: Sequence[str]) -> Leak | None:
    """A slot that only some rows have, and that holds the label itself whenever it is there."""
    slots = [slot for slot in frequent(rows, coverage=0.02) if slot.kind != "count"]
    known = set(own)
    for slot, words in values(rows, slots).items():
        pairs = [(_plain(word), label) for word, label in zip(words, own, strict=True) if word is not None]
        if len(pairs) < LITERAL_ROWS or len({word for word, _ in pairs}) < 2 or pairs[0][0] not in known:
            continue
        same = sum(word == label for word, label in pairs) / len(pairs)
        common = max(np.unique([label for _, label in pairs], return_counts=True)[1]) / len(pairs)
        if same >= 0.98 and common <= 0.9:
            share = len(pairs) / len(rows)
            return Leak(name, "label_in_text", same, f"the word at {str(slot)!r} is the label", slot, share)
    return None


def _plain(value: Any) -> str:
    """4, 4.0 and "4" are one."""
    text = str(value).strip().casefold()
    try:
        return f"{float(text):g}"
    except ValueError:
        return text


def of_pairs(
    table: pa.Table, names: Sequence[str], targets: Targets, folds: NDArray[np.int64], *, least: float
) -> Iterator[Leak]:
    """Two columns that give the label away together: by their difference, their ratio, or their values side by side."""
    import pyarrow as pa

    kinds = {name: table[name].type for name in names[:MOST_PAIRED]}
    for one, other in combinations(kinds, 2):
        numeric = all(pa.types.is_integer(kinds[name]) or pa.types.is_floating(kinds[name]) for name in (one, other))
        tried: dict[str, NDArray[np.int64]] = {}
        if numeric:
            left, right = (np.asarray(table[name].cast(pa.float64()).fill_null(np.nan)) for name in (one, other))
            with np.errstate(all="ignore"):
                tried["difference"] = binned(pa.chunked_array([left - right]))
                tried["ratio"] = binned(pa.chunked_array([left / right]))
        sides = [codes_of(table[name]) for name in (one, other)]
        if sides[0][1] * sides[1][1] <= len(targets) / 20:  # some 20 rows a cell
            tried["values"] = (sides[0][0] + 1) * (sides[1][1] + 1) + sides[1][0]
        for way, codes in tried.items():
            found = targets.told_by(codes, folds)
            if found >= least:
                yield Leak(one, "label_in_pair", found, f"its {way} with {other} tells the label")
                break


def means(
    table: pa.Table,
    names: Sequence[str],
    groups: Sequence[str],
    label: NDArray[np.float64],
    learned: NDArray[np.bool_] | None,
) -> Iterator[Leak]:
    """Numbers that are the mean of the label over a group with or exactly without the row's own label."""
    import pyarrow as pa

    numbers = [name for name in names if pa.types.is_floating(table[name].type)]
    scopes = [np.ones(len(label), dtype=bool)] + ([learned] if learned is not None else [])
    for name in numbers:
        column = np.asarray(table[name].fill_null(np.nan), dtype=np.float64)
        for group in groups:
            if any(_is_mean(column, codes_of(table[group])[0], label, scope) for scope in scopes):
                how = f"it is the mean of the label by {group}, the row's own label in it or left out"
                yield Leak(name, "label_mean", 1.0, how)
                break


def _is_mean(
    column: NDArray[np.float64], codes: NDArray[np.int64], label: NDArray[np.float64], scope: NDArray[np.bool_]
) -> bool:
    kept = scope & np.isfinite(label) & (codes >= 0)
    counts = np.bincount(codes[kept], minlength=int(codes.max(initial=0)) + 1).astype(np.float64)
    sums = np.bincount(codes[kept], weights=label[kept], minlength=len(counts))
    used = kept & np.isfinite(column) & (counts[codes] >= 2)
    if used.sum() < LITERAL_ROWS:
        return False
    count, total, given = counts[codes[used]], sums[codes[used]], column[used]
    for mean in (total / count, (total - label[used]) / (count - 1)):
        varied = np.std(mean) > 0 and np.std(given) > 0 and len(np.unique(mean)) >= 5
        if varied and abs(float(np.corrcoef(mean, given)[0, 1])) >= 0.999:
            return True
    return False
