"""A module whose word vectors go through `embeddings` in; the same step with those vectors moved uphill out."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["Uphill"]

LEAST = 1e-12


class Uphill:
    """Fast gradient method on embedded texts (Miyato, Dai and Goodfellow 2017).

    A step is run twice: in `looking` the gradient by each text's word vectors is noted, in `moved` they are shifted
    along it by `epsilon` of their own length. Both backward passes add up in the weights' gradients.
    """

    def __init__(self, embeddings: nn.Module, epsilon: float) -> None:
        """Take the module whose output, (n, tokens, hidden), is to be moved."""
        self._embeddings = embeddings
        self._epsilon = epsilon
        self._seen: list[Tensor] = []

    @contextlib.contextmanager
    def looking(self) -> Iterator[None]:
        """Note what comes out with gradients on; a pass without them, as gradient caching has, is not looked at."""
        self._seen = []

        def note(_: nn.Module, __: Any, said: Tensor) -> Tensor:
            if torch.is_grad_enabled():
                kept = said if said.requires_grad else said.detach().requires_grad_()
                kept.retain_grad()
                self._seen.append(kept)
                return kept
            return said

        with _hooked(self._embeddings, note):
            yield

    @contextlib.contextmanager
    def moved(self) -> Iterator[None]:
        """Move the same texts, which must come in the same order; passes with and without gradients count apart."""
        ways = [self._way(said) for said in self._seen]
        self._seen = []
        turns = {True: iter(ways), False: iter(ways)}

        def shift(_: nn.Module, __: Any, said: Tensor) -> Tensor:
            return said + next(turns[torch.is_grad_enabled()])

        with _hooked(self._embeddings, shift):
            yield

    def _way(self, said: Tensor) -> Tensor:
        """Uphill, each text by `epsilon` of the length of its vectors."""
        if said.grad is None:
            return torch.zeros_like(said)
        slope, length = said.grad.detach(), said.detach().norm(dim=(1, 2), keepdim=True)
        way: Tensor = self._epsilon * length * slope / slope.norm(dim=(1, 2), keepdim=True).clamp(min=LEAST)
        return way


@contextlib.contextmanager
def _hooked(module: nn.Module, hook: Any) -> Iterator[None]:
    handle = module.register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()
