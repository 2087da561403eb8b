"""A model's config and tensors in; what training put onto its layers beside their weights, checked, out.

LoRA becomes part of the weights when it is done; a trained prefix and bottleneck adapters cannot. They are kept as
tensors ``graft.LAYER.NAME`` in model.safetensors, and ``mercer.graft`` in config.json says of what kind and size.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from mercer.encode.model import Model
from mercer.errors import ModelError

__all__ = ["ROOT", "Graft", "Kind", "fitting", "graft_of"]

ROOT = "graft."
"""Names of the tensors begin with it."""

Kind = Literal["prefix", "adapter"]


@dataclass(frozen=True, slots=True)
class Graft:
    """One kind of graft on every layer; kept in config.json under ``mercer.graft``."""

    kind: Kind
    """prefix: keys and values that every piece looks at beside those of the text (Li and Liang 2021; on every layer
    without a network that makes them, as in P-tuning v2, Liu et al. 2022). adapter: a narrow network with a shortcut
    around it after the feed-forward (Houlsby et al. 2019, where Pfeiffer et al. 2020 put it)."""
    size: int
    """Keys of a layer, or numbers in the narrow middle."""

    def __post_init__(self) -> None:
        whole = isinstance(self.size, int) and self.size >= 1
        if self.kind not in get_args(Kind) or not whole:
            raise ModelError(f"a graft of kind {self.kind!r}, size {self.size!r}", cure="train it again")

    def shapes(self, hidden: int) -> dict[str, tuple[int, ...]]:
        """Shape of each tensor of one layer by name."""
        if self.kind == "prefix":
            return {"key": (self.size, hidden), "value": (self.size, hidden)}
        narrow, wide = {"down.weight": (self.size, hidden), "down.bias": (self.size,)}, (hidden,)
        return {**narrow, "up.weight": (hidden, self.size), "up.bias": wide}

    def count(self, hidden: int, layers: int) -> int:
        """Numbers in all tensors."""
        return layers * sum(math.prod(shape) for shape in self.shapes(hidden).values())

    def to_config(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """`config` with this graft written into it."""
        return {**config, "mercer": {**(config.get("mercer") or {}), "graft": asdict(self)}}


def graft_of(config: Mapping[str, Any]) -> Graft | None:
    """The graft that a model's config tells of, or None.

    Raises:
        ModelError: one that this Mercer does not know.
    """
    told = (config.get("mercer") or {}).get("graft")
    if told is None:
        return None
    if not isinstance(told, dict) or set(told) != {"kind", "size"}:
        raise ModelError(f"config.json tells of a graft {told!r}", cure="train it again, or update Mercer")
    return Graft(**told)


def fitting(model: Model, tensors: Mapping[str, Any]) -> Graft | None:
    """The graft of a model whose `tensors` (of numpy or torch, by name) are all there and fit; None without one.

    Raises:
        ModelError: a tensor is missing, too much, of another shape, or has numbers that are not finite.
    """
    graft, config = graft_of(model.config), model.config
    shapes = {} if graft is None else graft.shapes(int(config["hidden_size"]))
    layers = range(int(config["num_hidden_layers"]))
    wanted = {f"{ROOT}{layer}.{name}": shape for layer in layers for name, shape in shapes.items()}
    found = {name: value for name, value in tensors.items() if name.startswith(ROOT)}
    cure = "train the model again, or copy its folder again"
    for name in sorted(wanted.keys() | found.keys()):
        if name not in wanted:
            raise ModelError(f"{model.weights} has {name}, which config.json does not tell of", cure=cure)
        seen = tuple(found[name].shape) if name in found else None
        if seen != wanted[name]:
            raise ModelError(f"{model.weights}: {name} has shape {seen}, not {wanted[name]}", cure=cure)
        if not math.isfinite(float(abs(found[name]).sum())):
            raise ModelError(f"{model.weights}: {name} has NaN or infinite values", cure=cure)
    return graft
