"""A module and the loss of a step in; the learning rate at which it learns fastest, found in some dozen steps, out."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mercer.errors import DataError, SettingsError

__all__ = ["RateFound", "RateSettings", "find_rate"]

LEAST = 1e-6
"""Share of the first loss that a fall must be to be one."""
SMOOTH = 0.8
"""Share of the old mean in the running mean of the loss."""


@dataclass(frozen=True, slots=True)
class RateSettings:
    """Section ``[learn.rate]``: between which rates the finder looks, in how many steps."""

    low: float = 1e-6
    high: float = 1e-2
    steps: int = 40
    diverged: float = 2.0
    """Times the lowest loss at which it stops."""

    def __post_init__(self) -> None:
        if not 0 < self.low < self.high <= 10:
            raise SettingsError(f"[learn.rate] {self.low} to {self.high}", cure="give 0 < low < high, at most 10")
        if not 5 <= self.steps <= 100_000 or not self.diverged > 1:
            raise SettingsError(f"[learn.rate] {self.steps} steps, {self.diverged}", cure="give 5 steps, and above 1")


@dataclass(frozen=True, slots=True)
class RateFound:
    """What the finder saw."""

    suggested: float
    """The rate at which the smoothed loss fell most steeply, and no more than a third of where it was lowest."""
    rates: tuple[float, ...]
    losses: tuple[float, ...]
    """Smoothed."""


def find_rate(
    module: nn.Module,
    loss: Callable[[int], Tensor],
    *,
    cast: Callable[[], AbstractContextManager[object]],
    settings: RateSettings | None = None,
) -> RateFound:
    """Learn with a rate that grows from step to step, look where the loss falls, and put the weights back (Smith 2017).

    Raises:
        DataError: the loss never fell.
    """
    settings = settings or RateSettings()
    kept = {name: value.detach().clone() for name, value in module.state_dict().items()}
    was, open_ = module.training, [value for value in module.parameters() if value.requires_grad]
    optimizer = torch.optim.AdamW(open_, lr=settings.low)
    growth = (settings.high / settings.low) ** (1 / (settings.steps - 1))
    rates: list[float] = []
    losses: list[float] = []
    mean = 0.0
    module.train()
    for step in range(settings.steps):
        rate = settings.low * growth**step
        for group in optimizer.param_groups:
            group["lr"] = rate
        with cast():
            value = loss(step)
        mean = SMOOTH * mean + (1 - SMOOTH) * float(value.detach())
        smoothed = mean / (1 - SMOOTH ** (step + 1))
        if not math.isfinite(smoothed) or (losses and smoothed > settings.diverged * min(losses)):
            break
        rates.append(rate)
        losses.append(smoothed)
        optimizer.zero_grad(set_to_none=True)
        value.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        optimizer.step()
    module.load_state_dict(kept)
    module.train(was)
    return RateFound(_steepest(rates, losses), tuple(rates), tuple(losses))


def _steepest(rates: list[float], losses: list[float]) -> float:
    falls = [losses[at] - losses[at + 2] for at in range(len(losses) - 2)]
    if not falls or max(falls) <= LEAST * abs(losses[0]):
        raise DataError("the loss fell at no rate", cure="look for errors in the data, or look at lower rates")
    lowest = rates[losses.index(min(losses))]
    return min(rates[falls.index(max(falls)) + 1], lowest / 3)
