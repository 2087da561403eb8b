"""Counts of pairs and what products have in common in; the closed-form weights between products, exact or near, out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercer.errors import SettingsError

__all__ = ["Kernel", "near", "whole"]

BLOCK = 256
"""Products solved for at once."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """What products have in common by one kind of feature: weight · F · Fᵀ."""

    features: Any
    """scipy CSR or numpy, shape (products, features)."""
    weight: float

    def block(self, low: int, high: int) -> NDArray[np.float32]:
        """All products against those from `low` to before `high`, shape (products, high - low)."""
        found = self.features @ self.features[low:high].T
        dense = found if isinstance(found, np.ndarray) else found.toarray()
        return (self.weight * dense).astype(np.float32)

    def among(self, products: NDArray[np.int64]) -> NDArray[np.float32]:
        """Some products against each other, shape (some, some)."""
        some = self.features[products]
        found = some @ some.T
        dense = found if isinstance(found, np.ndarray) else found.toarray()
        return (self.weight * dense).astype(np.float32)


def whole(regressed: Any, predicted: Any, kernels: Sequence[Kernel], *, ridge: float) -> NDArray[np.float32]:
    """The exact solution with a zero diagonal, shape (products, products); column j predicts product j.

    (G + λ) B = C with bⱼⱼ = 0: B = P C - P diag(μ), P the inverse and μⱼ = (P C)ⱼⱼ / Pⱼⱼ (Ning and Karypis's SLIM as
    Steck solved it, WWW 2019). Takes 3 n³ operations and 12 n² bytes.
    """
    from scipy.linalg import blas, lapack

    size = regressed.shape[0]
    inverse = np.asfortranarray(regressed.toarray(order="F"), dtype=np.float32)
    aim = np.asfortranarray(predicted.toarray(order="F"), dtype=np.float32)
    for low in range(0, size, BLOCK):
        for kernel in kernels:
            shared = kernel.block(low, min(size, low + BLOCK))
            inverse[:, low : low + BLOCK] += shared
            aim[:, low : low + BLOCK] += shared
    inverse[np.diag_indices(size)] += np.float32(ridge)
    inverse, failed = lapack.spotrf(inverse, lower=1, overwrite_a=1)
    if not failed:
        inverse, failed = lapack.spotri(inverse, lower=1, overwrite_c=1)
    if failed:
        raise SettingsError(f"a ridge of {ridge:g} leaves the counts singular", cure="give a larger one")
    for low in range(0, size, BLOCK):  # LAPACK fills the lower half only
        high = min(size, low + BLOCK)
        inverse[low:high, high:] = inverse[high:, low:high].T
        square = inverse[low:high, low:high]
        square[:] = np.tril(square) + np.tril(square, -1).T
    found = blas.sgemm(1.0, inverse, aim)
    del aim
    multiplier = np.diag(found) / np.diag(inverse)
    for low in range(0, size, BLOCK):
        found[:, low : low + BLOCK] -= inverse[:, low : low + BLOCK] * multiplier[low : low + BLOCK]
    found[np.diag_indices(size)] = 0
    return np.asarray(found)


def near(regressed: Any, predicted: Any, kernels: Sequence[Kernel], *, ridge: float, support: int) -> Any:
    """The same with each product predicted by the `support` likeliest others only; a scipy CSC matrix.

    Leaving a product out of its own support is the zero diagonal. Time grows with products × support³, memory with
    products × support: no products × products matrix is made.
    """
    from scipy.linalg import lapack
    from scipy.sparse import csc_matrix

    size = regressed.shape[0]
    columns, place = predicted.tocsc(), np.full(size, -1, dtype=np.int32)
    support = min(support, size - 1)
    starts, rows, values = [0], [], []
    for low in range(0, size, BLOCK):
        high = min(size, low + BLOCK)
        aims = columns[:, low:high].toarray()
        for kernel in kernels:
            aims += kernel.block(low, high)
        for column in range(high - low):
            aim = aims[:, column]
            aim[low + column] = 0
            chosen = np.argpartition(aim, size - support)[size - support :] if support < size else np.arange(size)
            chosen = np.sort(chosen[aim[chosen] > 0])
            if len(chosen):
                matrix = _among(regressed, chosen, place)
                for kernel in kernels:
                    matrix += kernel.among(chosen)
                matrix[np.diag_indices(len(chosen))] += np.float32(ridge)
                _, found, failed = lapack.sposv(matrix, aim[chosen], lower=1, overwrite_a=1)
                if failed:
                    raise SettingsError(f"a ridge of {ridge:g} leaves the counts singular", cure="give a larger one")
                rows.append(chosen.astype(np.int32))
                values.append(found.astype(np.float32))
            starts.append(starts[-1] + len(chosen))
    empty: tuple[list[Any], list[Any]] = [np.empty(0, np.int32)], [np.empty(0, np.float32)]
    return csc_matrix(
        (np.concatenate(values or empty[1]), np.concatenate(rows or empty[0]), np.array(starts)), shape=(size, size)
    )


def _among(matrix: Any, chosen: NDArray[np.int64], place: NDArray[np.int32]) -> NDArray[np.float32]:
    """The rows and columns of some products as a dense matrix; `place` is scratch of -1 and left so."""
    starts, ends = matrix.indptr[chosen], matrix.indptr[chosen + 1]
    lengths = ends - starts
    entries = np.repeat(starts - np.append(0, np.cumsum(lengths))[:-1], lengths) + np.arange(int(lengths.sum()))
    place[chosen] = np.arange(len(chosen))
    column = place[matrix.indices[entries]]
    place[chosen] = -1
    inside = column >= 0
    found = np.zeros((len(chosen), len(chosen)), dtype=np.float32, order="F")
    found[np.repeat(np.arange(len(chosen)), lengths)[inside], column[inside]] = matrix.data[entries[inside]]
    return found
