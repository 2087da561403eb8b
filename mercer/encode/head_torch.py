"""A model with a head in; body and head as one torch module, and the engine that runs it, out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mercer.encode.engine_torch import bert_of, silence, tensors_of
from mercer.encode.extra import need
from mercer.encode.head import Head
from mercer.encode.model import Model
from mercer.errors import ModelError

__all__ = ["BIAS", "WEIGHT", "TorchHead", "alike", "export", "pool"]

WEIGHT, BIAS = "head.weight", "head.bias"
"""Tensors of the linear layer in model.safetensors: (outputs, hidden) and (outputs,)."""


class TorchHead:
    """transformers' BertModel and a linear layer in float32 on the CPU."""

    name = "torch"

    def __init__(self, model: Model, head: Head, *, threads: int = 0) -> None:
        """Build it; `threads` above 0 sets torch's, for the whole process."""
        self._torch = need("torch")
        if threads:
            self._torch.set_num_threads(threads)
        self._module = module(model, head)

    def __call__(
        self, embedded: NDArray[np.float32], mask: NDArray[np.int64], side: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """See `HeadEngine`."""
        with self._torch.inference_mode():
            said = self._module(*map(self._torch.from_numpy, (embedded, mask, side)))
        outputs: NDArray[np.float32] = said.numpy()
        return outputs


def module(model: Model, head: Head, *, attention: str = "sdpa") -> Any:
    """``(embedded, mask, side) -> (n, outputs)``.

    Raises:
        ModelError: a tensor is missing or has another shape than config.json says.
    """
    torch = need("torch")
    tensors = tensors_of(model)
    hidden = int(model.config["hidden_size"])
    shapes = {WEIGHT: (head.outputs, hidden), BIAS: (head.outputs,)}
    for name, shape in shapes.items():
        found = tuple(tensors[name].shape) if name in tensors else None
        if found != shape:
            raise ModelError(f"{model.weights}: {name} has shape {found}, not {shape}", cure="train it again")
    linear = torch.nn.Linear(hidden, head.outputs)
    linear.load_state_dict({"weight": tensors.pop(WEIGHT), "bias": tensors.pop(BIAS)})
    bert = bert_of(model, tensors, attention=attention)
    sided = int(model.config.get("type_vocab_size", 2)) > 1

    class Headed(torch.nn.Module):  # type: ignore[misc, name-defined]  # torch is imported where used
        def __init__(self) -> None:
            super().__init__()
            self.bert, self.head = bert, linear

        def forward(self, embedded: Any, mask: Any, side: Any) -> Any:
            types = side if sided else side * 0
            states = self.bert(inputs_embeds=embedded, attention_mask=mask, token_type_ids=types)[0]
            said = self.head(pool(states, mask, head.pooling))
            return said + head.match * alike(states, mask, side) if head.match else said

    return Headed().eval()


def pool(states: Any, mask: Any, pooling: str) -> Any:
    """(n, hidden): the mean of a text's states (n, tokens, hidden), or its first."""
    if pooling == "cls":
        return states[:, 0]
    weight = mask.unsqueeze(-1).to(states.dtype)
    return (states * weight).sum(1) / weight.sum(1).clamp(min=1)


def alike(states: Any, mask: Any, side: Any) -> Any:
    """(n, 1): cosine of the mean states of the first and the second text; 0 where there is one text.

    An encoder's weights rank by it from the start, though both texts see each other: on 16 queries of `esci150`
    nDCG@10 is .466, .473 where they do not (all-MiniLM-L6-v2, top 50 anew).
    """
    torch = need("torch")
    means = []
    for mine in (mask * (1 - side), mask * side):
        weight = mine.unsqueeze(-1).to(states.dtype)
        means.append(torch.nn.functional.normalize((states * weight).sum(1), dim=-1))
    return (means[0] * means[1]).sum(1, keepdim=True)


def export(model: Model, head: Head, path: Path) -> None:
    """Write body and head as one ONNX file with free batch and token axes."""
    torch = need("torch")
    need("onnxscript")
    whole = module(model, head, attention="eager")
    ones, zeros = torch.ones(2, 7, dtype=torch.int64), torch.zeros(2, 7, dtype=torch.int64)
    example = (torch.zeros(2, 7, int(model.config["hidden_size"])), ones, zeros)
    batch, tokens = torch.export.Dim("batch"), torch.export.Dim("tokens", max=model.positions)
    names = ("embedded", "mask", "side")
    with silence(), torch.no_grad():
        program = torch.onnx.export(
            whole,
            example,
            dynamo=True,
            verbose=False,
            input_names=list(names),
            output_names=["outputs"],
            dynamic_shapes={name: {0: batch, 1: tokens} for name in names},
        )
        program.save(str(path), external_data=False)
