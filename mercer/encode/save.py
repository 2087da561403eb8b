"""Config, tensors and a tokenizer in; a model folder that `load`, transformers and sentence-transformers open out."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mercer.encode.extra import need
from mercer.encode.graft import graft_of
from mercer.encode.model import read
from mercer.errors import DiskFull, ModelError, UsageError
from mercer.shop import disk_errors, write_json

__all__ = ["save", "sync", "writing_beside"]

GRAFTED = "mercer.encode.graft.Grafted"
"""Kind of module that stands for a BERT with a graft."""
ABANDONED = 3600
"""Seconds after which a folder half written is taken for a killed process's. An export takes 15."""


def save(
    folder: Path,
    *,
    config: Mapping[str, Any],
    tensors: Mapping[str, NDArray[np.float32]],
    tokenizer: Path,
    prefixes: Mapping[str, str],
    pooling: Literal["mean", "cls"] = "mean",
    projection: NDArray[np.float32] | None = None,
) -> None:
    """Write a model folder under a temporary name and rename it; a reader sees all of it or nothing.

    `config` is a BertConfig as a dictionary, `tensors` go by BertModel's names, `prefixes` by side; `projection`
    (dimension, hidden) is a linear map between pooling and normalisation.

    Raises:
        ModelError: a tensor has numbers that are not finite.
        UsageError: `folder` is there already and not empty.
        DiskFull: there is no room for it.
    """
    every = dict(tensors) if projection is None else {**tensors, "projection": projection}
    for name, values in every.items():
        if not np.isfinite(values).all():
            raise ModelError(f"tensor {name} has NaN or infinite values", cure="train with a smaller learning rate")
    if folder.is_dir() and any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty", cure="save into a new folder")
    with writing_beside(folder) as writing:
        _write(writing, config, tensors, tokenizer)
        _describe(writing, config, prefixes, pooling, projection)
        _rename(writing, folder)


@contextlib.contextmanager
def writing_beside(target: Path) -> Iterator[Path]:
    """A folder beside `target` to write in before a rename; it vanishes, as do those that killed processes left."""
    with disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        for left in target.parent.glob(".writing-*"):
            if time.time() - left.stat().st_mtime > ABANDONED:
                shutil.rmtree(left, ignore_errors=True)
        writing = Path(tempfile.mkdtemp(prefix=".writing-", dir=target.parent))
        writing.chmod(0o755)
        try:
            yield writing
        finally:
            shutil.rmtree(writing, ignore_errors=True)


def sync(path: Path) -> None:
    """Wait until a file is on the disk, so that a rename never shows an empty one after a power cut."""
    with open(path, "rb") as handle:
        os.fsync(handle.fileno())


def _write(
    folder: Path, config: Mapping[str, Any], tensors: Mapping[str, NDArray[np.float32]], tokenizer: Path
) -> None:
    safetensors = need("safetensors")
    from safetensors.numpy import save_file

    contiguous = {name: np.ascontiguousarray(values, np.float32) for name, values in tensors.items()}
    try:
        save_file(contiguous, folder / "model.safetensors", metadata={"format": "pt"})
    except safetensors.SafetensorError as error:  # its name for any trouble of the disk
        size = sum(values.nbytes for values in contiguous.values())
        problem = f"{folder.parent} takes no model of {size >> 20} MB: {error}"
        raise DiskFull(problem, cure="free some space and run again") from error
    shutil.copyfile(tokenizer, folder / "tokenizer.json")
    write_json(folder / "config.json", dict(config))
    for name in ("model.safetensors", "tokenizer.json"):
        sync(folder / name)


def _describe(
    folder: Path,
    config: Mapping[str, Any],
    prefixes: Mapping[str, str],
    pooling: str,
    projection: NDArray[np.float32] | None,
) -> None:
    """What sentence-transformers reads: modules, pooling, a projection, prompts and the token that pads.

    A graft it would leave out with hardly a word: the first module then is one that only Mercer has, and it refuses.
    """
    (folder / "1_Pooling").mkdir()
    root = "sentence_transformers.models"
    modules = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
    if projection is not None:
        _project(folder / "2_Dense", projection)
        modules[2:] = [("2_Dense", "Dense"), ("3_Normalize", "Normalize")]
    graft = graft_of(config)
    write_json(
        folder / "modules.json",
        [
            {"idx": at, "name": str(at), "path": path, "type": f"{root}.{kind}" if at or not graft else GRAFTED}
            for at, (path, kind) in enumerate(modules)
        ],
    )
    write_json(
        folder / "1_Pooling" / "config.json",
        {
            "word_embedding_dimension": read(folder).table.shape[1],
            "pooling_mode_cls_token": pooling == "cls",
            "pooling_mode_mean_tokens": pooling == "mean",
        },
    )
    prompts = {"query": prefixes.get("query", ""), "passage": prefixes.get("passage", "")}
    write_json(folder / "config_sentence_transformers.json", {"prompts": prompts, "default_prompt_name": None})
    tokenizer = need("tokenizers").Tokenizer.from_file(str(folder / "tokenizer.json"))
    told = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": config["max_position_embeddings"]}
    pad = tokenizer.id_to_token(config.get("pad_token_id", 0))
    write_json(folder / "tokenizer_config.json", {**told, "pad_token": pad})


def _project(folder: Path, projection: NDArray[np.float32]) -> None:
    from safetensors.numpy import save_file

    folder.mkdir()
    save_file({"linear.weight": np.ascontiguousarray(projection, np.float32)}, folder / "model.safetensors")
    sync(folder / "model.safetensors")
    rows, columns = projection.shape
    told = {"in_features": columns, "out_features": rows, "bias": False}
    write_json(folder / "config.json", {**told, "activation_function": "torch.nn.modules.linear.Identity"})


def _rename(writing: Path, folder: Path) -> None:
    try:
        os.replace(writing, folder)
    except OSError:
        if not (folder / "config.json").is_file():
            raise
        # another process saved the same model meanwhile: its folder is as good
