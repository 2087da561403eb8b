"""An encoder as it was and texts that it knew in; losses that hold the next version near it out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mercer.encode.encoder import Side
from mercer.learn.pairs.pair import rows_of
from mercer.learn.robust_settings import RehearseSettings
from mercer.learn.step import Steps, Task
from mercer.learn.tower import Tower
from mercer.learn.tuner import Beside, loss_of, tower_of, vectors

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Keeper", "buffer", "keeper"]


def buffer(pairs: pa.Table, settings: RehearseSettings, *, seed: int) -> pa.Table:
    """At most `most` of the pairs to rehearse, whole queries in an order that the seed and their texts decide.

    A query stays in the buffer from version to version as long as there is room, whatever comes after it.
    """
    import hashlib

    texts = pairs["query"].to_pylist()
    order = sorted(set(texts), key=lambda text: hashlib.blake2b(f"{seed} {text}".encode(), digest_size=8).digest())
    place = {text: at for at, text in enumerate(order)}
    rows = sorted(range(len(texts)), key=lambda row: (place[texts[row]], row))
    return rows_of(pairs, rows[: settings.most])


def keeper(pairs: pa.Table, tasks: Sequence[Task], settings: RehearseSettings, *, passages: int, temperature: float,
           margin: float, seed: int) -> Callable[[Tower], Sequence[Beside]]:  # fmt: skip
    """What `tune` is given as `beside`: distillation from the tower as it starts, L2 to it, and EWC, as they are set.

    Args:
        pairs: the buffer, whose queries and passages the tower must go on placing where it does.
        tasks: the buffer as it is learned from, for how much each weight mattered to it.
        settings: see there.
        passages: of a step.
        temperature, margin: of the loss.
        seed: of what is drawn.
    """

    def made(tower: Tower) -> list[Beside]:
        found: list[Beside] = []
        if settings.distil and len(pairs):
            found.append(_distilled(tower, pairs, settings, seed))
        if settings.l2:
            found.append(Keeper.of(tower, settings.l2, None))
        if settings.ewc and len(pairs):
            steps = Steps(tasks, steps=settings.fisher, passages=passages, seed=seed)
            found.append(Keeper.of(tower, settings.ewc, _mattered(tower, steps, temperature, margin)))
        return found

    return made


def _distilled(tower: Tower, pairs: pa.Table, settings: RehearseSettings, seed: int) -> Beside:
    """Mean of 1 - cosine with the vectors of before, of some texts a step (learning without forgetting, Li 2016)."""
    sides: tuple[tuple[Side, list[str]], ...] = (
        ("query", list(dict.fromkeys(pairs["query"].to_pylist()))),
        ("passage", list(dict.fromkeys(pairs["text"].to_pylist()))),
    )
    known: list[tuple[Side, list[str], NDArray[np.float32]]] = [
        (side, texts, tower.encode(texts, side)) for side, texts in sides
    ]

    def loss(model: nn.Module, step: int) -> Tensor:
        inner, rng, apart = tower_of(model), np.random.default_rng([seed, 12, step]), []
        for side, texts, before in known:
            rows = rng.permutation(len(texts))[: max(1, settings.texts // 2)]
            said = vectors(model, inner, [texts[row] for row in rows], side, _ALL).float()
            apart.append(1 - (said * torch.from_numpy(before[rows]).to(said.device)).sum(1))
        return settings.distil * torch.cat(apart).mean()

    return loss


_ALL = 1 << 20


def _mattered(tower: Tower, steps: Steps, temperature: float, margin: float) -> dict[str, Tensor]:
    """Mean squared gradient of each weight over steps: the diagonal of the empirical Fisher information."""
    total = {name: torch.zeros_like(value) for name, value in tower.named_parameters() if value.requires_grad}
    for number in range(len(steps)):
        plan = steps[number]
        with tower.cast():
            asked = vectors(tower, tower, plan.queries, "query", _ALL)
            found = vectors(tower, tower, plan.passages, "passage", _ALL)
            loss = loss_of(plan, asked, found, temperature, margin)
        loss.backward()  # type: ignore[no-untyped-call]
        for name, value in tower.named_parameters():
            if name in total and value.grad is not None:
                total[name] += value.grad.detach() ** 2 / len(steps)
        tower.zero_grad(set_to_none=True)
    return total


@dataclass(frozen=True)
class Keeper:
    """Half the weight times the sum of squared distances from where weights were, each as much as it mattered."""

    weight: float
    start: dict[str, Tensor]
    mattered: dict[str, Tensor] | None
    """None where all matter alike."""

    @classmethod
    def of(cls, tower: Tower, weight: float, mattered: dict[str, Tensor] | None) -> Keeper:
        """Note where the open weights are."""
        named = tower.named_parameters()
        return cls(weight, {name: value.detach().clone() for name, value in named if value.requires_grad}, mattered)

    def __call__(self, model: nn.Module, _: int) -> Tensor:
        """The loss of where they are now."""
        total = torch.zeros(())
        for name, value in tower_of(model).named_parameters():
            if name in self.start:
                apart = (value - self.start[name]) ** 2
                part = apart.sum() if self.mattered is None else (apart * self.mattered[name]).sum()
                total = total.to(part.device) + part
        return 0.5 * self.weight * total
