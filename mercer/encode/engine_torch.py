"""A model in; its body as a torch module, and the engine that runs it, out."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mercer.encode.extra import need
from mercer.encode.graft import fitting
from mercer.encode.model import WORDS, Model
from mercer.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["TorchEngine", "bert_of", "body", "export", "silence", "tensors_of"]


class TorchEngine:
    """transformers' BertModel in float32 on the CPU."""

    name = "torch"

    def __init__(self, model: Model, *, threads: int = 0) -> None:
        """Build the body; `threads` above 0 sets torch's, for the whole process."""
        self._torch = need("torch")
        if threads:
            self._torch.set_num_threads(threads)
        self._body = body(model)

    def __call__(self, embedded: NDArray[np.float32], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        """See `Engine`."""
        with self._torch.inference_mode():
            pooled = self._body(self._torch.from_numpy(embedded), self._torch.from_numpy(mask))
        vectors: NDArray[np.float32] = pooled.numpy()
        return vectors


def body(model: Model, *, attention: str = "sdpa") -> Any:
    """Everything after the word vectors as one torch module: ``(embedded, mask) -> unit rows``.

    The word table is left out (a vocabulary of one takes its place): both engines read it from the file.

    Raises:
        ModelError: a tensor is missing or has another shape than config.json says.
    """
    if model.body is not None:
        raise ModelError(f"{model.folder} has its layers in int8 alone", cure='set engine = "onnx", or give the model')
    torch = need("torch")
    bert = bert_of(model, tensors_of(model), attention=attention)

    class Body(torch.nn.Module):  # type: ignore[misc, name-defined]  # torch is imported where used
        def __init__(self) -> None:
            super().__init__()
            self.bert = bert
            projection = None if model.projection is None else torch.tensor(model.projection, dtype=torch.float32)
            self.register_buffer("projection", projection)

        def forward(self, embedded: Any, mask: Any) -> Any:
            states = self.bert(inputs_embeds=embedded, attention_mask=mask)[0]
            weight = mask.unsqueeze(-1).to(states.dtype)
            pooled = states[:, 0] if model.pooling == "cls" else (states * weight).sum(1) / weight.sum(1)
            if self.projection is not None:
                pooled = pooled @ self.projection.T
            return torch.nn.functional.normalize(pooled, dim=-1)

    return Body().eval()


def bert_of(model: Model, tensors: dict[str, Any], *, attention: str = "sdpa") -> Any:
    """transformers' BertModel with these tensors and their graft; a vocabulary of one takes the word table's place.

    Raises:
        ModelError: a tensor is missing or has another shape than config.json says.
    """
    transformers = need("transformers")
    config = transformers.BertConfig.from_dict({**model.config, "vocab_size": 1, "pad_token_id": 0})
    config._attn_implementation = attention
    bert = transformers.BertModel(config, add_pooling_layer=False)
    if (graft := fitting(model, tensors)) is not None:
        from mercer.encode.graft_torch import grafted

        bert = grafted(bert, graft)
    try:
        said = bert.load_state_dict(tensors, strict=False)
    except RuntimeError as error:
        raise ModelError(f"{model.weights} does not fit config.json: {error}", cure="save the model again") from error
    missing = [name for name in said.missing_keys if name != WORDS]
    if missing:
        raise ModelError(f"{model.weights} lacks {', '.join(missing[:3])}", cure="give the weights of a whole BERT")
    return bert


def tensors_of(model: Model) -> dict[str, Any]:
    """All tensors but the word table, in float32, by the names BertModel gives them."""
    safetensors = need("safetensors")
    torch = need("torch")
    with safetensors.safe_open(model.weights, framework="pt") as file:
        return {
            name.removeprefix("bert."): file.get_tensor(name).to(torch.float32)
            for name in file.keys()  # noqa: SIM118  # safe_open is no mapping
            if not name.endswith((WORDS, "position_ids")) and ".pooler." not in f".{name}"
        }


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Keep the exporter's words about its own parts from the terminal; that the engines agree is tested."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def export(model: Model, path: Path) -> None:
    """Write the body as one ONNX file with free batch and token axes.

    Attention is spelled out, not torch's fused one: ONNX Runtime then finds the shapes it has fast kernels for.
    """
    torch = need("torch")
    need("onnxscript")
    module = body(model, attention="eager")
    hidden = int(model.config["hidden_size"])
    example = (torch.zeros(2, 7, hidden), torch.ones(2, 7, dtype=torch.int64))
    batch, tokens = torch.export.Dim("batch"), torch.export.Dim("tokens", max=model.positions)
    with silence(), torch.no_grad():
        program = torch.onnx.export(
            module,
            example,
            dynamo=True,
            verbose=False,
            input_names=["embedded", "mask"],
            output_names=["vector"],
            dynamic_shapes={"embedded": {0: batch, 1: tokens}, "mask": {0: batch, 1: tokens}},
        )
        program.save(str(path), external_data=False)
