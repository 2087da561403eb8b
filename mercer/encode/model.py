"""A folder with config.json, model.safetensors and tokenizer.json in; its checked description out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mercer.errors import ModelError
from mercer.shop import content_hash

__all__ = ["FILES", "WORDS", "Model", "read"]

FILES = ("config.json", "model.safetensors", "tokenizer.json")
WORDS = "embeddings.word_embeddings.weight"
"""The tensor with one row a word piece."""

PROMPTS = {"query": "query: ", "passage": "passage: "}
"""What e5 models were trained with (https://huggingface.co/intfloat/multilingual-e5-small)."""

_NUMBERS: Mapping[str, type[np.generic]] = {"F32": np.float32, "F16": np.float16}
_MODULES = ("Transformer", "Pooling", "Normalize")


@dataclass(frozen=True, slots=True)
class Model:
    """A BERT whose files are all there and fit each other."""

    folder: Path
    label: str
    """Readable half of the encoder's name."""
    hash: str
    """Of the three files, prefixes and pooling: equal hash, equal vectors."""
    config: Mapping[str, Any]
    prefixes: Mapping[str, str]
    """Put before a text, by side."""
    pooling: Literal["mean", "cls"]
    table: NDArray[np.generic]
    """Word vectors (pieces, hidden), a read-only memory map of ``model.safetensors``."""

    @property
    def weights(self) -> Path:
        return self.folder / "model.safetensors"

    @property
    def positions(self) -> int:
        """Longest text in word pieces that the model takes."""
        return int(self.config["max_position_embeddings"])


def read(folder: Path, *, label: str = "", known: str = "") -> Model:
    """Describe the model in `folder`; `known` is its hash where the caller knows it, as reading 470 MB takes 0.5 s.

    Raises:
        ModelError: a file is missing or damaged, or the architecture is not one of BERT's with mean or cls pooling.
    """
    for name in FILES:
        if not (folder / name).is_file():
            raise ModelError(f"{folder} has no {name}", cure=f"give a folder with {', '.join(FILES)}")
    config = _json(folder / "config.json")
    if config.get("model_type") != "bert":
        raise ModelError(f"{folder} has model_type {config.get('model_type')!r}", cure="give a model of type 'bert'")
    table = _table(folder / "model.safetensors")
    wanted = (config.get("vocab_size"), config.get("hidden_size"))
    if table.shape != wanted:
        raise ModelError(
            f"{folder}: word vectors have shape {table.shape}, config.json says {wanted}", cure="save the model again"
        )
    prefixes, pooling = _prefixes(folder, label), _pooling(folder)
    found = known or content_hash(*(folder / name for name in FILES), json.dumps(prefixes, sort_keys=True), pooling)
    return Model(folder, label or folder.resolve().name, found, config, prefixes, pooling, table)


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ModelError(f"{path} is no JSON: {error}", cure="install or save the model again") from error


def _table(path: Path) -> NDArray[np.generic]:
    """Map the word vectors of a safetensors file: u64 length of a JSON header, the header, raw tensors."""
    size = path.stat().st_size
    try:
        with open(path, "rb") as handle:
            length = int.from_bytes(handle.read(8), "little")
            if length > size:
                raise ValueError(f"header of {length} bytes in a file of {size}")
            header = json.loads(handle.read(length))
        entry = next(value for name, value in header.items() if name.endswith(WORDS))
        shape, number = tuple(entry["shape"]), _NUMBERS[entry["dtype"]]
        offset = 8 + length + entry["data_offsets"][0]
        return np.memmap(path, number, mode="r", offset=offset, shape=shape)
    except StopIteration as error:
        raise ModelError(f"{path} has no tensor {WORDS}", cure="give the weights of a BERT encoder") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            f"{path} is damaged or no float32 or float16 safetensors file: {error!r}", cure="install or save it again"
        ) from error


def _prefixes(folder: Path, label: str) -> dict[str, str]:
    """Prompts as sentence-transformers keeps them; e5 models on the hub carry none and are known by name."""
    path = folder / "config_sentence_transformers.json"
    prompts = (_json(path).get("prompts") or {}) if path.is_file() else {}
    passage = prompts.get("passage") or prompts.get("document") or ""
    if prompts.get("query") or passage:
        return {"query": prompts.get("query") or "", "passage": passage}
    return dict(PROMPTS) if "e5" in label.lower().replace("_", "-").split("-") else {"query": "", "passage": ""}


def _pooling(folder: Path) -> Literal["mean", "cls"]:
    """Pooling as sentence-transformers keeps it; mean where nothing is said.

    Raises:
        ModelError: another pooling, or a further module (a projection) that would be left out.
    """
    path = folder / "modules.json"
    modules = [str(module.get("type", "")).rsplit(".", 1)[-1] for module in _json(path)] if path.is_file() else []
    for module in modules:
        if module not in _MODULES:
            raise ModelError(f"{folder} has a module {module}", cure="give a BERT with mean or cls pooling alone")
    path = folder / "1_Pooling" / "config.json"
    said = _json(path) if path.is_file() else {"pooling_mode": "mean"}
    flags = [name for name, on in said.items() if on is True and name.startswith("pooling_mode_")]
    mode = said.get("pooling_mode") or "+".join(name.split("_")[2] for name in flags)
    if mode not in ("mean", "cls"):
        raise ModelError(f"{folder} pools by {mode!r}", cure="give a model with mean or cls pooling")
    return "cls" if mode == "cls" else "mean"
