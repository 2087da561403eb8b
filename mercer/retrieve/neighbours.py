"""Weights between products in; the best few neighbours of each, summed over a history, out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercer.retrieve.sequence import Sequences

__all__ = ["Neighbours", "gather"]


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Product i has neighbours `product[start[i]:start[i + 1]]`, best first, with their scores."""

    start: NDArray[np.int64]
    """(products + 1,)"""
    product: NDArray[np.int32]
    score: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.start) - 1

    @property
    def matrix(self) -> Any:
        """The same as a scipy matrix, shape (products, products)."""
        from scipy.sparse import csr_matrix

        return csr_matrix((self.score, self.product, self.start), shape=(len(self), len(self)))

    def sum(self, codes: NDArray[np.int64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Σ weight · score over a history's products, shape (products,); codes below 0 bring nothing."""
        parts = [slice(self.start[code], self.start[code + 1]) for code in codes if code >= 0]
        if not parts:
            return np.zeros(len(self))
        known = weights[codes >= 0]
        lengths = [part.stop - part.start for part in parts]
        found = np.concatenate([self.product[part] for part in parts])
        value = np.concatenate([self.score[part] for part in parts]) * np.repeat(known, lengths)
        total: NDArray[np.float64] = np.bincount(found, weights=value, minlength=len(self)).astype(np.float64)
        return total

    def scores(self, sequences: Sequences, weights: NDArray[np.float64]) -> NDArray[np.float32]:
        """Every product for every shopper, shape (shoppers, products); below 0 speaks against it.

        Args:
            sequences: of the shoppers.
            weights: how much each of their rows counts, (rows,).
        """
        from scipy.sparse import csr_matrix

        known = sequences.product >= 0
        rows = weights[known], (sequences.owner()[known], sequences.product[known])
        dense: NDArray[np.float32] = (csr_matrix(rows, shape=(len(sequences), len(self))) @ self.matrix).toarray()
        return dense.astype(np.float32)

    def between(self, codes: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.float64]:
        """Scores from each of `codes` to each of `others`, shape (codes, others); 0 where no neighbour."""
        found = np.zeros((len(codes), len(others)))
        order = np.argsort(others, kind="stable")
        ordered = others[order]
        for row, code in enumerate(codes):
            if code >= 0 and len(others):
                part = slice(self.start[code], self.start[code + 1])
                place = np.minimum(np.searchsorted(ordered, self.product[part]), len(others) - 1)
                same = ordered[place] == self.product[part]
                found[row, order[place[same]]] = self.score[part][same]
        return found

    @classmethod
    def largest(cls, weights: Any, most: int) -> Neighbours:
        """Of each row of a matrix (numpy or scipy) the `most` entries furthest from 0, either sign, largest first."""
        from scipy.sparse import csr_matrix

        rows, counts, kept, values = weights.shape[0], [np.zeros(1, np.int64)], [], []
        entries = weights if isinstance(weights, np.ndarray) else weights.tocsr()
        for low in range(0, rows, 1024):
            block = csr_matrix(entries[low : low + 1024])
            owner = np.repeat(np.arange(block.shape[0]), np.diff(block.indptr))
            order = np.lexsort((block.indices, -np.abs(block.data), owner))
            chosen = order[(np.arange(len(order)) - block.indptr[owner] < most) & (block.data[order] != 0)]
            counts.append(np.bincount(owner[chosen], minlength=block.shape[0]))
            kept.append(block.indices[chosen].astype(np.int32))
            values.append(block.data[chosen].astype(np.float32))
        return cls(np.cumsum(np.concatenate(counts)), np.concatenate(kept), np.concatenate(values))

    @classmethod
    def none(cls, products: int) -> Neighbours:
        return cls(np.zeros(products + 1, np.int64), np.empty(0, np.int32), np.empty(0, np.float32))


def gather(
    blocks: Iterator[Any], *, products: int, most: int, score: Callable[[int, Any], NDArray[np.float64]]
) -> Neighbours:
    """Score and cut block after block, so that all pairs of a large catalogue are never in memory at once.

    Args:
        blocks: scipy matrices of successive products' rows, shape (some, products).
        products: how many there are.
        most: neighbours kept of each.
        score: (first row's product, matrix in coordinate form) → score of each entry; below or at 0 is dropped.
    """
    counts, kept, values, first = [np.zeros(1, np.int64)], [], [], 0
    for block in blocks:
        entries = block.tocoo()
        value = score(first, entries)
        good = (value > 0) & (entries.row + first != entries.col)
        row, column, value = entries.row[good], entries.col[good], value[good].astype(np.float32)
        order = np.lexsort((column, -value, row))
        row, column, value = row[order], column[order], value[order]
        begins = np.searchsorted(row, np.arange(block.shape[0] + 1))
        best = np.arange(len(row)) - np.repeat(begins[:-1], np.diff(begins)) < most
        counts.append(np.bincount(row[best], minlength=block.shape[0]))
        kept.append(column[best].astype(np.int32))
        values.append(value[best])
        first += block.shape[0]
    if first != products:
        return Neighbours.none(products)
    start = np.cumsum(np.concatenate(counts))
    return Neighbours(
        start, np.concatenate(kept or [np.empty(0, np.int32)]), np.concatenate(values or [np.empty(0, np.float32)])
    )
