"""A BertModel and what is to be grafted onto it in; the same module, which then runs with the graft, out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from mercer.encode.graft import Graft

__all__ = ["Adapter", "Prefix", "grafted"]

NARROW = 0.02
"""Standard deviation that weights begin with, as BERT's did."""


def grafted(bert: Any, graft: Graft) -> Any:
    """Put a new graft onto every layer; its tensors are then among the module's, as ``graft.LAYER.NAME``.

    It hangs on modules that LoRA does not replace, so that a grafted model can be trained on by LoRA too.
    """
    hidden, heads = int(bert.config.hidden_size), int(bert.config.num_attention_heads)
    parts: list[Prefix | Adapter] = []
    for layer in bert.encoder.layer:
        part = Prefix(hidden, heads, graft.size) if graft.kind == "prefix" else Adapter(hidden, graft.size)
        part.hang(layer)
        parts.append(part)
    bert.graft = nn.ModuleList(parts)
    return bert


class Prefix(nn.Module):
    """Keys and values of one layer that are learned: every piece of a text may look at them.

    peft's prefix tuning is not used: it hands keys and values to BertModel as if they came from pieces before the text,
    and BertModel then moves all places of the text behind them. An untrained prefix changes every word's place, and the
    longest text that fits becomes shorter by the prefix (peft 0.21: a text of 512 pieces is an error).
    """

    def __init__(self, hidden: int, heads: int, size: int) -> None:
        super().__init__()
        self._heads = heads
        self.key = nn.Parameter(torch.randn(size, hidden) * NARROW)
        self.value = nn.Parameter(torch.randn(size, hidden) * NARROW)

    def hang(self, layer: Any) -> None:
        """Let a layer of BERT see it."""
        layer.attention.self.register_forward_pre_hook(self._before, with_kwargs=True)

    def _before(self, _: nn.Module, given: Any, named: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        mask = named.get("attention_mask")
        if mask is not None:  # (n, 1, tokens, tokens): true, or 0 to be added, where there is something to look at
            seen = True if mask.dtype == torch.bool else 0.0
            mask = nn.functional.pad(mask, (len(self.key), 0), value=seen)
        return given, {**named, "attention_mask": mask, "past_key_values": self}

    def update(self, key: Tensor, value: Tensor, _: int) -> tuple[Tensor, Tensor]:
        """Keys and values (n, heads, tokens, width) with the learned ones first; the name is that of `Cache`."""
        return torch.cat((self._shaped(self.key, key), key), 2), torch.cat((self._shaped(self.value, value), value), 2)

    def _shaped(self, own: Tensor, other: Tensor) -> Tensor:
        heads = own.to(other.dtype).view(len(own), self._heads, -1).transpose(0, 1)
        return heads.unsqueeze(0).expand(other.shape[0], -1, -1, -1)


class Adapter(nn.Module):
    """``x + up(GELU(down(x)))`` of what a layer's feed-forward made; up begins at 0: nothing changes at first."""

    def __init__(self, hidden: int, size: int) -> None:
        super().__init__()
        self.down, self.up = nn.Linear(hidden, size), nn.Linear(size, hidden)
        nn.init.normal_(self.down.weight, std=NARROW)
        for zero in (self.down.bias, self.up.weight, self.up.bias):
            nn.init.zeros_(zero)

    def forward(self, made: Tensor) -> Tensor:
        """(n, tokens, hidden) for the same."""
        changed: Tensor = made + self.up(nn.functional.gelu(self.down(made)))
        return changed

    def hang(self, layer: Any) -> None:
        """Let a layer of BERT pass through it, before the shortcut and the normalisation."""
        layer.output.dropout.register_forward_hook(lambda _, __, made: self(made))
