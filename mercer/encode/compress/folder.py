"""A model in; all its tensors, or another model folder with some of it changed, out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercer.encode.extra import need
from mercer.encode.model import Model, read
from mercer.encode.save import save
from mercer.errors import ModelError
from mercer.shop import write_json

__all__ = ["Tensors", "described", "rewritten", "size", "tensors_of"]

Tensors = Mapping[str, NDArray[np.float32]]


def tensors_of(model: Model) -> dict[str, NDArray[np.float32]]:
    """Every tensor in float32 by BertModel's names, without the pooler.

    Raises:
        ModelError: the model has its layers in int8 alone, or its file is damaged.
    """
    if model.body is not None:
        raise ModelError(f"{model.folder} has its layers in int8 alone", cure="compress the model that it came from")
    safetensors = need("safetensors")
    try:
        with safetensors.safe_open(model.weights, framework="numpy") as file:
            return {
                name.removeprefix("bert."): file.get_tensor(name).astype(np.float32, copy=False)
                for name in file.keys()  # noqa: SIM118  # safe_open is no mapping
                if "pooler." not in name and not name.endswith("position_ids")
            }
    except safetensors.SafetensorError as error:
        raise ModelError(f"{model.weights} is damaged: {error}", cure="install or save the model again") from error


def rewritten(
    model: Model,
    folder: Path,
    *,
    config: Mapping[str, Any] | None = None,
    tensors: Tensors | None = None,
    tokenizer: Path | None = None,
    projection: NDArray[np.float32] | None = None,
) -> Model:
    """`model` saved into `folder` with what is given in place of its own; the label stays."""
    kept = None if model.projection is None else np.asarray(model.projection, np.float32)
    save(
        folder,
        config=dict(config if config is not None else model.config),
        tensors=tensors if tensors is not None else tensors_of(model),
        tokenizer=tokenizer or model.folder / "tokenizer.json",
        prefixes=model.prefixes,
        pooling=model.pooling,
        projection=projection if projection is not None else kept,
    )
    return described(model, folder)


def described(model: Model, folder: Path) -> Model:
    """Write down what `model` is called and what it puts before texts, and read what is in `folder` now.

    The label keeps the names of encoders, and with them the product vectors that are known under one.
    """
    told = {"prompts": dict(model.prefixes), "default_prompt_name": None, "label": model.label}
    write_json(folder / "config_sentence_transformers.json", told)
    return read(folder)


def size(model: Model) -> int:
    """Bytes of what is read to serve: tensors, tokenizer, projection, body and table of queries."""
    files = [model.weights, model.folder / "tokenizer.json", *model.folder.glob("*_Dense/*.safetensors")]
    return sum(path.stat().st_size for path in (*files, model.body, model.static) if path is not None)
