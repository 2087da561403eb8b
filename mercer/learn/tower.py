"""A model folder in; the torch module that is trained, and a model folder again, out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mercer.encode.encoder import Side, batches
from mercer.encode.extra import need
from mercer.encode.graft import ROOT, Graft, fitting
from mercer.encode.graft_torch import grafted
from mercer.encode.model import WORDS, Model
from mercer.encode.save import save
from mercer.encode.tokens import Tokens
from mercer.errors import ModelError
from mercer.learn.memory import Memory
from mercer.learn.precision import Precision, cast

__all__ = ["Tower", "build"]

EMBEDDINGS = "embeddings."
NUMBERED = re.compile(rf"(encoder\.layer\.|{re.escape(ROOT)})(\d+)\.(.*)")
"""Names of tensors that belong to a layer: what it is of, the layer's number, the rest."""


def build(model: Model, *, length: int, frozen: int = 0, words: bool = False, dropout: float = 0.1) -> Tower:
    """A torch module of the model: ``below`` (the lowest `frozen` layers, never trained), then ``above``.

    Unless they are trained, word vectors stay a memory map on disk, of which only the rows that occur are read.

    Raises:
        ModelError: the model has no more than `frozen` layers, was compressed, or its weights do not fit.
    """
    if model.projection is not None or model.body is not None:
        raise ModelError(f"{model.folder} was compressed", cure="tune the model that it came from, then compress again")
    transformers = need("transformers")
    told = dict(model.config) | {"hidden_dropout_prob": dropout, "attention_probs_dropout_prob": 0.0}
    known = {} if words else {"vocab_size": 1}
    config = transformers.BertConfig.from_dict({**told, **known, "pad_token_id": 0})
    layers = int(config.num_hidden_layers)
    if not 0 <= frozen < layers:
        raise ModelError(f"{frozen} of {layers} layers frozen", cure=f"freeze 0 to {layers - 1}")
    if frozen and words:
        raise ModelError("words are trained above frozen layers", cure='set words = false, or train = "full"')
    tensors = _tensors(model, words=words)
    graft = fitting(model, tensors)
    base = {name: value for name, value in tensors.items() if name.startswith(EMBEDDINGS)}
    above = _half(config, layers - frozen, graft)
    upper = {_renamed(name, -frozen): value for name, value in tensors.items() if _layer(name) >= frozen}
    _fill(above, upper | base, model)
    below = None
    if frozen:
        below = _half(config, frozen, graft).requires_grad_(False)
        _fill(below, base | {name: value for name, value in tensors.items() if 0 <= _layer(name) < frozen}, model)
        above.embeddings = _Pass()
    tower = Tower(model, below, above, length=length, frozen=frozen, words=words)
    tower.graft = graft
    return tower


def _tensors(model: Model, *, words: bool) -> dict[str, Tensor]:
    """All tensors in float32 by BertModel's names, without the pooler, and without the word table unless `words`."""
    safetensors = need("safetensors")
    with safetensors.safe_open(model.weights, framework="pt") as file:
        names = [name for name in file.keys() if "pooler" not in name and "position_ids" not in name]  # noqa: SIM118
        return {
            name.removeprefix("bert."): file.get_tensor(name).float()
            for name in names
            if words or not name.endswith(WORDS)
        }


def _half(config: Any, layers: int, graft: Graft | None) -> Any:
    transformers = need("transformers")
    part = transformers.BertConfig.from_dict({**config.to_dict(), "num_hidden_layers": layers})
    part._attn_implementation = (
        "sdpa" if torch.cuda.is_available() else "eager"
    )  # backward, a CPU is twice as slow in it
    bert = transformers.BertModel(part, add_pooling_layer=False)
    return bert if graft is None else grafted(bert, graft)


def _fill(bert: Any, tensors: dict[str, Tensor], model: Model) -> None:
    try:
        said = bert.load_state_dict(tensors, strict=False)
    except RuntimeError as error:
        raise ModelError(f"{model.weights} does not fit config.json: {error}", cure="save the model again") from error
    if missing := [name for name in said.missing_keys if name != WORDS]:
        raise ModelError(f"{model.weights} lacks {missing[0]}", cure="give the weights of a whole BERT")


def _layer(name: str) -> int:
    """Number of the layer that a tensor belongs to; -1 for embeddings."""
    found = NUMBERED.fullmatch(name)
    return int(found[2]) if found else -1


def _renamed(name: str, by: int) -> str:
    found = NUMBERED.fullmatch(name)
    return f"{found[1]}{int(found[2]) + by}.{found[3]}" if found else name


class _Pass(nn.Module):
    """Stands where the embeddings were: what the lower layers said goes straight in."""

    def forward(self, inputs_embeds: Tensor | None = None, **_: Any) -> Tensor | None:
        return inputs_embeds


