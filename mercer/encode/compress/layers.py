"""A model in; the same with some of its layers, which healing (`mercer.learn.heal`) then makes up for, out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mercer.encode.compress.folder import rewritten, tensors_of
from mercer.encode.graft import ROOT as GRAFT
from mercer.encode.model import Model
from mercer.errors import ModelError

__all__ = ["drop", "spread"]

ROOTS = ("encoder.layer.", GRAFT)
"""Names of tensors that belong to a layer begin with one of them; its number follows."""


def spread(layers: int, keep: int) -> list[int]:
    """Numbers of `keep` of `layers` layers, evenly spread, with the first and the last.

    >>> spread(6, 3), spread(12, 6), spread(12, 1)
    ([0, 2, 5], [0, 2, 4, 7, 9, 11], [11])
    """
    if not 1 <= keep <= layers:
        raise ModelError(f"{keep} of {layers} layers", cure=f"keep 1 to {layers}")
    if keep == 1:
        return [layers - 1]
    return [int(at) for at in np.floor(np.linspace(0, layers - 1, keep) + 0.5 - 1e-9)]


def drop(model: Model, folder: Path, *, keep: Sequence[int]) -> Model:
    """Write the model with only the layers numbered `keep`, in that order.

    Raises:
        ModelError: no layer, or one that is not there.
    """
    layers = int(model.config["num_hidden_layers"])
    if not keep or not set(keep) <= set(range(layers)):
        raise ModelError(f"layers {list(keep)} of {layers}", cure=f"keep some of 0 to {layers - 1}")
    place = {old: new for new, old in enumerate(keep)}
    tensors = {}
    for name, values in tensors_of(model).items():
        root = next((root for root in ROOTS if name.startswith(root)), "")
        if not root:
            tensors[name] = values
            continue
        number, rest = name.removeprefix(root).split(".", 1)
        if int(number) in place:
            tensors[f"{root}{place[int(number)]}.{rest}"] = values
    return rewritten(model, folder, config={**model.config, "num_hidden_layers": len(keep)}, tensors=tensors)
