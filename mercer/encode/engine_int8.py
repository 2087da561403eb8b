"""A body in int8 in; an engine that runs it in ONNX Runtime, one text at a time, out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercer.encode.engine_onnx import session

__all__ = ["Int8Engine"]


class Int8Engine:
    """ONNX Runtime on the CPU with weights of 8 bits; see `encode.compress.graph` for the body.

    Texts go in one at a time: a scale taken from the numbers at hand would make a text's vector depend on what else is
    in its batch. Nothing is lost: weights of 8 bits stay in the processor's cache, and nothing is padded.
    """

    name = "onnx"

    def __init__(self, path: Path, *, threads: int) -> None:
        """Open a body.

        Raises:
            ModelError: the file is no ONNX model.
            MissingExtra: package onnxruntime is not installed.
        """
        self._session: Any = session(path, threads=threads)

    def __call__(self, embedded: NDArray[np.float32], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        """See `Engine`."""
        lengths = mask.sum(axis=1)
        rows = [
            self._session.run(["vector"], {"embedded": embedded[row : row + 1, :length]})[0]
            for row, length in enumerate(lengths)
        ]
        return np.concatenate(rows)
