"""What a head says of pairs, and what is known of them, in; one number to make smaller out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["VERDICTS", "Verdict", "Verdicts", "total"]


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What a head said of n texts or pairs, and what is known of them."""

    outputs: Tensor
    """(n, outputs) float."""
    targets: Tensor
    """(n,) float: gains 0 to 1, numbers of classes, or ratings in the head's scale."""
    weights: Tensor
    """(n,) float: how much each counts."""
    lists: Tensor
    """(n,) int: number of the query whose list a pair stands in."""


Verdict = Callable[[Verdicts], Tensor]


def relevance(known: Verdicts) -> Tensor:
    """Binary cross-entropy of the log-odds with the gain (Nogueira and Cho 2019): ``-g log p - (1-g) log(1-p)``."""
    losses = torch.nn.functional.binary_cross_entropy_with_logits(known.outputs[:, 0], known.targets, reduction="none")
    return _mean(losses, known.weights)


def listwise(known: Verdicts) -> Tensor:
    """Cross-entropy of the softmax over one query's passages with their gains as target (ListNet, Cao et al. 2007).

    Lists whose gains are all the same say nothing about order and count nothing.
    """
    said, losses = known.outputs[:, 0], []
    for number in torch.unique(known.lists):
        mine = known.lists == number
        gains = known.targets[mine]
        if len(gains) > 1 and bool(gains.max() > gains.min()):
            wanted = gains * known.weights[mine]
            losses.append(-(wanted / wanted.sum().clamp(min=1e-6) * torch.log_softmax(said[mine], 0)).sum())
    return torch.stack(losses).mean() if losses else said.sum() * 0.0


def classes(known: Verdicts) -> Tensor:
    """Cross-entropy over any number of classes."""
    losses = torch.nn.functional.cross_entropy(known.outputs, known.targets.long(), reduction="none")
    return _mean(losses, known.weights)


def rating(known: Verdicts) -> Tensor:
    """Squared error."""
    return _mean((known.outputs[:, 0] - known.targets) ** 2, known.weights)


def _mean(losses: Tensor, weights: Tensor) -> Tensor:
    return (losses * weights).sum() / weights.sum().clamp(min=1e-6)


VERDICTS: Mapping[str, Verdict] = {
    "relevance": relevance,
    "listwise": listwise,
    "classes": classes,
    "rating": rating,
}


def total(names: Sequence[str]) -> Verdict:
    """The sum of several."""

    def added(known: Verdicts) -> Tensor:
        return sum((VERDICTS[name](known) for name in names[1:]), VERDICTS[names[0]](known))

    return added
