"""Named arrays and a few facts in; two files of a model, which run nothing when they are read, and back, out."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercer.errors import ModelError
from mercer.shop import content_hash, disk_errors, write_json

__all__ = ["keep_model", "kept_model"]

BROKEN = (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, zipfile.BadZipFile)
"""What reading a damaged file raises."""


def keep_model(folder: Path, name: str, told: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write ``NAME.npz`` and ``NAME.json``, which names the hash of the first, into an existing or new folder."""
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(folder / f"{name}.npz", allow_pickle=False, **arrays)
    write_json(folder / f"{name}.json", {**told, "weights": content_hash(folder / f"{name}.npz")})


def kept_model(folder: Path, name: str, *, cure: str) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """What `keep_model` wrote: facts, and arrays by name.

    Raises:
        ModelError: a file is missing or damaged, or they are not of one model; `cure` says what to do then.
    """
    path, weights = folder / f"{name}.json", folder / f"{name}.npz"
    if not path.is_file() or not weights.is_file():
        raise ModelError(f"{folder} has no {path.name} with {weights.name}", cure=cure)
    try:
        told: dict[str, Any] = json.loads(path.read_text("utf-8"))
        named = told.pop("weights")
        if content_hash(weights) == named:
            with open(weights, "rb") as handle, np.load(handle, allow_pickle=False) as file:
                return told, {part: file[part] for part in file.files}
    except BROKEN as error:
        raise ModelError(f"{path} is damaged: {error!r}", cure=cure) from error
    raise ModelError(f"{weights} is not what {path.name} names", cure=cure)
