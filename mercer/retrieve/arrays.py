"""Named arrays in, one npz file out and back, without pickle."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercer.errors import ShopError
from mercer.shop import disk_errors

__all__ = ["load_arrays", "save_arrays"]


def save_arrays(path: Path, arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> None:
    """Write arrays, and a few facts as JSON among them."""
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(dict(facts), ensure_ascii=False, sort_keys=True)
        np.savez(path, allow_pickle=False, **{**arrays, "facts": np.frombuffer(text.encode(), dtype=np.uint8)})


def load_arrays(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Read what `save_arrays` wrote.

    Raises:
        ShopError: the file is missing or damaged.
    """
    try:
        with open(path, "rb") as handle, np.load(handle, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        facts: dict[str, Any] = json.loads(arrays.pop("facts").tobytes().decode())
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ShopError(f"{path} cannot be read: {error}", cure="build the index again: mercer index SHOP") from error
    return arrays, facts
