"""A model and vectors of its shop in; the same model with shorter vectors out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mercer.encode.compress.folder import rewritten
from mercer.encode.model import Model
from mercer.errors import ModelError

__all__ = ["cut", "rotation", "shortened", "truncation"]

Matrix = NDArray[np.float32]


def truncation(width: int, dimension: int) -> Matrix:
    """(dimension, width): the first numbers of a vector, as Matryoshka training orders them (Kusupati et al. 2022)."""
    return np.eye(dimension, width, dtype=np.float32)


def rotation(vectors: Matrix, dimension: int) -> Matrix:
    """(dimension, width): the directions in which `vectors` (n, width) are longest.

    Not centred: dot products, which rank, are then kept as well as any linear map of this rank can (Eckart and Young
    1936).
    """
    _, directions = np.linalg.eigh(vectors.astype(np.float64).T @ vectors.astype(np.float64))
    return np.ascontiguousarray(directions[:, ::-1][:, :dimension].T, np.float32)


def shortened(vectors: Matrix, projection: Matrix) -> Matrix:
    """Unit vectors (n, dimension) as the model with this projection gives them."""
    made = vectors @ projection.T
    unit: Matrix = made / np.maximum(np.linalg.norm(made, axis=1, keepdims=True), 1e-12)
    return unit


def cut(model: Model, folder: Path, projection: Matrix) -> Model:
    """Write the model with a linear map (dimension, width of its vectors) before normalisation.

    A model that has one already gets their product.

    Raises:
        ModelError: the map does not fit, or makes vectors longer.
    """
    rows, columns = projection.shape
    if columns != model.dimension or not 1 <= rows <= columns:
        raise ModelError(
            f"a map of shape {projection.shape} for {model.dimension} numbers", cure=f"give 1 to {model.dimension}"
        )
    whole = projection if model.projection is None else projection @ np.asarray(model.projection, np.float32)
    return rewritten(model, folder, projection=np.asarray(whole, np.float32))
