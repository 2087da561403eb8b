"""A model in; an engine that runs its exported body in ONNX Runtime out, exporting it once where it never was."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercer.encode.extra import need
from mercer.encode.model import Model
from mercer.encode.save import sync, writing_beside
from mercer.errors import ModelError
from mercer.shop import content_hash

__all__ = ["OnnxEngine", "beside", "exported", "session"]

EXPORT = 1
"""Raised when the exported graph changes, so that old files are not used."""


class OnnxEngine:
    """ONNX Runtime on the CPU, float32. torch is not loaded where the exported file exists."""

    name = "onnx"

    def __init__(self, path: Path, *, threads: int) -> None:
        """Open an exported body.

        Raises:
            ModelError: the file is no body that Mercer exported.
            MissingExtra: package onnxruntime is not installed.
        """
        self._session = session(path, threads=threads)

    def __call__(self, embedded: NDArray[np.float32], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        """See `Engine`."""
        vectors: NDArray[np.float32] = self._session.run(["vector"], {"embedded": embedded, "mask": mask})[0]
        return vectors


def session(path: Path, *, threads: int) -> Any:
    """An exported model opened by ONNX Runtime on the CPU.

    Raises:
        ModelError: the file is no ONNX model.
        MissingExtra: package onnxruntime is not installed.
    """
    runtime = need("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the C++ binding has a class for each cause and no common one
        raise ModelError(f"{path} is no ONNX model: {error}", cure="delete it; it is exported again") from error


def exported(model: Model, cache: Path) -> Path:
    """The exported body: beside the model (``onnx/``), else in `cache`, else exported into `cache` now (10 s, torch).

    The file's name holds the model's hash, so a body never meets another model's words.
    """
    name = _name(model)
    for folder in (model.folder / "onnx", cache / "onnx"):
        if (folder / name).is_file():
            return folder / name
    return _export_into(cache / "onnx", model)


def beside(model: Model) -> Path:
    """Export into the model's own folder (``onnx/``), for a server that has neither torch nor this cache."""
    path = model.folder / "onnx" / _name(model)
    return path if path.is_file() else _export_into(path.parent, model)


def _name(model: Model) -> str:
    return f"body-{content_hash(model.hash, str(EXPORT))}.onnx"


def _export_into(folder: Path, model: Model) -> Path:
    """Export under a temporary name and rename: a killed export leaves no half file behind the right name."""
    from mercer.encode.engine_torch import export

    path = folder / _name(model)
    with writing_beside(path) as writing:
        export(model, writing / "body.onnx")
        sync(writing / "body.onnx")
        os.replace(writing / "body.onnx", path)
    return path
