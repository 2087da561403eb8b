"""A model with a head in; an engine that runs it in ONNX Runtime out, exporting it once where it never was."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mercer.encode.engine_onnx import session
from mercer.encode.head import Head
from mercer.encode.model import Model
from mercer.encode.save import sync, writing_beside
from mercer.shop import content_hash

__all__ = ["OnnxHead", "beside", "exported"]

EXPORT = 1
"""Raised when the exported graph changes, so that old files are not used."""


class OnnxHead:
    """ONNX Runtime on the CPU, float32. torch is not loaded where the exported file exists."""

    name = "onnx"

    def __init__(self, path: Path, *, threads: int) -> None:
        """Open an exported model.

        Raises:
            ModelError: the file is nothing that Mercer exported.
            MissingExtra: package onnxruntime is not installed.
        """
        self._session = session(path, threads=threads)

    def __call__(
        self, embedded: NDArray[np.float32], mask: NDArray[np.int64], side: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """See `HeadEngine`."""
        given = {"embedded": embedded, "mask": mask, "side": side}
        outputs: NDArray[np.float32] = self._session.run(["outputs"], given)[0]
        return outputs


def exported(model: Model, head: Head, cache: Path) -> Path:
    """The exported model: beside it (``onnx/``), else in `cache`, else exported into `cache` now (10 s, torch)."""
    name = f"head-{content_hash(model.hash, str(EXPORT))}.onnx"
    for folder in (model.folder / "onnx", cache / "onnx"):
        if (folder / name).is_file():
            return folder / name
    return _export(model, head, cache / "onnx" / name)


def beside(model: Model, head: Head) -> Path:
    """Export into the model's own folder (``onnx/``), for a server that has neither torch nor this cache."""
    path = model.folder / "onnx" / f"head-{content_hash(model.hash, str(EXPORT))}.onnx"
    return path if path.is_file() else _export(model, head, path)


def _export(model: Model, head: Head, path: Path) -> Path:
    """Export under a temporary name and rename: a killed export leaves no half file behind the right name."""
    from mercer.encode.head_torch import export

    with writing_beside(path) as writing:
        export(model, head, writing / "head.onnx")
        sync(writing / "head.onnx")
        os.replace(writing / "head.onnx", path)
    return path
