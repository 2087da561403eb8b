"""A model folder in; the torch module with a head that is trained, and a model folder with that head, out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mercer.encode.encoder import batches
from mercer.encode.extra import need
from mercer.encode.head import Head
from mercer.encode.head_torch import BIAS, WEIGHT, alike, pool
from mercer.encode.model import Model
from mercer.encode.pair import PairTokens, Pieces, padded
from mercer.encode.save import save
from mercer.learn.tower import build

__all__ = ["Cross", "cross"]


def cross(model: Model, head: Head, *, frozen: int = 0, words: bool = False, dropout: float = 0.1) -> Cross:
    """A torch module of the model with this head on top: the model's own where it has one of that shape, else zeros.

    From zeros every text gets the same number, and the first steps move the head before they move the body.
    """
    return Cross(model, head, frozen=frozen, words=words, dropout=dropout)


class Cross(nn.Module):
    """Word pieces of texts or pairs in, what the head says out."""

    def __init__(self, model: Model, head: Head, *, frozen: int, words: bool, dropout: float) -> None:
        super().__init__()
        self.tower = build(model, length=head.length, frozen=frozen, words=words, dropout=dropout)
        self.said = head
        self.tokens = PairTokens(model.folder / "tokenizer.json", length=min(head.length, model.positions))
        self.head = nn.Linear(int(model.config["hidden_size"]), head.outputs)
        self.drop = nn.Dropout(dropout)
        self._sided = int(model.config.get("type_vocab_size", 2)) > 1
        given = _given(model)
        if given is not None and given[0].shape == self.head.weight.shape:
            self.head.load_state_dict({"weight": given[0], "bias": given[1]})
        else:
            nn.init.zeros_(self.head.weight)
            nn.init.zeros_(self.head.bias)

    def forward(self, given: Tensor, mask: Tensor, side: Tensor) -> Tensor:
        """(n, outputs) before any scale.

        Args:
            given: piece numbers (n, tokens); word vectors or states of the frozen layers (n, tokens, hidden).
            mask: (n, tokens), 1 where there is a piece.
            side: (n, tokens), 1 in the second text.
        """
        named = {"input_ids": given} if given.dim() == 2 else {"inputs_embeds": given}
        types = side if self._sided else side * 0
        states = self.tower.above(**named, attention_mask=mask, token_type_ids=types)[0]
        said: Tensor = self.head(self.drop(pool(states, mask, self.said.pooling)))
        return said + self.said.match * alike(states, mask, side) if self.said.match else said

    def chunks(self, rows: Sequence[Pieces], tokens: int) -> Iterator[tuple[list[int], tuple[Tensor, Tensor, Tensor]]]:
        """Row numbers, shortest first, with what `forward` takes, at most `tokens` pieces at a time."""
        device = self.head.weight.device
        for chosen in batches([len(row) for row in rows], tokens):
            ids, mask, side = padded([rows[at] for at in chosen])
            table = self.tower.model.table
            given = torch.from_numpy(ids if self.tower.words else np.asarray(table[ids], np.float32)).to(device)
            masked = torch.from_numpy(mask).to(device)
            sides = torch.from_numpy(side).to(device)
            yield chosen, (self._lowered([rows[at] for at in chosen], given, masked, sides), masked, sides)

    def _lowered(self, rows: Sequence[Pieces], given: Tensor, mask: Tensor, side: Tensor) -> Tensor:
        """What the frozen layers say, remembered where there is a memory: a pair's first text ends in its pieces."""
        below, memory = self.tower.below, self.tower.memory
        if below is None:
            return given

        def lower() -> Tensor:
            with torch.no_grad():
                frozen = below.to(given.device).eval()
                types = side if self._sided else side * 0
                states: Tensor = frozen(inputs_embeds=given, attention_mask=mask, token_type_ids=types)[0]
            return states

        return lower() if memory is None else memory([row.ids for row in rows], lower, given.device)

    def centre(self, first: Sequence[str], second: Sequence[str], mean: float) -> None:
        """Move the bias of a head that begins at nothing so that these pairs are said to have `mean` on average."""
        if not bool(self.head.weight.any()):
            self.head.bias.data.fill_(mean - float(self.judge(first, second).mean()))

    def judge(
        self, first: Sequence[str], second: Sequence[str] | None = None, *, tokens: int = 4096
    ) -> NDArray[np.float32]:
        """What the head says of texts or pairs, without gradients: (n, outputs)."""
        was, rows = self.training, self.tokens(first, second)
        said = np.empty((len(rows), self.said.outputs), np.float32)
        self.eval()
        with torch.inference_mode(), self.tower.cast():
            for chosen, given in self.chunks(rows, tokens):
                said[chosen] = self(*given).float().cpu().numpy()
        self.train(was)
        return said

    def save(self, folder: Path, head: Head) -> None:
        """Write a model folder that `encode.head.open_judge` opens; `head` is this one's, perhaps with a new scale.

        Raises:
            ModelError: a weight is no finite number.
        """
        model, state = self.tower.model, self.head.state_dict()
        mine = {name: state[key].detach().float().cpu().numpy() for name, key in ((WEIGHT, "weight"), (BIAS, "bias"))}
        config = head.to_config(self.tower.described)
        tensors = {name: value for name, value in self.tower.tensors().items() if not name.startswith("head.")} | mine
        tokenizer = model.folder / "tokenizer.json"
        save(
            folder, config=config, tensors=tensors, tokenizer=tokenizer, prefixes=model.prefixes, pooling=model.pooling
        )


def _given(model: Model) -> tuple[Any, Any] | None:
    """Weight and bias of the head that a model has already, or None."""
    safetensors = need("safetensors")
    with safetensors.safe_open(model.weights, framework="pt") as file:
        names = set(file.keys())
        return (file.get_tensor(WEIGHT).float(), file.get_tensor(BIAS).float()) if {WEIGHT, BIAS} <= names else None