class Tower(nn.Module):
    """Word pieces in, unit vectors out."""

    def __init__(self, model: Model, below: Any, above: Any, *, length: int, frozen: int, words: bool) -> None:
        super().__init__()
        self.model = model
        self.frozen = frozen
        self.words = words
        self.above = above
        self.graft: Graft | None = None
        """What is on its layers beside their weights: the model's own, or what training puts there."""
        self._below = [below]  # in a list: no part of what is trained, saved in checkpoints or moved
        most = min(length, model.positions)
        self.tokens = Tokens(model.folder / "tokenizer.json", prefixes=model.prefixes, max_length=most)
        self.precision: Precision = "float32"
        """What products of matrices are computed in where no trainer says so."""
        self.memory: Memory | None = None
        """Keeps what the frozen layers said of a text, so that an epoch costs only the upper ones."""

    @property
    def below(self) -> Any:
        """The frozen layers as a module, or None."""
        return self._below[0]

    def forward(self, given: Tensor, mask: Tensor) -> Tensor:
        """Unit vectors (n, hidden).

        Args:
            given: piece numbers (n, tokens); word vectors or states of the lower layers (n, tokens, hidden).
            mask: (n, tokens), 1 where there is a piece.
        """
        named = {"input_ids": given} if given.dim() == 2 else {"inputs_embeds": given}
        return pooled(self.above(**named, attention_mask=mask)[0], mask, self.model.pooling)

    def chunks(self, texts: Sequence[str], side: Side, tokens: int) -> Iterator[tuple[list[int], Tensor, Tensor]]:
        """Row numbers of `texts`, shortest first, with what `forward` takes, at most `tokens` pieces at a time."""
        device = next(self.above.parameters()).device
        rows = self.tokens(texts, side)
        for chosen in batches([len(row) for row in rows], tokens):
            pieces = [rows[at] for at in chosen]
            ids = np.zeros((len(chosen), max(map(len, pieces))), np.int64)
            mask = np.zeros_like(ids)
            for place, row in enumerate(pieces):
                ids[place, : len(row)] = row
                mask[place, : len(row)] = 1
            given = torch.from_numpy(ids if self.words else np.asarray(self.model.table[ids], np.float32))
            masked = torch.from_numpy(mask).to(device)
            yield chosen, self._lowered(pieces, given.to(device), masked), masked

    def _lowered(self, pieces: Sequence[Sequence[int]], given: Tensor, mask: Tensor) -> Tensor:
        """What the frozen layers say, remembered where there is a memory."""
        below = self.below
        if below is None:
            return given

        def lower() -> Tensor:
            with torch.no_grad():
                states: Tensor = below.to(given.device).eval()(inputs_embeds=given, attention_mask=mask)[0]
            return states

        return lower() if self.memory is None else self.memory(pieces, lower, given.device)

    def encode(self, texts: Sequence[str], side: Side, *, tokens: int = 4096) -> NDArray[np.float32]:
        """Unit vectors without gradients: (n, hidden) float32."""
        was, vectors = self.training, np.empty((len(texts), int(self.model.config["hidden_size"])), np.float32)
        self.eval()
        with torch.inference_mode(), self.cast():
            for chosen, ids, mask in self.chunks(texts, side, tokens):
                vectors[chosen] = self(ids, mask).float().cpu().numpy()
        self.train(was)
        return vectors

    def cast(self) -> torch.autocast:
        """A context in which products of matrices are computed in `precision`."""
        return cast(self.precision, next(self.above.parameters()).device)

    @property
    def described(self) -> dict[str, Any]:
        """What config.json says of it."""
        told = {name: value for name, value in self.model.config.items() if name != "_name_or_path"}
        return told if self.graft is None else self.graft.to_config(told)

    def tensors(self) -> dict[str, NDArray[np.float32]]:
        """Every tensor by BertModel's names, lower layers and words included."""
        found: dict[str, Any] = {}
        if self.below is not None:
            found |= self.below.state_dict()
        found |= {_renamed(name, self.frozen): value for name, value in self.above.state_dict().items()}
        tensors = {name: value.detach().float().cpu().numpy() for name, value in found.items() if "_ids" not in name}
        return tensors if self.words else tensors | {WORDS: np.asarray(self.model.table, np.float32)}

    def save(self, folder: Path) -> None:
        """Write a model folder that `mercer.encode.load` opens.

        Raises:
            ModelError: a weight is no finite number.
        """
        model, config = self.model, self.described
        prefixes, pooling = model.prefixes, model.pooling
        tokenizer = model.folder / "tokenizer.json"
        save(folder, config=config, tensors=self.tensors(), tokenizer=tokenizer, prefixes=prefixes, pooling=pooling)


def pooled(states: Tensor, mask: Tensor, pooling: str) -> Tensor:
    """Unit vectors of (n, tokens, hidden) states: the mean over real tokens, or the first token's."""
    if pooling == "cls":
        return torch.nn.functional.normalize(states[:, 0], dim=-1)
    weight = mask.unsqueeze(-1).to(states.dtype)
    return torch.nn.functional.normalize((states * weight).sum(1) / weight.sum(1).clamp(min=1), dim=-1)
