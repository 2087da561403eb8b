"""Cosines of queries with passages, and how right each is, in; one number to make smaller out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["OBJECTIVES", "Batch", "Objective", "total"]


@dataclass(frozen=True, slots=True)
class Batch:
    """Cosines of b queries with m passages, and what is known of them."""

    scores: Tensor
    """(b, m) float: cosines."""
    gains: Tensor
    """(b, m) float: 0 to 1; NaN where nobody said."""
    weights: Tensor
    """(b, m) float: how much a pair counts; 1 where nobody said."""
    teacher: Tensor | None = None
    """(b, m) float: what a better model thinks, in its own units; NaN where it was not asked."""
    temperature: float = 0.05
    margin: float = 1.0

    @property
    def known(self) -> Tensor:
        return ~self.gains.isnan()

    def likely(self) -> Tensor:
        """(b, m) bool: unjudged passages that look so right that they are no fair negatives.

        Those whose score lies further above the mean of the unjudged ones than `margin` times the best positive's
        does. NV-Retriever (Moreira et al. 2024) takes a share of the positive's score; cosines of some encoders
        (e5) are all near one another, so here it is a share of what the positive stands out by.
        """
        scores, unjudged = self.scores.detach(), ~self.known
        positive = torch.where(self.gains > 0, scores, torch.full_like(scores, -torch.inf)).amax(1, keepdim=True)
        mean = (scores * unjudged).sum(1, keepdim=True) / unjudged.sum(1, keepdim=True).clamp(min=1)
        return unjudged & (scores - mean > self.margin * (positive - mean).clamp(min=0))


Objective = Callable[[Batch], Tensor]


def contrastive(batch: Batch) -> Tensor:
    """InfoNCE over in-batch and mined negatives (van den Oord et al. 2018; Karpukhin et al. 2020), with grades.

    ``-sum w g log(exp(s+/t) / (exp(s+/t) + sum exp(s-/t)))`` over pairs of gain g above 0; the negatives of a pair are
    passages of a lower gain and unjudged ones, those left out that `Batch.likely` takes for false.
    """
    logits = batch.scores / batch.temperature
    gains = batch.gains.nan_to_num(0.0)
    allowed = ~batch.likely()
    lower = (gains.unsqueeze(1) < gains.unsqueeze(2)) & allowed.unsqueeze(1)
    rest = torch.where(lower, logits.unsqueeze(1), torch.full_like(logits, -torch.inf).unsqueeze(1))
    itself = logits.unsqueeze(2)
    losses = torch.logsumexp(torch.cat([itself, rest], 2), 2) - logits
    shares = torch.where(batch.known, gains * batch.weights, torch.zeros_like(gains))
    return (losses * shares).sum() / shares.sum().clamp(min=1e-6)


def listwise(batch: Batch) -> Tensor:
    """Cross-entropy of the softmax over judged passages with their gains as target (ListNet, Cao et al. 2007).

    Queries whose judged passages all have the same gain say nothing about order and count nothing.
    """
    logits = (batch.scores / batch.temperature).masked_fill(~batch.known, -torch.inf)
    gains = (batch.gains * batch.weights).nan_to_num(0.0)
    spread = torch.where(batch.known, batch.gains, torch.full_like(gains, torch.nan))
    highest = spread.nan_to_num(-1.0).amax(1)
    lowest = spread.nan_to_num(2.0).amin(1)
    told = highest > lowest
    if not bool(told.any()):
        return batch.scores.sum() * 0.0
    wanted = gains / gains.sum(1, keepdim=True).clamp(min=1e-6)
    logged = torch.log_softmax(logits, 1).masked_fill(~batch.known, 0.0)
    return -(wanted * logged).sum(1)[told].mean()


def graded(batch: Batch) -> Tensor:
    """Logistic loss of every pair of judged passages in the wrong order (RankNet, Burges et al. 2005).

    ``sum (gi - gj) log(1 + exp(-(si - sj)/t))`` over pairs of one query with gi above gj, by the sum of (gi - gj).
    """
    apart = batch.scores.unsqueeze(2) - batch.scores.unsqueeze(1)
    better = (batch.gains.unsqueeze(2) - batch.gains.unsqueeze(1)).nan_to_num(0.0).clamp(min=0.0)
    better = better * batch.weights.unsqueeze(2)
    losses = torch.nn.functional.softplus(-apart / batch.temperature)
    return (losses * better).sum() / better.sum().clamp(min=1e-6)


def cosine(batch: Batch) -> Tensor:
    """Squared distance of the cosine from the gain, of judged pairs (Reimers and Gurevych 2019)."""
    apart = (batch.scores - batch.gains.nan_to_num(0.0)) ** 2
    shares = batch.known * batch.weights
    return (apart * shares).sum() / shares.sum().clamp(min=1e-6)


def distil(batch: Batch) -> Tensor:
    """Squared distance of score differences from the teacher's (margin-MSE, Hofstätter et al. 2020).

    Teacher scores are brought to the spread of the student's logits, query by query, as a cross-encoder's logits and
    cosines have no common unit.
    """
    if batch.teacher is None:
        return batch.scores.sum() * 0.0
    asked = ~batch.teacher.isnan()
    number = asked.sum(1, keepdim=True).clamp(min=1)
    teacher = batch.teacher.nan_to_num(0.0)
    centred = (teacher - (teacher * asked).sum(1, keepdim=True) / number) * asked
    student = batch.scores / batch.temperature
    moved = (student - (student * asked).sum(1, keepdim=True) / number) * asked
    told = asked.sum(1) > 1
    if not bool(told.any()):
        return batch.scores.sum() * 0.0
    both = asked.unsqueeze(2) & asked.unsqueeze(1)
    wrong = ((moved.unsqueeze(2) - moved.unsqueeze(1)) - (centred.unsqueeze(2) - centred.unsqueeze(1))) ** 2
    return torch.where(both, wrong, torch.zeros_like(wrong)).sum() / both.sum().clamp(min=1)


OBJECTIVES: Mapping[str, Objective] = {
    "contrastive": contrastive,
    "listwise": listwise,
    "graded": graded,
    "cosine": cosine,
    "distil": distil,
}


def total(names: Sequence[str]) -> Objective:
    """The sum of several objectives."""

    def added(batch: Batch) -> Tensor:
        return sum((OBJECTIVES[name](batch) for name in names[1:]), OBJECTIVES[names[0]](batch))

    return added
