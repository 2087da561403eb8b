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

__all__ = ["BODY", "FILES", "STATIC", "WORDS", "Model", "mapped", "read"]

FILES = ("config.json", "model.safetensors", "tokenizer.json")
WORDS = "embeddings.word_embeddings.weight"
"""The tensor with one row a word piece."""
BODY, STATIC = "body.onnx", "static.safetensors"
"""What `encode.compress` may put beside the three: a body in int8 in place of the layers, a table for queries."""

PROMPTS = {"query": "query: ", "passage": "passage: "}
"""What e5 models were trained with (https://huggingface.co/intfloat/multilingual-e5-small)."""

_NUMBERS: Mapping[str, type[np.generic]] = {"F32": np.float32, "F16": np.float16}
_MODULES = ("Transformer", "Grafted", "Pooling", "Dense", "Normalize")


@dataclass(frozen=True, slots=True)
class Model:
    """A BERT whose files are all there and fit each other."""

    folder: Path
    label: str
    """Readable half of the encoder's name."""
    hash: str
    """Of all files, prefixes and pooling: equal hash, equal vectors."""
    config: Mapping[str, Any]
    prefixes: Mapping[str, str]
    """Put before a text, by side."""
    pooling: Literal["mean", "cls"]
    table: NDArray[np.generic]
    """Word vectors (pieces, hidden), a read-only memory map of ``model.safetensors``."""
    origin: str
    """The hash without the table of query vectors, which no vector of a product depends on."""
    projection: NDArray[np.generic] | None = None
    """(dimension, hidden): a linear map between pooling and normalisation, or None."""
    body: Path | None = None
    """A body in int8 that stands for the layers, which ``model.safetensors`` then has not."""
    static: Path | None = None
    """A table of one query vector a word piece."""

    @property
    def dimension(self) -> int:
        """Numbers in a vector."""
        return int(self.config["hidden_size"] if self.projection is None else self.projection.shape[0])

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
    table = mapped(folder / "model.safetensors", WORDS)
    wanted = (config.get("vocab_size"), config.get("hidden_size"))
    if table.shape != wanted:
        raise ModelError(
            f"{folder}: word vectors have shape {table.shape}, config.json says {wanted}", cure="save the model again"
        )
    prefixes, pooling = _prefixes(folder, label), _pooling(folder)
    dense = _dense(folder)
    projection = mapped(dense, "linear.weight") if dense else None
    if projection is not None and projection.shape[1:] != (config["hidden_size"],):
        seen = f"{projection.shape} for {config['hidden_size']} numbers"
        raise ModelError(f"{dense}: a projection of shape {seen}", cure="save the model again")
    body, static = (folder / name if (folder / name).is_file() else None for name in (BODY, STATIC))
    files = [folder / name for name in FILES] + [path for path in (dense, body) if path]
    origin = known or content_hash(*files, json.dumps(prefixes, sort_keys=True), pooling)
    found = content_hash(origin, static) if static else origin
    named = label or _label(folder) or folder.resolve().name
    return Model(folder, named, found, config, prefixes, pooling, table, origin, projection, body, static)


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ModelError(f"{path} is no JSON: {error}", cure="install or save the model again") from error


def mapped(path: Path, tensor: str) -> NDArray[np.generic]:
    """Map a tensor of a safetensors file read-only: u64 length of a JSON header, the header, raw tensors.

    Raises:
        ModelError: no such tensor, or a damaged file.
    """
    size = path.stat().st_size
    try:
        with open(path, "rb") as handle:
            length = int.from_bytes(handle.read(8), "little")
            if length > size:
                raise ValueError(f"header of {length} bytes in a file of {size}")
            header = json.loads(handle.read(length))
        ends = 8 + length + max(value["data_offsets"][1] for name, value in header.items() if name != "__metadata__")
        if ends != size:
            raise ValueError(f"{size} bytes in the file, {ends} told in its header")
        entry = next(value for name, value in header.items() if name.endswith(tensor))
        shape, number = tuple(entry["shape"]), _NUMBERS[entry["dtype"]]
        offset = 8 + length + entry["data_offsets"][0]
        return np.memmap(path, number, mode="r", offset=offset, shape=shape)
    except StopIteration as error:
        raise ModelError(f"{path} has no tensor {tensor}", cure="give the weights of a BERT encoder") from error
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


def _label(folder: Path) -> str:
    """What the model was called before it was compressed; "" where nothing is said."""
    path = folder / "config_sentence_transformers.json"
    return str(_json(path).get("label", "")) if path.is_file() else ""


def _pooling(folder: Path) -> Literal["mean", "cls"]:
    """Pooling as sentence-transformers keeps it; mean where nothing is said.

    Raises:
        ModelError: another pooling, or a further module that would be left out.
    """
    for module, _ in _modules(folder):
        if module not in _MODULES:
            raise ModelError(f"{folder} has a module {module}", cure="give a BERT with mean or cls pooling alone")
    path = folder / "1_Pooling" / "config.json"
    said = _json(path) if path.is_file() else {"pooling_mode": "mean"}
    flags = [name for name, on in said.items() if on is True and name.startswith("pooling_mode_")]
    mode = said.get("pooling_mode") or "+".join(name.split("_")[2] for name in flags)
    if mode not in ("mean", "cls"):
        raise ModelError(f"{folder} pools by {mode!r}", cure="give a model with mean or cls pooling")
    return "cls" if mode == "cls" else "mean"


def _modules(folder: Path) -> list[tuple[str, str]]:
    """Kind and folder of each module that sentence-transformers would run."""
    path = folder / "modules.json"
    found = _json(path) if path.is_file() else []
    return [(str(module.get("type", "")).rsplit(".", 1)[-1], str(module.get("path", ""))) for module in found]


def _dense(folder: Path) -> Path | None:
    """The file of a linear map after pooling, or None.

    Raises:
        ModelError: it has a bias or an activation, or there are two.
    """
    found = [folder / path for kind, path in _modules(folder) if kind == "Dense"]
    for path in found:
        said = _json(path / "config.json")
        linear = str(said.get("activation_function", "")).endswith("Identity")
        if len(found) > 1 or said.get("bias", True) or not linear:
            problem = f"{folder} has a module Dense that is no plain linear map, or two"
            raise ModelError(problem, cure="give a model with one, without bias or activation")
    return found[0] / "model.safetensors" if found else None
